#include "core/json/schema.hpp"

#include <gtest/gtest.h>

#include "tests/support/json_example.hpp"

namespace buildplan::json {
namespace {

using boost::json::parse;
using boost::json::value;

struct NewWorkspace {
    std::string name;
    std::optional<std::string> description;
    std::string contact;
    std::string home_page;
    std::string key;
    std::int32_t seats = 5;
    std::optional<example::Tier> tier;
    Patch<example::Address> address;
    std::vector<std::string> labels;
};
BOOST_DESCRIBE_STRUCT(NewWorkspace, (), (name, description, contact, home_page, key, seats, tier, address, labels))
constexpr auto json_rules(NewWorkspace const*) {
    return fields(field("name").length(1, 100).about("What people call it."), field("description").length(0, 2000),
                  field("contact").email(), field("home_page").url(), field("key").slug(),
                  field("seats").range(1, 500).defaulted(), field("tier").not_null().about("What is paid for."),
                  field("labels").items(1, 3).length(1, 20))
        .about("A workspace to be made.");
}

struct Scalars {
    bool yes = false;
    std::int16_t short_one = 0;
    std::uint32_t unsigned_one = 0;
    std::uint64_t wide_one = 0;
    double real = 0;
    Uuid id;
    Timestamp at;
    std::optional<Timestamp> ended_at;
    std::optional<std::int64_t> left_out;
    boost::json::value any;
    boost::json::object free;
    std::map<std::string, double> prices;
    std::string text;
};
BOOST_DESCRIBE_STRUCT(Scalars, (),
                      (yes, short_one, unsigned_one, wide_one, real, id, at, ended_at, left_out, any, free, prices,
                       text))
constexpr auto json_rules(Scalars const*) {
    return fields(field("real").at_least(0.5), field("ended_at").write_null());
}

template <class T>
struct Page {
    std::vector<T> items;
    std::optional<std::string> next_cursor;
    BOOST_DESCRIBE_CLASS(Page, (), (items, next_cursor), (), ())
};

TEST(JsonSchema, DescribesWhatIsRead) {
    Schemas schemas;
    EXPECT_EQ(value(schemas.ref<NewWorkspace>(Use::reading)), parse(R"({"$ref":"#/components/schemas/NewWorkspace"})"));
    auto const definitions = schemas.definitions();
    EXPECT_EQ(definitions.at("NewWorkspace"), parse(R"({
        "type": "object",
        "description": "A workspace to be made.",
        "required": ["name", "contact", "homePage", "key", "labels"],
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 100, "description": "What people call it."},
            "description": {"type": ["string", "null"], "maxLength": 2000},
            "contact": {"type": "string", "format": "email", "maxLength": 254},
            "homePage": {"type": "string", "format": "uri", "maxLength": 2048},
            "key": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 63},
            "seats": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 500, "default": 5},
            "tier": {"$ref": "#/components/schemas/Tier", "description": "What is paid for."},
            "address": {"anyOf": [{"$ref": "#/components/schemas/Address"}, {"type": "null"}]},
            "labels": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 20}, "minItems": 1, "maxItems": 3}
        },
        "additionalProperties": false})"));
    EXPECT_EQ(definitions.at("Tier"), parse(R"({"type": "string", "enum": ["FREE", "PRO", "ENTERPRISE"]})"));
    EXPECT_EQ(definitions.size(), 3u);
}

TEST(JsonSchema, DescribesWhatIsWritten) {
    Schemas schemas;
    (void)schemas.ref<Scalars>(Use::writing);
    EXPECT_EQ(schemas.definitions().at("Scalars"), parse(R"({
        "type": "object",
        "required": ["yes", "shortOne", "unsignedOne", "wideOne", "real", "id", "at", "endedAt", "any", "free", "prices", "text"],
        "properties": {
            "yes": {"type": "boolean"},
            "shortOne": {"type": "integer", "minimum": -32768, "maximum": 32767},
            "unsignedOne": {"type": "integer", "minimum": 0, "maximum": 4294967295},
            "wideOne": {"type": "integer", "minimum": 0},
            "real": {"type": "number", "format": "double", "minimum": 0.5},
            "id": {"type": "string", "format": "uuid"},
            "at": {"type": "string", "format": "date-time"},
            "endedAt": {"type": ["string", "null"], "format": "date-time"},
            "leftOut": {"type": "integer", "format": "int64"},
            "any": {},
            "free": {"type": "object"},
            "prices": {"type": "object", "additionalProperties": {"type": "number", "format": "double"}},
            "text": {"type": "string"}
        }})"));
}

struct Meeting {
    std::optional<std::string> place;
    std::vector<std::string> people;
};
BOOST_DESCRIBE_STRUCT(Meeting, (), (place, people))

TEST(JsonSchema, DescribesWhatIsBothReadAndWrittenAsItIsRead) {
    Schemas schemas;
    (void)schemas.ref<Page<Meeting>>(Use::writing);
    auto const written = parse(R"({"type": "object", "required": ["people"], "properties": {
        "place": {"type": "string"}, "people": {"type": "array", "items": {"type": "string"}}}})");
    EXPECT_EQ(schemas.definitions().at("Meeting"), written);
    EXPECT_EQ(schemas.definitions().at("MeetingPage").at("properties").at("items"),
              parse(R"({"type": "array", "items": {"$ref": "#/components/schemas/Meeting"}})"));

    (void)schemas.ref<Meeting>(Use::reading);
    EXPECT_EQ(schemas.definitions().at("Meeting").at("additionalProperties"), false);
    EXPECT_EQ(schemas.definitions().at("Meeting").at("properties").at("place"),
              parse(R"({"type": ["string", "null"], "maxLength": 10000})"));
}

namespace elsewhere {
struct Meeting {
    int id = 0;
};
BOOST_DESCRIBE_STRUCT(Meeting, (), (id))
}  // namespace elsewhere

TEST(JsonSchema, RefusesTwoTypesOfOneName) {
    Schemas schemas;
    (void)schemas.ref<Meeting>(Use::writing);
    EXPECT_THROW((void)schemas.ref<elsewhere::Meeting>(Use::writing), std::logic_error);
}

TEST(JsonSchema, NamesTemplatesByTheirArguments) {
    EXPECT_EQ(schema_name(type_of<Page<example::Address>>()), "AddressPage");
    EXPECT_EQ(schema_name(type_of<Page<Page<example::Address>>>()), "AddressPagePage");
}

TEST(JsonSchema, StandsAloneWithItsDefinitions) {
    auto const node = schema<example::Node>();
    EXPECT_EQ(value(node), parse(R"({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "maxLength": 10000},
            "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}, "maxItems": 8, "default": []}
        },
        "additionalProperties": false,
        "$defs": {"Node": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "maxLength": 10000},
                "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}, "maxItems": 8, "default": []}
            },
            "additionalProperties": false}}})"));

    EXPECT_EQ(value(schema<std::vector<std::int64_t>>()), parse(R"({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "array", "items": {"type": "integer", "format": "int64"}, "maxItems": 1000})"));
}

}  // namespace
}  // namespace buildplan::json
