#include "redis/cache.hpp"

#include <gtest/gtest.h>

#include "redis/local_copies.hpp"
#include "redis/signal.hpp"
#include "redis/test_loop.hpp"

namespace buildplan::redis {
namespace {

using test_support::redis;
using test_support::start_redis;
using Answer = std::optional<std::string>;

// What stands for PostgreSQL: one value, how often it was read, and a gate to hold a reader in mid-read.
struct Source {
    explicit Source(Loop& loop) : changed(loop.executor()) {}
    Answer value = "one";
    int reads = 0, waiting = 0;
    bool held = false;
    Signal changed;

    void release() {
        held = false;
        changed.wake();
    }
};

// Reads first, then may be held: what it returns can be old by then.
task<Answer> read(Source& source) {
    ++source.reads;
    auto const value = source.value;
    ++source.waiting;
    while (source.held) co_await source.changed.wait(std::chrono::steady_clock::now() + 10s);
    --source.waiting;
    co_return value;
}

task<Answer> fail(Source& source) {
    co_await read(source);
    throw std::runtime_error("no");
}

// One instance: what a shard has.
struct Instance {
    Instance(Loop& loop, std::string const& url, Cache::Options options = {}, std::chrono::milliseconds local_ttl = 0ms)
        : client(Client::make(loop, Options::parse(url))),
          subscriber(loop, Options::parse(url)),
          cache(loop, *client, subscriber, options),
          family(cache.family({.name = "things", .local_ttl = local_ttl, .absent_ttl = 1min})) {}
    task<> ready() {
        auto const connected = co_await client->connected(5s);
        auto const live = co_await subscriber.wait_live(5s);
        if (!connected || !live) throw std::runtime_error("no connection to Redis");
        co_await client->command("DEL", "v1:thing", "v2:thing");
    }
    task<Answer> get(Source& source) {
        return cache.get(family, "thing", [&source] { return read(source); });
    }
    task<> close() {
        co_await cache.drain();
        co_await client->close();
        subscriber.close();
    }
    std::unique_ptr<Client> client;
    Subscriber subscriber;
    Cache cache;
    Cache::Family family;
};

task<> expect(Instance& instance, Source& source, Answer expected) {
    EXPECT_EQ(co_await instance.get(source), expected);
}

// The store is not waited for by readers.
task<> stored(Instance& instance, std::string key, std::string expected) {
    for (int i = 0; i < 1000; ++i) {
        if (co_await outcome(*instance.client, "GET", key) == expected) co_return;
        co_await sleep_for(1ms);
    }
    ADD_FAILURE() << key << " is not " << expected;
}

task<> misses_and_hits(Loop& loop) {
    Instance a(loop, redis().url()), b(loop, redis().url());
    Source source(loop);
    co_await a.ready();
    co_await b.ready();
    EXPECT_EQ(co_await a.get(source), "one");
    co_await stored(a, "v1:thing", "Vone");
    source.value = "two";
    EXPECT_EQ(co_await a.get(source), "one");
    EXPECT_EQ(co_await b.get(source), "one");
    EXPECT_EQ(source.reads, 1);
    auto const ttl = co_await a.client->command("PTTL", "v1:thing");
    EXPECT_GT(ttl.as_integer(), 265'000);
    EXPECT_LE(ttl.as_integer(), 300'000);
    co_await a.cache.invalidate("thing");
    EXPECT_EQ(co_await b.get(source), "two");
    Instance next(loop, redis().url(), {.schema = 2});
    co_await next.ready();
    source.value = "three";
    EXPECT_EQ(co_await next.get(source), "three") << "another schema shares no entries";
    std::array<metrics::Registry*, 1> const registries{&loop.metrics()};
    auto const metrics = metrics::exposition(registries);
    EXPECT_TRUE(metrics.contains("buildplan_cache_hits_total{cache=\"things\"} 2\n")) << metrics;
    EXPECT_TRUE(metrics.contains("buildplan_cache_misses_total{cache=\"things\"} 3\n"));
    co_await a.close();
    co_await b.close();
    co_await next.close();
}

TEST(Cache, AnswersFromRedisUntilInvalidated) { run(misses_and_hits); }

task<> single_flight(Loop& loop) {
    Instance a(loop, redis().url());
    Source source(loop);
    co_await a.ready();
    source.held = true;
    asio::cancellation_signal leave;
    bool gone = false;
    asio::co_spawn(
        loop.io(), a.get(source),
        asio::bind_cancellation_slot(leave.slot(), [&](std::exception_ptr error, Answer) { gone = error != nullptr; }));
    std::vector<task<>> readers;
    for (int i = 0; i < 100; ++i) readers.push_back(expect(a, source, "one"));
    co_await wait_until([&] { return source.waiting == 1; }, "nobody loads");
    leave.emit(asio::cancellation_type::terminal);
    EXPECT_TRUE(gone) << "the one who caused the load does not wait";
    Gate gate;
    for (auto& reader : readers) loop.spawn("reader", pass_through(std::move(reader), gate.enter()));
    source.release();
    co_await gate.close();
    EXPECT_EQ(source.reads, 1);
    co_await a.close();
}

TEST(Cache, OfManyThatMissOneLoadsAndTheLoadOutlivesItsCaller) { run(single_flight); }

task<> stale_load(Loop& loop) {
    Instance reader(loop, redis().url(), {}, 10s), other(loop, redis().url()), writer(loop, redis().url());
    Source source(loop);
    co_await reader.ready();
    co_await other.ready();
    co_await writer.ready();
    source.held = true;
    std::vector<task<>> early;
    Gate gate;
    loop.spawn("early", pass_through(expect(reader, source, "one"), gate.enter()));
    loop.spawn("early", pass_through(expect(other, source, "one"), gate.enter()));
    co_await wait_until([&] { return source.waiting == 2; }, "nobody loads");
    source.value = "two";
    co_await writer.cache.invalidate("thing");
    co_await wait_until([&] { return redis().ask("EXISTS v1:thing") == ":0"; }, "not invalidated");
    source.release();
    co_await gate.close();
    co_await reader.client->command("PING");
    EXPECT_EQ(co_await outcome(*reader.client, "GET", "v1:thing"), "nil") << "what was read before is not stored";
    EXPECT_EQ(co_await reader.get(source), "two");
    EXPECT_EQ(co_await other.get(source), "two");
    co_await reader.close();
    co_await other.close();
    co_await writer.close();
}

TEST(Cache, ALoadThatBeganBeforeAnInvalidationStoresNothing) { run(stale_load); }

task<> asked_after(Loop& loop) {
    Instance a(loop, redis().url());
    Source source(loop);
    co_await a.ready();
    source.held = true;
    Gate gate;
    loop.spawn("early", pass_through(expect(a, source, "one"), gate.enter()));
    co_await wait_until([&] { return source.waiting == 1; }, "nobody loads");
    source.value = "two";
    co_await a.cache.invalidate("thing");
    loop.spawn("late", pass_through(expect(a, source, "two"), gate.enter()));
    co_await wait_until([&] { return source.waiting == 2; }, "the late one joined a load that is too old");
    source.release();
    co_await gate.close();
    co_await stored(a, "v1:thing", "Vtwo");
    co_await a.close();
}

TEST(Cache, WhoAsksAfterAnInvalidationDoesNotJoinALoadFromBefore) { run(asked_after); }

task<> local(Loop& loop) {
    Instance a(loop, redis().url(), {}, 10s), b(loop, redis().url(), {}, 10s);
    Source source(loop);
    co_await a.ready();
    co_await b.ready();
    co_await a.get(source);
    co_await stored(a, "v1:thing", "Vone");
    co_await b.get(source);
    co_await a.client->command("DEL", "v1:thing");
    source.value = "two";
    EXPECT_EQ(co_await b.get(source), "one") << "from its own copy";
    co_await a.cache.invalidate("thing");
    EXPECT_EQ(co_await a.get(source), "two");
    Answer seen;
    for (int i = 0; i < 1000 && seen != "two"; ++i) {
        seen = co_await b.get(source);
        co_await sleep_for(1ms);
    }
    EXPECT_EQ(seen, "two") << "the other instance heard of it";
    co_await a.close();
    co_await b.close();
}

TEST(Cache, CopiesInTheProcessAreInvalidatedOnEveryInstance) { run(local); }

task<> absent(Loop& loop) {
    Instance a(loop, redis().url());
    Source source(loop);
    co_await a.ready();
    source.value = std::nullopt;
    EXPECT_EQ(co_await a.get(source), std::nullopt);
    co_await stored(a, "v1:thing", "N");
    EXPECT_EQ(co_await a.get(source), std::nullopt);
    EXPECT_EQ(source.reads, 1);
    co_await a.cache.invalidate("thing");
    bool thrown = false;
    try {
        co_await a.cache.get(a.family, "thing", [&source] { return fail(source); });
    } catch (std::runtime_error const&) {
        thrown = true;
    }
    EXPECT_TRUE(thrown);
    source.value = "made";
    EXPECT_EQ(co_await a.get(source), "made") << "a failure is not kept";
    co_await a.close();
}

TEST(Cache, KeepsThatThereIsNoneButNoFailure) { run(absent); }

task<> gone(Loop& loop, test_support::RedisServer& server) {
    Instance a(loop, server.url(), {}, 10s), b(loop, server.url());
    Source source(loop);
    co_await a.ready();
    co_await b.ready();
    co_await a.get(source);
    co_await stored(a, "v1:thing", "Vone");
    server.pause();
    auto begin = std::chrono::steady_clock::now();
    co_await b.get(source);
    EXPECT_LT(milliseconds_since(begin), 180) << "once, as long as the cache is patient";
    begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; ++i) co_await b.get(source);
    EXPECT_LT(milliseconds_since(begin), 50) << "then nobody waits";
    EXPECT_EQ(source.reads, 102);
    server.kill9();
    co_await wait_until([&] { return !a.client->available() && !a.subscriber.live(); }, "a dead server counts as live");
    source.value = "two";
    co_await a.cache.invalidate("thing");
    EXPECT_EQ(co_await a.get(source), "two") << "no copy is believed while nothing is heard";
    server.restart();
    EXPECT_TRUE(co_await a.client->connected(5s));
    EXPECT_EQ(co_await a.get(source), "two") << "what Redis kept is not believed before it was told";
    EXPECT_TRUE(co_await a.subscriber.wait_live(5s));
    co_await wait_until([&] { return server.ask("GET v1:thing") != "$4\r\nVone"; }, "Redis was never told");
    EXPECT_TRUE(co_await b.client->connected(5s));
    Answer seen;
    for (int i = 0; i < 1000 && seen != "two"; ++i) {
        seen = co_await b.get(source);
        co_await sleep_for(1ms);
    }
    EXPECT_EQ(seen, "two");
    co_await stored(b, "v1:thing", "Vtwo");
    co_await a.close();
    co_await b.close();
}

TEST(Cache, WithoutRedisTheLoaderAnswersAndInvalidationsAreMadeUpFor) {
    auto const server = start_redis();
    run([&](Loop& loop) { return gone(loop, *server); });
}

TEST(LocalCopies, AreBoundedAndDropWhatWasNotUsedForLongest) {
    LocalCopies copies(1000);
    auto const now = LocalCopies::Clock::now();
    copies.put("a", std::string(200, 'a'), now + 1s);
    copies.put("b", std::string(200, 'b'), now + 1s);
    EXPECT_TRUE(copies.find("a", now));
    copies.put("c", std::string(200, 'c'), now + 1s);
    EXPECT_FALSE(copies.find("b", now));
    EXPECT_TRUE(copies.find("a", now));
    EXPECT_LE(copies.bytes(), 1000u);
    copies.put("a", std::nullopt, now + 2s);
    EXPECT_EQ(copies.find("a", now)->has_value(), false);
    EXPECT_FALSE(copies.find("a", now + 2s));
    copies.put("huge", std::string(2000, 'h'), now + 1s);
    EXPECT_EQ(copies.size(), 0u);
    copies.clear();
    EXPECT_EQ(copies.bytes(), 0u);
}

}  // namespace
}  // namespace buildplan::redis
