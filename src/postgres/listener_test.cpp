#include "postgres/listener.hpp"

#include <gtest/gtest.h>

#include "postgres/bell.hpp"
#include "postgres/test_pool.hpp"

namespace buildplan::postgres::testing {
namespace {

using namespace std::chrono_literals;

struct Heard {
    int times = 0;
    Listener listener;

    Heard(Ground& g, std::string channel, Options options = options_for(database().system()))
        : listener(g.loop, g.offload, std::move(options), std::move(channel), [this] { ++times; }) {
        listener.start();
    }
};

template <class Test>
void on_system(Test test) {
    on_ground([test](Ground& g) -> task<> {
        SystemPool system(g.loop, g.offload, options_for(database().system()));
        co_await test(g, system);
        co_await system.close();
    });
}

void break_listeners() {
    Session(database().admin())
        .execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'");
}

TEST(AListener, HearsTheBellOfAnotherProcess) {
    on_system([](Ground& g, SystemPool& system) -> task<> {
        Heard heard(g, "ring_1"), deaf(g, "ring_2");
        co_await until([&] { return heard.listener.live() && deaf.listener.live(); });
        auto const before = heard.times, before_deaf = deaf.times;
        Bell bell(g.loop, system, "ring_1");
        bell.ring();
        co_await until([&] { return heard.times > before; });
        co_await sleep_for(20ms);
        EXPECT_EQ(deaf.times, before_deaf);
        co_await bell.close();
    });
}

TEST(AListener, ComesBackAndTakesItThatSomethingWasRung) {
    on_system([](Ground& g, SystemPool& system) -> task<> {
        Heard heard(g, "ring_3");
        co_await until([&] { return heard.listener.live(); });
        EXPECT_EQ(heard.times, 1) << "what was rung before it listened";
        break_listeners();
        co_await until([&] { return heard.times >= 2 && heard.listener.live(); });
        Bell bell(g.loop, system, "ring_3");
        auto const before = heard.times;
        bell.ring();
        co_await until([&] { return heard.times > before; });
        co_await bell.close();
    });
}

TEST(AListener, TriesUntilThereIsAServer) {
    on_ground([](Ground& g) -> task<> {
        auto options = options_for("postgresql://nobody@127.0.0.1:1/nothing");
        Heard heard(g, "ring_4", options);
        co_await sleep_for(100ms);
        EXPECT_FALSE(heard.listener.live());
        heard.listener.stop();
    });
}

TEST(AListener, DoesNotConnectThroughAPooler) {
    on_ground([](Ground& g) -> task<> {
        auto options = options_for(database().system());
        options.named_statements = false;
        Heard heard(g, "ring_5", options);
        co_await sleep_for(100ms);
        EXPECT_FALSE(heard.listener.live());
    });
}

TEST(ABell, RingsOnceForAllThatCameAtTheSameTime) {
    on_system([](Ground& g, SystemPool& system) -> task<> {
        Heard heard(g, "ring_6");
        co_await until([&] { return heard.listener.live(); });
        auto const before = heard.times;
        Bell bell(g.loop, system, "ring_6");
        auto const began = std::chrono::steady_clock::now();
        for (int i = 0; i < 200; ++i) {
            bell.ring();
            co_await sleep_for(1ms);
        }
        co_await bell.close();
        auto const took = std::chrono::steady_clock::now() - began;
        co_await sleep_for(50ms);
        EXPECT_GT(heard.times, before);
        EXPECT_LE(heard.times - before, took / Bell::quiet + 2);
    });
}

TEST(ABell, WithoutADatabaseDisturbsNobody) {
    on_ground([](Ground& g) -> task<> {
        auto options = options_for("postgresql://nobody@127.0.0.1:1/nothing");
        options.wait = 20ms;
        SystemPool system(g.loop, g.offload, options);
        Bell bell(g.loop, system, "ring_7");
        bell.ring();
        bell.ring();
        co_await bell.close();
        bell.ring();  // after the end
        co_await system.close();
    });
}

}  // namespace
}  // namespace buildplan::postgres::testing
