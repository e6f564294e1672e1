#include "core/json/rules.hpp"

#include <gtest/gtest.h>

#include "core/json/json.hpp"
#include "core/problem.hpp"

namespace buildplan::json {
namespace {

struct Webhook {
    std::string event_type;
    std::optional<std::string> ref_;
    int retries_left_2 = 3;
};
BOOST_DESCRIBE_STRUCT(Webhook, (), (event_type, ref_, retries_left_2))
constexpr auto json_rules(Webhook const*) {
    return fields(field("event_type").named("X-Event"), field("ref_").not_null(), field("retries_left_2").defaulted())
        .ignore_unknown();
}

struct Foreign {
    std::string full_name;
};
BOOST_DESCRIBE_STRUCT(Foreign, (), (full_name))
constexpr auto json_rules(Foreign const*) { return fields().keep_names(); }

struct Base {
    Uuid id;
};
BOOST_DESCRIBE_STRUCT(Base, (), (id))
struct Derived : Base {
    bool is_new = false;
};
BOOST_DESCRIBE_STRUCT(Derived, (Base), (is_new))

struct Nothing {};
BOOST_DESCRIBE_STRUCT(Nothing, (), ())

template <class T>
struct Page {
    std::vector<T> items;
    std::optional<std::string> next_cursor;
    BOOST_DESCRIBE_CLASS(Page, (), (items, next_cursor), (), ())
};

struct Contact {
    Patch<std::string> email;
    Patch<std::string> name;
};
BOOST_DESCRIBE_STRUCT(Contact, (), (email, name))
constexpr auto json_rules(Contact const*) {
    return fields(field("email").email(), field("name").not_null().length(1, 9));
}

template <class T>
std::string first_error(std::string_view text) {
    try {
        (void)decode<T>(text);
    } catch (Problem const& problem) {
        return problem.errors.empty() ? problem.code : problem.errors[0].pointer + " " + problem.errors[0].code;
    }
    return "accepted";
}

TEST(JsonRules, NameMembersOnTheWire) {
    auto const hook = decode<Webhook>(R"({"X-Event":"push","ref":"main","retriesLeft2":1,"whatever":[1]})");
    EXPECT_EQ(hook.event_type, "push");
    EXPECT_EQ(hook.ref_, "main");
    EXPECT_EQ(hook.retries_left_2, 1);
    EXPECT_EQ(encode(hook), R"({"X-Event":"push","ref":"main","retriesLeft2":1})");
    EXPECT_EQ(encode(decode<Foreign>(R"({"full_name":"x"})")), R"({"full_name":"x"})");
}

TEST(JsonRules, MayRefuseNullForWhatMayBeLeftOut) {
    EXPECT_EQ(first_error<Webhook>(R"({"X-Event":"push","ref":null})"), "/ref null");
    EXPECT_EQ(first_error<Webhook>(R"({"X-Event":"push"})"), "accepted");
}

TEST(JsonRules, IncludeDescribedBases) {
    auto const got = decode<Derived>(R"({"isNew":true,"id":"0190a5b2-7c3d-7e4f-8a6b-1c2d3e4f5a6b"})");
    EXPECT_EQ(encode(got), R"({"id":"0190a5b2-7c3d-7e4f-8a6b-1c2d3e4f5a6b","isNew":true})");
}

TEST(JsonRules, TakeStructsWithoutMembersAndTemplates) {
    EXPECT_EQ(encode(decode<Nothing>("{}")), "{}");
    EXPECT_EQ(first_error<Nothing>(R"({"a":1})"), "/a unknown-field");
    EXPECT_EQ(encode(decode<Page<Foreign>>(R"({"items":[{"full_name":"x"}]})")), R"({"items":[{"full_name":"x"}]})");
}

TEST(JsonPatch, TellsAbsentFromNullFromValue) {
    auto const patch = decode<Contact>(R"({"email":null})");
    EXPECT_TRUE(patch.email.is_null());
    EXPECT_TRUE(patch.name.is_absent());
    EXPECT_EQ(encode(patch), R"({"email":null})");
    EXPECT_EQ(encode(decode<Contact>("{}")), "{}");
    EXPECT_EQ(decode<Contact>(R"({"name":"Ada"})").name.value(), "Ada");
    EXPECT_EQ(first_error<Contact>(R"({"name":null})"), "/name null");
    EXPECT_EQ(first_error<Contact>(R"({"name":""})"), "/name too-short");
    EXPECT_EQ(first_error<Contact>(R"({"email":"nobody"})"), "/email format");
}

TEST(JsonPatch, MergesIntoWhatIsThere) {
    std::optional<std::string> email = "a@example.com";
    std::string name = "Ada";
    auto const apply = [&](std::string_view text) {
        auto const patch = decode<Contact>(text);
        patch.email.apply_to(email);
        patch.name.apply_to(name);
    };
    apply("{}");
    EXPECT_EQ(email, "a@example.com");
    apply(R"({"email":"b@example.com","name":"Bea"})");
    EXPECT_EQ(email, "b@example.com");
    EXPECT_EQ(name, "Bea");
    apply(R"({"email":null})");
    EXPECT_EQ(email, std::nullopt);
}

// What describe_named.hpp asserts about every struct at compile time.
TEST(JsonRules, AreCheckedAgainstTheStruct) {
    constexpr std::array<std::string_view, 2> names{"name", "age"};
    EXPECT_TRUE(detail::name_members(fields(field("age"), field("name")).rules, names));
    EXPECT_FALSE(detail::name_members(fields(field("nmae")).rules, names));
    EXPECT_FALSE(detail::name_members(fields(field("age"), field("age")).rules, names));

    EXPECT_EQ(detail::misfit<std::optional<std::vector<std::string>>>(field("x").items(0, 1).length(1, 2).email()), "");
    EXPECT_EQ(detail::misfit<int>(field("x").range(1, 2)), "");
    EXPECT_EQ(detail::misfit<Patch<double>>(field("x").range(0.5, 1.5).not_null()), "");
    EXPECT_NE(detail::misfit<int>(field("x").length(1, 2)), "");
    EXPECT_NE(detail::misfit<int>(field("x").range(0.5, 1.5)), "");
    EXPECT_NE(detail::misfit<std::string>(field("x").range(1, 2)), "");
    EXPECT_NE(detail::misfit<std::string>(field("x").items(1, 2)), "");
    EXPECT_NE(detail::misfit<std::string>(field("x").bytes(1)), "");
    EXPECT_NE(detail::misfit<Uuid>(field("x").slug()), "");
    EXPECT_NE(detail::misfit<std::string>(field("x").not_null()), "");
}

}  // namespace
}  // namespace buildplan::json
