#include "core/json/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace buildplan::json::utf8 {
namespace {

TEST(JsonUtf8, CountsCodePointsAcrossTheFastPath) {
    EXPECT_EQ(code_points(""), 0u);
    EXPECT_EQ(code_points("plain text of more than eight"), 29u);
    EXPECT_EQ(code_points("12345678\xc3\xa9"
                          "12345678\xe2\x82\xac\xf0\x9f\x98\x80"),
              19u);
    EXPECT_EQ(code_points(std::string_view("a\0b", 3)), 3u);
}

TEST(JsonUtf8, TakesTheEndsOfEveryRange) {
    for (auto const* text : {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                             "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_EQ(code_points(text), 1u) << text;
    }
}

TEST(JsonUtf8, RefusesWhatIsNotWellFormed) {
    for (auto const* text :
         {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
          "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe", "\xf0\x9f\x98"}) {
        EXPECT_EQ(code_points(text), std::nullopt);
        EXPECT_EQ(code_points("12345678" + std::string(text) + "12345678"), std::nullopt);
    }
}

TEST(JsonUtf8, StepsOverMaximalSubparts) {
    auto const length = [](std::string_view text) { return step(text.data(), text.data() + text.size()).length; };
    EXPECT_EQ(length("\xf0\x9f\x98!"), 3u);  // one replacement for what began well
    EXPECT_EQ(length("\xe2\x82"), 2u);
    EXPECT_EQ(length("\xed\xa0\x80"), 1u);  // a surrogate: none of its bytes belong together
    EXPECT_EQ(length("\xc0\x80"), 1u);
}

}  // namespace
}  // namespace buildplan::json::utf8
