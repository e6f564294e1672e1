#include "api/openapi.hpp"

#include <gtest/gtest.h>

#include "api/openapi_problems.hpp"
#include "api/test_routes.hpp"

namespace buildplan::api::testing {
namespace {

namespace dom = boost::json;

class OpenApiTest : public ::testing::Test {
protected:
    dom::object const& operation(std::string_view path, std::string_view method) const {
        return document.at("paths").at(path).at(method).as_object();
    }
    static std::vector<std::string> statuses(dom::object const& operation) {
        std::vector<std::string> all;
        for (auto const& [status, response] : operation.at("responses").as_object()) all.emplace_back(status);
        return all;
    }
    static bool takes(dom::object const& operation, std::string_view reference) {
        for (auto const& parameter : operation.at("parameters").as_array()) {
            auto const* target = parameter.as_object().if_contains("$ref");
            if (target && target->as_string() == "#/components/parameters/" + std::string(reference)) return true;
        }
        return false;
    }
    dom::value document = openapi_document(test_tables(), "1.2.3");
};

TEST_F(OpenApiTest, NamesItself) {
    EXPECT_EQ(document.at("openapi").as_string(), "3.1.0");
    EXPECT_EQ(document.at("info").at("version").as_string(), "1.2.3");
}

TEST_F(OpenApiTest, IsTheSameEachTime) {
    EXPECT_EQ(pretty(document), pretty(openapi_document(test_tables(), "1.2.3")));
    EXPECT_EQ(dom::parse(pretty(document)), document);
}

TEST_F(OpenApiTest, CallsOperationsAfterTheirHandlers) {
    EXPECT_EQ(operation("/v1/events", "post").at("operationId").as_string(), "createEvent");
    EXPECT_EQ(operation("/v1/things/{thingId}", "get").at("operationId").as_string(), "getThing");
}

TEST_F(OpenApiTest, SaysWhoMayCall) {
    EXPECT_EQ(dom::serialize(operation("/v1/events", "post").at("security")), R"([{"bearer":["events.create"]}])");
    EXPECT_EQ(dom::serialize(operation("/v1/crash", "get").at("security")), R"([{"bearer":[]}])");
    EXPECT_EQ(dom::serialize(operation("/health", "get").at("security")), "[]");
}

TEST_F(OpenApiTest, SaysWhatCanGoWrong) {
    EXPECT_EQ(statuses(operation("/v1/events", "post")),
              (std::vector<std::string>{"201", "400", "401", "403", "409", "413", "415", "422", "429", "503"}));
    EXPECT_EQ(statuses(operation("/v1/things/{thingId}", "get")),
              (std::vector<std::string>{"200", "304", "400", "401", "403", "404", "422", "429", "503"}));
    EXPECT_EQ(statuses(operation("/v1/things/{thingId}", "delete")),
              (std::vector<std::string>{"204", "400", "401", "403", "404", "412", "422", "428", "429", "503"}));
    EXPECT_EQ(statuses(operation("/health", "get")), (std::vector<std::string>{"200", "400"}));
    auto const own = operation("/v1/failing", "post").at("responses").at("409").at("description").as_string();
    EXPECT_NE(own.find("event-refused"), std::string_view::npos);
    EXPECT_NE(own.find("idempotency-key-reused"), std::string_view::npos);
}

TEST_F(OpenApiTest, SaysWhichHeadersAreTaken) {
    EXPECT_TRUE(takes(operation("/v1/events", "post"), "IdempotencyKey"));
    EXPECT_TRUE(takes(operation("/v1/things/{thingId}", "get"), "IfNoneMatch"));
    EXPECT_TRUE(takes(operation("/v1/things/{thingId}", "delete"), "IfMatchRequired"));
    EXPECT_TRUE(takes(operation("/v1/things", "get"), "Cursor"));
    EXPECT_TRUE(takes(operation("/v1/things", "get"), "Limit"));
    EXPECT_FALSE(operation("/health", "get").contains("parameters"));
}

TEST_F(OpenApiTest, DescribesTheQueryAndTheSort) {
    auto const& parameters = operation("/v1/things", "get").at("parameters").as_array();
    EXPECT_EQ(parameters.at(0).at("name").as_string(), "number");
    EXPECT_EQ(parameters.at(0).at("schema").at("maximum").as_int64(), 9);
    EXPECT_EQ(dom::serialize(parameters.at(3).at("schema").at("enum")), R"(["-age","name"])");
}

TEST_F(OpenApiTest, MarksWhatGoesAway) {
    EXPECT_TRUE(operation("/v1/things/{thingId}", "get").at("deprecated").as_bool());
    EXPECT_FALSE(operation("/v1/events", "post").contains("deprecated"));
}

TEST_F(OpenApiTest, PointsAtNothingThatIsNotThere) {
    auto const text = dom::serialize(document);
    std::string_view const prefix = "\"$ref\":\"#/components/";
    std::size_t found = 0;
    for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at + 1)) {
        auto const target =
            std::string_view(text).substr(at + prefix.size(), text.find('"', at + prefix.size()) - at - prefix.size());
        auto const slash = target.find('/');
        auto const& section = document.at("components").at(target.substr(0, slash)).as_object();
        EXPECT_TRUE(section.contains(target.substr(slash + 1))) << target;
        ++found;
    }
    EXPECT_GT(found, 20u);
}

TEST(OpenApi, RefusesTablesThatContradictThemselves) {
    static constexpr Route twice[] = {{"GET", "/a", open, handle<crash>, "A", events, returns_nothing()},
                                      {"GET", "/b", open, handle<crash>, "B", events, returns_nothing()}};
    static constexpr Route tags[] = {{"GET", "/a", open, handle<crash>, "A", tag("T", "One."), returns_nothing()},
                                     {"GET", "/b", open, handle<get_thing>, "B", tag("T", "Two."), returns_nothing()}};
    static constexpr Route example[] = {
        {"POST", "/a", open, handle<get_thing>, "A", events, body<NewEvent>.example("{"), returns_nothing()}};
    for (std::span<Route const> const table :
         {std::span<Route const>(twice), std::span<Route const>(tags), std::span<Route const>(example)}) {
        std::span<Route const> const tables[] = {table};
        EXPECT_THROW(openapi_document(tables, "1"), std::logic_error);
    }
}

}  // namespace
}  // namespace buildplan::api::testing
