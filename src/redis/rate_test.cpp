#include "redis/rate.hpp"

#include <gtest/gtest.h>

#include "redis/test_loop.hpp"

namespace buildplan::redis {
namespace {

using test_support::start_redis;

TEST(RateWindow, IsTheContractsKeyForTheHour) {
    auto const noon = *parse_rfc3339("2026-11-23T12:20:00Z");
    auto const window = RateWindow::at(noon, "ORG", "requests.create");
    EXPECT_EQ(window.key, "rate:ORG:requests.create:498732");
    EXPECT_EQ(window.resets_in, 2400s);
    EXPECT_EQ(RateWindow::at(noon + 2400s, "ORG", "requests.create").key, "rate:ORG:requests.create:498733");
    EXPECT_EQ(RateWindow::at(noon + 59s, "ORG", "x", 60s).resets_in, 1s);
}

task<> counting(Loop& loop, test_support::RedisServer& server) {
    auto const client = co_await connect(loop, server.url());
    RateCounter counter(*client, 4);
    auto const window = RateWindow::at(now(), "o", "e");
    for (int i = 1; i <= 3; ++i) {
        auto const count = co_await counter.count(window);
        EXPECT_EQ(count.calls, i);
        EXPECT_FALSE(count.local);
    }
    auto const ttl = co_await client->command("TTL", window.key);
    EXPECT_GT(ttl.as_integer(), 3590);

    co_await client->command("SET", "session", "s");
    std::vector<Value> replies;
    std::vector<Command> others{Command("GET", "session")};
    auto const fourth = co_await counter.count(window, std::move(others), replies);
    EXPECT_EQ(fourth.calls, 4);
    EXPECT_EQ(replies.size(), 1u);
    EXPECT_EQ(replies.at(0).as_text(), "s");

    auto const other = RateWindow::at(now(), "o", "other");
    std::vector<RateWindow> const both{window, other};
    auto const counts = co_await counter.count(both);
    EXPECT_EQ(counts.at(0).calls, 5);
    EXPECT_EQ(counts.at(1).calls, 1);
    counter.take_back(window);
    auto const next = co_await counter.count(both);
    EXPECT_EQ(next.at(0).calls, 5);
    EXPECT_EQ(next.at(1).calls, 2);
    counter.take_back(window);
    EXPECT_EQ((co_await client->command("GET", window.key)).as_text(), "4");

    server.kill9();
    co_await wait_until([&] { return !client->available(); }, "a dead server is available");
    auto const here = co_await counter.count(window);
    EXPECT_TRUE(here.local);
    EXPECT_EQ(here.calls, 8) << "what Redis said last, and one for each of the four that count";
    auto const again = co_await counter.count(window);
    EXPECT_EQ(again.calls, 12);
    auto const both_here = co_await counter.count(both);
    EXPECT_TRUE(both_here.at(1).local);
    EXPECT_EQ(both_here.at(0).calls, 16);
    EXPECT_EQ(both_here.at(1).calls, 6);
    server.restart();
    EXPECT_TRUE(co_await client->connected(5s));
    auto const back = co_await counter.count(window);
    EXPECT_FALSE(back.local);
    co_await client->close();
}

TEST(RateCounter, CountsInRedisAndHereWhenItIsGone) {
    auto const server = start_redis();
    run([&](Loop& loop) { return counting(loop, *server); });
}

}  // namespace
}  // namespace buildplan::redis
