#include "core/time.hpp"

#include <gtest/gtest.h>

namespace buildplan {
namespace {

std::string again(std::string_view text) {
    auto const time = parse_rfc3339(text);
    return time ? to_rfc3339(*time) : "refused";
}

TEST(Rfc3339, ReadsOffsetsAndFractions) {
    EXPECT_EQ(again("2026-11-23T17:20:46.123Z"), "2026-11-23T17:20:46.123Z");
    EXPECT_EQ(again("2026-11-23t17:20:46z"), "2026-11-23T17:20:46.000Z");
    EXPECT_EQ(again("2026-11-23T17:20:46.9876543+01:30"), "2026-11-23T15:50:46.987Z");
    EXPECT_EQ(again("2024-02-29T23:59:60-00:00"), "2024-03-01T00:00:00.000Z");
    EXPECT_EQ(again("1969-12-31T23:59:59.999Z"), "1969-12-31T23:59:59.999Z");
    EXPECT_EQ(again("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00.000Z");
}

TEST(Rfc3339, KeepsMicroseconds) {
    auto const time = parse_rfc3339("2026-01-01T00:00:00.000001Z");
    ASSERT_TRUE(time);
    EXPECT_EQ(time->time_since_epoch().count() % 1'000'000, 1);
}

TEST(Rfc3339, RefusesWhatIsNot) {
    for (auto const text :
         {"", "2026-11-23", "2026-11-23T17:20Z", "2026-11-23T17:20:46", "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z",
          "2026-13-01T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T00:60:00Z", "2026-11-23T00:00:61Z",
          "2026-11-23 17:20:46Z", "2026-11-23T17:20:46.Z", "2026-11-23T17:20:46+0100", "2026-11-23T17:20:46Zx",
          "0000-01-01T00:00:00Z", "2026-11-23T17:20:46.1234567890Z", "+2026-11-23T00:00:00Z"}) {
        EXPECT_EQ(again(text), "refused") << text;
    }
}

}  // namespace
}  // namespace buildplan
