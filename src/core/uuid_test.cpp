#include "core/uuid.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

#include "core/id.hpp"

namespace buildplan {
namespace {

TEST(Uuid, NewOnesAreVersion7AndGrow) {
    auto last = Uuid::v7();
    for (int i = 0; i < 20'000; ++i) {
        auto const next = Uuid::v7();
        ASSERT_LT(last, next);
        EXPECT_EQ(next.bytes[6] >> 4, 7);
        EXPECT_EQ(next.bytes[8] >> 6, 2);
        last = next;
    }
}

TEST(Uuid, NewOnesCarryTheTime) {
    auto const id = Uuid::v7();
    std::uint64_t ms = 0;
    for (int i = 0; i < 6; ++i) ms = ms << 8 | id.bytes[static_cast<std::size_t>(i)];
    auto const now =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    EXPECT_NEAR(static_cast<double>(ms), static_cast<double>(now), 2000);
}

TEST(Uuid, ThreadsNeverMakeTheSame) {
    std::vector<std::vector<Uuid>> made(4);
    {
        std::vector<std::jthread> threads;
        for (auto& mine : made) {
            threads.emplace_back([&mine] {
                for (int i = 0; i < 5000; ++i) mine.push_back(Uuid::v7());
            });
        }
    }
    std::set<Uuid> all;
    for (auto const& mine : made) all.insert(mine.begin(), mine.end());
    EXPECT_EQ(all.size(), 20'000u);
}

TEST(Uuid, ReadsItsOwnTextInEitherCase) {
    auto const id = Uuid::parse("0190D3A1-7b2c-7def-8123-456789abcdef");
    ASSERT_TRUE(id);
    EXPECT_EQ(id->to_string(), "0190d3a1-7b2c-7def-8123-456789abcdef");
    EXPECT_EQ(Uuid::parse(id->to_string()), id);
}

TEST(Uuid, RefusesAnythingElse) {
    for (auto const text : {"", "0190d3a1", "0190d3a17b2c7def8123456789abcdef0000",
                            "0190d3a1-7b2c-7def-8123-456789abcdeg", "{0190d3a1-7b2c-7def-8123-456789abcdef}",
                            "0190d3a1-7b2c-7def-8123-456789abcdef ", "0190d3a1_7b2c_7def_8123_456789abcdef"}) {
        EXPECT_FALSE(Uuid::parse(text)) << text;
    }
}

}  // namespace
}  // namespace buildplan
