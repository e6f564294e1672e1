#include "core/json/decode.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/problem.hpp"
#include "tests/support/json_example.hpp"

namespace buildplan::json {
namespace {

using example::Everything;

// "pointer code" of each field error, in their order.
template <class T>
std::vector<std::string> errors_of(std::string_view text, Limits const& limits = {}) {
    std::vector<std::string> found;
    try {
        (void)decode<T>(text, limits);
    } catch (Problem const& problem) {
        EXPECT_EQ(problem.status, 422) << problem.detail;
        EXPECT_EQ(problem.code, "invalid");
        for (auto const& error : problem.errors) {
            EXPECT_FALSE(error.detail.empty());
            found.push_back(fmt::format("{} {}", error.pointer, error.code));
        }
    }
    return found;
}

using Errors = std::vector<std::string>;

// minimal() with the value of one member replaced, or the member added.
std::string with(std::string_view name, std::string_view value) {
    auto document = boost::json::parse(example::minimal()).as_object();
    document.erase(name);
    auto text = boost::json::serialize(document);
    text.pop_back();
    return fmt::format("{},\"{}\":{}}}", text, name, value);
}

Errors errors_with(std::string_view name, std::string_view value) { return errors_of<Everything>(with(name, value)); }

TEST(JsonDecode, FillsEveryMember) {
    auto const got = decode<Everything>(
        R"({"isActive":true,"small":-1000,"wide":-9223372036854775808,"huge":18446744073709551615,"ratio":1e-3,)"
        R"("name":"Zo\u00eb","nickName":"z","room":7,"tier":"FREE","state":"delete",)"
        R"("id":"0190A5B2-7C3D-7E4F-8A6B-1C2D3E4F5A6B","organizationId":"0190a5b2-7c3d-7e4f-8a6b-1c2d3e4f5a6c",)"
        R"("createdAt":"2026-11-23T17:20:46.123+01:00","address":{"street":"s","zipCode":"1234"},)"
        R"("otherAddresses":[{"street":"t"}],"tags":["a","b"],"counts":{"x":1,"y":-2},)"
        R"("tree":{"name":"r","children":[{"name":"l"}]},"extra":[1,"two",{"three":null}],"settings":{"k":true},)"
        R"("title":"T"})");
    Everything want;
    want.is_active = true;
    want.small = -1000;
    want.wide = INT64_MIN;
    want.huge = UINT64_MAX;
    want.ratio = 0.001;
    want.name = "Zo\xc3\xab";
    want.nick_name = "z";
    want.room = 7;
    want.tier = example::Tier::free;
    want.state = example::State::delete_;
    want.id = *Uuid::parse("0190a5b2-7c3d-7e4f-8a6b-1c2d3e4f5a6b");
    want.organization_id = *OrganizationId::parse("0190a5b2-7c3d-7e4f-8a6b-1c2d3e4f5a6c");
    want.created_at = *parse_rfc3339("2026-11-23T16:20:46.123Z");
    want.address = {"s", "1234"};
    want.other_addresses = {{"t", {}}};
    want.tags = {"a", "b"};
    want.counts = {{"x", 1}, {"y", -2}};
    want.tree = {"r", {{"l", {}}}};
    want.extra = boost::json::parse(R"([1,"two",{"three":null}])");
    want.settings = {{"k", true}};
    want.title = std::string{"T"};
    EXPECT_EQ(got, want);
}

TEST(JsonDecode, LeavesOptionalAndDefaultedMembersAlone) {
    auto const got = decode<Everything>(example::minimal());
    EXPECT_EQ(got.nick_name, std::nullopt);
    EXPECT_EQ(got.tier, example::Tier::pro);
    EXPECT_TRUE(got.title.is_absent());
    EXPECT_TRUE(got.tree.children.empty());
    EXPECT_EQ(decode<Everything>(with("nickName", "null")).nick_name, std::nullopt);
}

TEST(JsonDecode, ReportsEverythingAtOnce) {
    auto const got = errors_of<Everything>(
        R"({"isActive":1,"small":1001,"wide":1.5,"huge":-1,"ratio":-1,"name":"","nickName":"123456789012345678901",)"
        R"("room":0,"tier":"pro","state":"inReview","id":"x","organizationId":null,"createdAt":"yesterday",)"
        R"("address":{"zipCode":"123","street":"s"},"otherAddresses":[{"street":"t"},{}],"tags":["a","","c"],)"
        R"("counts":{"a/b":"x"},"tree":{"name":"r","children":[{"name":"l","children":[{"nam":"e"}]}]},)"
        R"("settings":[],"what~ever":1})");
    Errors const want{
        "/isActive type",
        "/small too-large",
        "/wide type",
        "/huge too-small",
        "/ratio too-small",
        "/name too-short",
        "/nickName too-long",
        "/room too-small",
        "/tier not-allowed",
        "/state not-allowed",
        "/id format",
        "/organizationId null",
        "/createdAt format",
        "/address/zipCode too-short",
        "/otherAddresses/1/street required",
        "/tags/1 too-short",
        "/counts/a~1b type",
        "/tree/children/0/children/0/nam unknown-field",
        "/tree/children/0/children/0/name required",
        "/settings type",
        "/what~0ever unknown-field",
        "/extra required",
    };
    EXPECT_EQ(got, want);
}

TEST(JsonDecode, StopsAtTheBoundOfErrors) {
    std::string many = "{\"x0\":0";
    for (int i = 1; i < 500; ++i) many += fmt::format(",\"x{}\":0", i);
    EXPECT_EQ(errors_of<example::Address>(many + "}").size(), 32u);
    EXPECT_EQ(errors_of<example::Address>(many + "}", {.depth = 32, .values = 1000, .errors = 3}).size(), 3u);
}

TEST(JsonDecode, SaysWhatWouldFit) {
    try {
        (void)decode<Everything>(with("state", "\"nope\""));
        FAIL();
    } catch (Problem const& problem) {
        ASSERT_EQ(problem.errors.size(), 1u);
        EXPECT_EQ(problem.errors[0].detail, "Must be one of: draft, in_review, delete.");
    }
}

TEST(JsonDecode, TellsTheTypeOfEachKind) {
    for (auto const* name : {"isActive", "small", "wide", "ratio", "name", "state", "id", "createdAt", "address",
                             "otherAddresses", "tags", "counts", "tree", "settings"}) {
        EXPECT_EQ(errors_with(name, "null"), Errors{fmt::format("/{} null", name)});
        bool const wants_list = name == std::string_view{"otherAddresses"} || name == std::string_view{"tags"};
        EXPECT_EQ(errors_with(name, wants_list ? "{}" : "[]"), Errors{fmt::format("/{} type", name)});
    }
    EXPECT_EQ(errors_of<Everything>("[]"), Errors{" type"});
    EXPECT_EQ(errors_of<Everything>("null"), Errors{" null"});
}

TEST(JsonDecode, ChecksIntegersAtTheirEnds) {
    EXPECT_EQ(decode<std::int64_t>("9223372036854775807"), INT64_MAX);
    EXPECT_EQ(decode<std::int64_t>("-9223372036854775808"), INT64_MIN);
    EXPECT_EQ(errors_of<std::int64_t>("9223372036854775808"), Errors{" too-large"});
    EXPECT_EQ(errors_of<std::int64_t>("-9223372036854775809"), Errors{" too-small"});
    EXPECT_EQ(errors_of<std::int64_t>("1e400"), Errors{" too-large"});
    EXPECT_EQ(errors_of<std::int64_t>("-1e400"), Errors{" too-small"});
    EXPECT_EQ(decode<std::uint64_t>("18446744073709551615"), UINT64_MAX);
    EXPECT_EQ(errors_of<std::uint64_t>("18446744073709551616"), Errors{" too-large"});
    EXPECT_EQ(errors_of<std::uint64_t>("-1"), Errors{" too-small"});
    EXPECT_EQ(decode<std::int32_t>("2147483647"), INT32_MAX);
    EXPECT_EQ(decode<std::int32_t>("-2147483648"), INT32_MIN);
    EXPECT_EQ(errors_of<std::int32_t>("2147483648"), Errors{" too-large"});
    EXPECT_EQ(errors_of<std::int32_t>("-2147483649"), Errors{" too-small"});
    EXPECT_EQ(errors_of<std::int32_t>("18446744073709551615"), Errors{" too-large"});
    EXPECT_EQ(decode<std::uint8_t>("255"), 255);
    EXPECT_EQ(errors_of<std::uint8_t>("256"), Errors{" too-large"});
    EXPECT_EQ(decode<std::int16_t>("-32768"), INT16_MIN);
    EXPECT_EQ(errors_of<std::int16_t>("-32769"), Errors{" too-small"});
}

TEST(JsonDecode, CountsWholeNumbersWithFractionsAsIntegers) {
    EXPECT_EQ(decode<std::int32_t>("-0"), 0);
    EXPECT_EQ(decode<std::int32_t>("1.0"), 1);
    EXPECT_EQ(decode<std::int32_t>("12e1"), 120);
    EXPECT_EQ(decode<std::int64_t>("9007199254740992.0"), 9007199254740992);
    EXPECT_EQ(errors_of<std::int64_t>("9007199254740994.0"), Errors{" type"});  // its neighbours read the same
    EXPECT_EQ(errors_of<std::int32_t>("1e10"), Errors{" too-large"});
    EXPECT_EQ(errors_of<std::int32_t>("0.5"), Errors{" type"});
    EXPECT_EQ(errors_of<std::int32_t>("\"1\""), Errors{" type"});
}

TEST(JsonDecode, TakesFiniteDoublesOnly) {
    EXPECT_EQ(decode<double>("0.1"), 0.1);
    EXPECT_EQ(decode<double>("3"), 3.0);
    EXPECT_TRUE(std::signbit(decode<double>("-0")));
    EXPECT_EQ(errors_of<double>("1e400"), Errors{" too-large"});
    EXPECT_EQ(errors_of<double>("-1e400"), Errors{" too-small"});
    EXPECT_EQ(errors_with("ratio", "1e301"), Errors{"/ratio too-large"});
}

TEST(JsonDecode, CountsCodePointsNotBytes) {
    std::string name;
    for (int i = 0; i < 100; ++i) name += "\xf0\x9f\x98\x80";
    EXPECT_EQ(errors_with("name", "\"" + name + "\""), Errors{});
    EXPECT_EQ(errors_with("name", "\"" + name + "x\""), Errors{"/name too-long"});
}

TEST(JsonDecode, RefusesNulWhichPostgresCannotStore) {
    EXPECT_EQ(errors_with("name", R"("a\u0000b")"), Errors{"/name format"});
    EXPECT_EQ(errors_with("extra", R"({"k":["a\u0000"]})"), Errors{"/extra format"});
    EXPECT_EQ(errors_with("extra", R"({"\u0000":1})"), Errors{"/extra format"});
    EXPECT_EQ(errors_with("counts", R"({"\u0000":1})"), Errors{std::string("/counts/\0 format", 16)});
}

TEST(JsonDecode, BoundsWhatHasNoRule) {
    EXPECT_EQ(errors_of<std::string>("\"" + std::string(10'001, 'x') + "\""), Errors{" too-long"});
    EXPECT_EQ(decode<std::string>("\"" + std::string(10'000, 'x') + "\"").size(), 10'000u);
    std::string list = "[1";
    for (int i = 1; i < 1000; ++i) list += ",1";
    EXPECT_EQ(decode<std::vector<int>>(list + "]").size(), 1000u);
    EXPECT_EQ(errors_of<std::vector<int>>(list + ",1]"), Errors{" too-many"});
    EXPECT_EQ((errors_of<std::map<std::string, int>>("{\"" + std::string(201, 'k') + "\":1}")),
              Errors{"/" + std::string(201, 'k') + " too-long"});
}

TEST(JsonDecode, BoundsItems) {
    EXPECT_EQ(errors_with("tags", R"(["a","b","c","d","e","f"])"), Errors{"/tags too-many"});
    EXPECT_EQ(errors_with("counts", R"({"a":1,"b":1,"c":1,"d":1,"e":1})"), Errors{"/counts too-many"});
}

TEST(JsonDecode, BoundsFreeJson) {
    EXPECT_EQ(errors_with("settings", "{\"a\":\"" + std::string(1000, 'x') + "\"}"), Errors{"/settings too-long"});
    EXPECT_EQ(errors_with("settings", "{\"a\":\"" + std::string(900, 'x') + "\"}"), Errors{});
    EXPECT_EQ(errors_with("extra", "[1e400]"), Errors{"/extra too-large"});
    EXPECT_EQ(errors_with("extra", "\"" + std::string(65'536, 'x') + "\""), Errors{"/extra too-long"});
}

TEST(JsonDecode, FreeJsonOutlivesTheText) {
    std::optional<Everything> kept;
    {
        auto const text = with("extra", R"({"a":["some text that is longer than any small buffer"]})");
        kept = decode<Everything>(text);
    }
    EXPECT_EQ(kept->extra.at("a").at(0), "some text that is longer than any small buffer");
}

TEST(JsonDecode, KeepsTimesWithinTheYearsThatCanBeWritten) {
    EXPECT_EQ(errors_with("createdAt", R"("0001-01-01T00:00:00+00:01")"), Errors{"/createdAt format"});
    EXPECT_EQ(errors_with("createdAt", R"("9999-12-31T23:59:59.9-00:01")"), Errors{"/createdAt format"});
    EXPECT_EQ(errors_with("createdAt", R"("9999-12-31T23:59:59.999999Z")"), Errors{});
}

TEST(JsonDecode, WritesPointersUnderThePrefix) {
    auto const value = boost::json::parse(R"({"street":1})");
    try {
        (void)decode<example::Address>(value, "/items/3");
        FAIL();
    } catch (Problem const& problem) {
        ASSERT_EQ(problem.errors.size(), 1u);
        EXPECT_EQ(problem.errors[0].pointer, "/items/3/street");
    }
}

TEST(JsonDecode, RefusesInvalidUtf8InAValueThatWasNotParsed) {
    boost::json::value const value{{"street", "\xff"}};
    EXPECT_THROW((void)decode<example::Address>(value), Problem);
}

}  // namespace
}  // namespace buildplan::json
