#include "redis/subscriber.hpp"

#include <gtest/gtest.h>

#include "redis/test_loop.hpp"

namespace buildplan::redis {
namespace {

using test_support::redis;
using test_support::start_redis;

struct Heard {
    std::vector<std::string> messages;
    Subscriber::Handler keep() {
        return [this](std::string_view channel, std::string_view message) {
            messages.push_back(std::string(channel) + "=" + std::string(message));
        };
    }
};

task<> two_listeners(Loop& loop, bool resp3) {
    auto options = Options::parse(redis().url());
    options.resp3 = resp3;
    Subscriber here(loop, options), there(loop, options);
    auto const client = co_await connect(loop, redis().url());
    Heard a, b, pattern;
    auto first = here.subscribe("news", a.keep());
    auto const second = there.subscribe("news", b.keep());
    auto const third = there.psubscribe("n?ws*", pattern.keep());
    EXPECT_TRUE(co_await here.wait_live(5s));
    EXPECT_TRUE(co_await there.wait_live(5s));
    EXPECT_EQ(co_await outcome(*client, "PUBLISH", "news", "1"), "3");
    co_await wait_until([&] { return a.messages.size() + b.messages.size() + pattern.messages.size() == 3; },
                        "no message");
    EXPECT_EQ(a.messages, std::vector<std::string>{"news=1"});
    EXPECT_EQ(b.messages, std::vector<std::string>{"news=1"});
    EXPECT_EQ(pattern.messages, std::vector<std::string>{"news=1"});
    first.end();
    std::string receivers;
    for (int i = 0; i < 1000 && receivers != "2"; ++i) receivers = co_await outcome(*client, "PUBLISH", "news", "2");
    EXPECT_EQ(receivers, "2");
    EXPECT_EQ(a.messages.size(), 1u);
    co_await client->close();
}

TEST(Subscriber, EveryListenerHearsAMessageUntilItEnds) {
    run([](Loop& loop) { return two_listeners(loop, false); });
}
TEST(Subscriber, HearsPushesOfResp3Too) {
    run([](Loop& loop) { return two_listeners(loop, true); });
}

task<> from_within(Loop& loop) {
    Subscriber subscriber(loop, Options::parse(redis().url()));
    auto const client = co_await connect(loop, redis().url());
    Heard later;
    Subscriber::Subscription once, next;
    int calls = 0;
    once = subscriber.subscribe("within", [&](std::string_view, std::string_view) {
        ++calls;
        once.end();
        next = subscriber.subscribe("within", later.keep());
    });
    EXPECT_TRUE(co_await subscriber.wait_live(5s));
    co_await client->command("PUBLISH", "within", "a");
    co_await wait_until([&] { return calls == 1; }, "no message");
    EXPECT_TRUE(co_await subscriber.wait_live(5s));
    co_await client->command("PUBLISH", "within", "b");
    co_await wait_until([&] { return !later.messages.empty(); }, "no message");
    EXPECT_EQ(calls, 1);
    co_await client->close();
}

TEST(Subscriber, AHandlerMayEndItselfAndSubscribe) { run(from_within); }

task<> reconnects(Loop& loop, test_support::RedisServer& server) {
    Subscriber subscriber(loop, Options::parse(server.url()));
    Heard heard;
    std::vector<bool> changes;
    auto const watch = subscriber.watch([&](bool live) { changes.push_back(live); });
    auto const subscription = subscriber.subscribe("c", heard.keep());
    EXPECT_TRUE(co_await subscriber.wait_live(5s));
    server.kill9();
    co_await wait_until([&] { return !subscriber.live(); }, "a dead connection counts as live");
    server.restart();
    EXPECT_TRUE(co_await subscriber.wait_live(5s));
    EXPECT_EQ(changes, (std::vector{true, false, true})) << "whoever keeps copies knows that messages were missed";
    auto const client = co_await connect(loop, server.url());
    co_await client->command("PUBLISH", "c", "after");
    co_await wait_until([&] { return !heard.messages.empty(); }, "not subscribed again");
    co_await client->close();
}

TEST(Subscriber, SubscribesAgainAndTellsThatMessagesWereMissed) {
    auto const server = start_redis();
    run([&](Loop& loop) { return reconnects(loop, *server); });
}

task<> hangs(Loop& loop, test_support::RedisServer& server) {
    auto options = Options::parse(server.url());
    options.timeout = 50ms;
    options.connect_timeout = 100ms;
    Subscriber subscriber(loop, options);
    EXPECT_TRUE(co_await subscriber.wait_live(5s));
    server.pause();
    co_await wait_until([&] { return !subscriber.live(); }, "a server that hangs counts as live");
    server.resume();
    EXPECT_TRUE(co_await subscriber.wait_live(5s));
}

TEST(Subscriber, NoticesAServerThatHangs) {
    auto const server = start_redis();
    run([&](Loop& loop) { return hangs(loop, *server); });
}

}  // namespace
}  // namespace buildplan::redis
