#include "core/json/parse.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/problem.hpp"

namespace buildplan::json {
namespace {

std::string refusal(std::string_view text, Limits const& limits = {}) {
    try {
        (void)parse(text, limits);
    } catch (Problem const& problem) {
        EXPECT_EQ(problem.status, 400);
        EXPECT_EQ(problem.code, "malformed");
        EXPECT_TRUE(problem.errors.empty());
        return problem.detail;
    }
    return "accepted";
}

testing::AssertionResult says(std::string_view text, std::string_view what) {
    auto const detail = refusal(text);
    if (detail.find(what) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << detail;
}

TEST(JsonParse, RefusesWhatRfc8259Refuses) {
    for (auto const* text : {"",
                             " ",
                             "{",
                             "[1,]",
                             "{\"a\":1,}",
                             "{a:1}",
                             "{'a':1}",
                             "[1 2]",
                             "nul",
                             "True",
                             "NaN",
                             "Infinity",
                             "-",
                             "+1",
                             "01",
                             "1.",
                             ".5",
                             "1e",
                             "1e+",
                             "0x10",
                             "\"",
                             "\"\\x\"",
                             "\"\\u12\"",
                             "\"a\nb\"",
                             "\"\t\"",
                             "// c\n1",
                             "/* c */1",
                             "[1]]",
                             "1 1",
                             "{} x",
                             "\xef\xbb\xbf{}",
                             "{\"a\"}",
                             "{\"a\":}",
                             "{1:2}",
                             "[",
                             "]",
                             ",",
                             "\"\\",
                             "--1",
                             "1..2",
                             "[1,,2]"}) {
        EXPECT_NE(refusal(text), "accepted") << text;
    }
    EXPECT_NE(refusal(std::string_view("\"a\0b\"", 5)), "accepted");
    EXPECT_NE(refusal(std::string_view("1\0", 2)), "accepted");
}

TEST(JsonParse, SaysWhereAndWhat) {
    EXPECT_TRUE(says("{\n  \"a\": 1,\n  \"\xc3\xa9\": x\n}", "line 3, column 8: not expected here"));
    EXPECT_TRUE(says("[1, 2", "it ends too early"));
    EXPECT_TRUE(says("[1] 2", "line 1, column 5: something follows the value"));
}

TEST(JsonParse, RefusesLoneSurrogates) {
    for (auto const* text :
         {R"("\ud800")", R"("\ud800x")", R"("\udc00")", R"("\ud800\ud800")", R"("\ud800\u0041")", R"({"\udfff":1})"}) {
        EXPECT_NE(refusal(text), "accepted") << text;
    }
    EXPECT_EQ(parse(R"("\ud83d\ude00")"), "\xf0\x9f\x98\x80");
}

TEST(JsonParse, RefusesInvalidUtf8) {
    for (auto const* bytes : {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\xe2\x82"}) {
        EXPECT_NE(refusal("\"" + std::string(bytes) + "\""), "accepted");
        EXPECT_NE(refusal("{\"" + std::string(bytes) + "\":1}"), "accepted");
    }
}

TEST(JsonParse, RefusesKeysThatComeTwice) {
    EXPECT_TRUE(says(R"({"a":1,"b":2,"a":3})", "has the key \"a\" twice"));
    EXPECT_TRUE(says(R"([{"x":{"k":1,"\u006b":2}}])", "has the key \"k\" twice"));  // the same key, written otherwise
    EXPECT_TRUE(says(R"({"a":{"b":1},"c":{"b":1},"a":1})", "has the key \"a\" twice"));
    EXPECT_EQ(refusal(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]})"), "accepted");
    std::string many = "{\"key0\":0";
    for (int i = 1; i < 2000; ++i) many += ",\"key" + std::to_string(i) + "\":0";
    EXPECT_EQ(refusal(many + "}"), "accepted");
    EXPECT_TRUE(says(many + ",\"key77\":0}", "has the key \"key77\" twice"));
}

TEST(JsonParse, BoundsDepthValuesAndKeys) {
    auto const nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    EXPECT_EQ(refusal(nested(32)), "accepted");
    EXPECT_TRUE(says(nested(33), "nested more than 32 levels deep"));
    EXPECT_TRUE(says(std::string(1'000'000, '['), "nested more than 32 levels deep"));
    std::string objects;
    for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
    EXPECT_TRUE(says(objects, "nested more than 32 levels deep"));

    std::string list = "[0";
    for (int i = 0; i < 98; ++i) list += ",0";
    Limits const limits{.depth = 32, .values = 100, .errors = 32};
    EXPECT_EQ(refusal(list + "]", limits), "accepted");  // 99 and the array
    EXPECT_NE(refusal(list + ",0]", limits).find("too many values"), std::string::npos);

    EXPECT_EQ(refusal("{\"" + std::string(1024, 'k') + "\":1}"), "accepted");
    EXPECT_TRUE(says("{\"" + std::string(1025, 'k') + "\":1}", "a key of more than 1024 bytes"));
}

TEST(JsonParse, ReadsNumbersExactly) {
    EXPECT_EQ(parse("9223372036854775807").get_int64(), INT64_MAX);
    EXPECT_EQ(parse("-9223372036854775808").get_int64(), INT64_MIN);
    EXPECT_EQ(parse("18446744073709551615").get_uint64(), UINT64_MAX);
    EXPECT_EQ(parse("18446744073709551616").get_double(), 18446744073709551616.0);
    EXPECT_TRUE(std::isinf(parse("1e400").get_double()));
    EXPECT_TRUE(std::isinf(parse("-1e400").get_double()));
    EXPECT_EQ(parse("1e-400").get_double(), 0.0);
    EXPECT_TRUE(std::signbit(parse("-0").get_double()));
    EXPECT_TRUE(std::signbit(parse("-0.0").get_double()));
    // Rounded to the nearest double, in the fast path of the parser and outside of it.
    for (auto const* text :
         {"0.1", "2.2250738585072011e-308", "1.7976931348623157e308", "5e-324", "123456789012345678901234567890.5",
          "9007199254740993.0", "0.30000000000000004", "8.41e21", "1.0000000000000002", "6.02214076e23",
          "                  3.14159265358979323846264338327950288                  "}) {
        EXPECT_EQ(parse(text).get_double(), std::strtod(text, nullptr)) << text;
    }
}

}  // namespace
}  // namespace buildplan::json
