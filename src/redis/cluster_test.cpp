// Against a real cluster of three masters and three replicas.
#include <gtest/gtest.h>

#include "redis/cache.hpp"
#include "redis/client.hpp"
#include "redis/router.hpp"
#include "redis/slots.hpp"
#include "redis/subscriber.hpp"
#include "redis/test_loop.hpp"

namespace buildplan::redis {
namespace {

using test_support::RedisCluster;

std::string url_of(RedisCluster const& cluster) {
    std::string url = "redis-cluster://";
    for (int i = 0; i < cluster.masters; ++i) {
        if (i > 0) url += ',';
        url += "127.0.0.1:" + std::to_string(cluster.nodes[static_cast<std::size_t>(i)]->port());
    }
    return url;
}

// The one cluster of these tests, in this order; the last one kills a master of it.
class Cluster : public testing::Test {
protected:
    static void SetUpTestSuite() { cluster = new RedisCluster(test_support::start_redis_cluster()); }
    static void TearDownTestSuite() { delete cluster; }
    static RedisCluster* cluster;
};
RedisCluster* Cluster::cluster = nullptr;

task<> set_and_get(Client& client, int i) {
    auto const key = "key:" + std::to_string(i);
    co_await client.command("SET", key, i);
    auto const got = co_await client.command("GET", key);
    EXPECT_EQ(got.as_integer(), i);
}

task<> every_slot(Loop& loop, std::string url) {
    auto const client = co_await connect(loop, url);
    std::vector<task<>> callers;
    for (int i = 0; i < 1000; ++i) callers.push_back(set_and_get(*client, i));
    co_await together(loop, std::move(callers));
    std::vector<Command> gets;
    for (int i = 0; i < 1000; ++i) gets.push_back(Command("GET", "key:" + std::to_string(i)));
    auto const replies = co_await client->pipeline(std::move(gets));
    for (std::size_t i = 0; i < replies.size(); ++i) EXPECT_EQ(replies[i].as_integer(), static_cast<int>(i));
    EXPECT_EQ(co_await outcome(*client, "MGET", "key:1", "key:2"), "CROSSSLOT");

    Script const add("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    for (int i = 0; i < 30; ++i) {
        auto const key = "{" + std::to_string(i) + "}counter";
        auto const sum = co_await client->call(add, {key}, 5);
        EXPECT_EQ(sum.as_integer(), 5);
    }
    std::vector<Command> commands{Command("SET", "{t}a", 1), Command("INCR", "{t}a")};
    auto const done = co_await client->transaction(std::move(commands));
    EXPECT_EQ(done.at(1).as_integer(), 2);
    auto const blocking = client->blocking("{b}z");
    co_await client->command("ZADD", "{b}z", 1, "m");
    Command const wait("BZPOPMIN", "{b}z", 1);
    auto const popped = co_await blocking->command(wait, 1s);
    EXPECT_EQ(popped[1].as_text(), "m");
    EXPECT_TRUE(client->send(Command("SET", "sent", "yes")));
    co_await client->close();
    EXPECT_EQ(co_await outcome(*client, "GET", "key:1"), "refused");
}

TEST_F(Cluster, EachCommandGoesToTheNodeOfItsKey) {
    run([](Loop& loop) { return every_slot(loop, url_of(*cluster)); });
}

task<> one_seed(Loop& loop, RedisCluster& cluster) {
    auto const port = std::to_string(cluster.nodes.at(4)->port());  // a replica
    auto const client = co_await connect(loop, "redis-cluster://127.0.0.1:1,127.0.0.1:" + port);
    co_await set_and_get(*client, 7);
    co_await client->close();
}

TEST_F(Cluster, IsFoundByAnyOneOfItsNodes) {
    run([](Loop& loop) { return one_seed(loop, *cluster); });
}

task<> messages(Loop& loop, std::string url) {
    Subscriber subscriber(loop, Options::parse(url));
    auto const client = co_await connect(loop, url);
    int heard = 0;
    auto const subscription = subscriber.subscribe("c", [&](std::string_view, std::string_view) { ++heard; });
    EXPECT_TRUE(co_await subscriber.wait_live(5s));
    for (int i = 0; i < 6; ++i) co_await client->command("PUBLISH", "c", i);  // through one node after another
    co_await wait_until([&] { return heard == 6; }, "a message did not get through the cluster");
    co_await client->close();
}

TEST_F(Cluster, MessagesReachASubscriberOfAnyNode) {
    run([](Loop& loop) { return messages(loop, url_of(*cluster)); });
}

task<std::optional<std::string>> load(int& loads) {
    ++loads;
    co_return "loaded";
}

task<> cached(Loop& loop, std::string url) {
    auto const client = co_await connect(loop, url);
    Subscriber subscriber(loop, Options::parse(url));
    EXPECT_TRUE(co_await subscriber.wait_live(5s));
    Cache cache(loop, *client, subscriber);
    auto const family = cache.family({.name = "things"});
    int loads = 0;
    for (int i = 0; i < 10; ++i) {
        auto const key = "thing:" + std::to_string(i);
        for (int round = 0; round < 2; ++round) {
            auto const value = co_await cache.get(family, key, [&loads] { return load(loads); });
            EXPECT_EQ(value, "loaded");
            co_await wait_until([&] { return client->available(); }, "gone");
        }
    }
    EXPECT_EQ(loads, 10);
    std::vector<std::string> changed{"thing:0", "thing:1", "thing:2"};
    co_await cache.invalidate(std::move(changed));
    auto const left = co_await client->command("EXISTS", "v1:thing:1");
    EXPECT_EQ(left.as_integer(), 0);
    co_await cache.drain();
    co_await client->close();
}

TEST_F(Cluster, ACacheWorksThere) {
    run([](Loop& loop) { return cached(loop, url_of(*cluster)); });
}

// Counts on `keys` until told to stop; every answered increment must have happened exactly once.
struct Traffic {
    std::vector<std::string> keys;
    bool stop = false;
    int answered = 0, failed = 0;
    std::map<std::string, std::int64_t> last, lost;
};

task<> count_up(Client& client, Traffic& traffic, std::string key) {
    while (!traffic.stop) {
        bool failed = false;
        try {
            auto const reply = co_await client.command("INCR", key);
            auto& last = traffic.last[key];
            // What failed may have been carried out or not.
            EXPECT_GT(reply.as_integer(), last);
            EXPECT_LE(reply.as_integer(), last + 1 + traffic.lost[key]);
            traffic.lost[key] = 0;
            last = reply.as_integer();
            ++traffic.answered;
        } catch (Unavailable const& e) {
            ++traffic.failed;
            if (e.sent == Unavailable::Sent::perhaps) ++traffic.lost[key];
            failed = true;
        }
        if (failed) co_await sleep_for(1ms);
    }
}

void ok(test_support::RedisServer& node, std::string const& command) {
    auto const answer = node.ask(command);
    if (answer != "+OK") throw std::runtime_error(command + ": " + answer);
}

test_support::RedisServer& owner(RedisCluster& cluster, std::uint16_t slot) {
    for (std::uint16_t i = 0; i < 3; ++i) {
        if (slot < slot_count * (i + 1) / 3) return *cluster.nodes[i];
    }
    throw std::logic_error("no such slot");
}

task<> read_both(Client& client, bool& both) {
    auto mget = Command("MGET", "{moving}a", "{moving}b").within(5s);
    auto const values = co_await client.command(std::move(mget));
    EXPECT_EQ(values[0].as_text(), "a");
    EXPECT_EQ(values[1].as_text(), "b");
    both = true;
}

// Moves one slot from its node to another, step by step, in mid-traffic.
task<> migrate(Loop& loop, RedisCluster& cluster) {
    auto const client = co_await connect(loop, url_of(cluster));
    auto const slot = slot_of("{moving}");
    auto& from = owner(cluster, slot);
    auto& to = *cluster.nodes[&from == cluster.nodes[0].get() ? 1 : 0];
    auto const [from_id, to_id] = std::pair{from.ask("CLUSTER MYID"), to.ask("CLUSTER MYID")};
    Traffic traffic;
    Gate gate;
    for (int i = 0; i < 8; ++i) {
        traffic.keys.push_back("{moving}" + std::to_string(i));
        loop.spawn("count", pass_through(count_up(*client, traffic, traffic.keys.back()), gate.enter()));
    }
    auto const more = [&traffic](int n) {
        return [&traffic, enough = traffic.answered + n] { return traffic.answered >= enough; };
    };
    co_await wait_until(more(100), "no traffic");
    co_await client->command("MSET", "{moving}a", "a", "{moving}b", "b");
    ok(to, fmt::format("CLUSTER SETSLOT {} IMPORTING {}", slot, from_id));
    ok(from, fmt::format("CLUSTER SETSLOT {} MIGRATING {}", slot, to_id));
    co_await wait_until(more(100), "no traffic while migrating");
    // Of two keys one is here and one is there: TRYAGAIN until they are together.
    ok(from, fmt::format("MIGRATE 127.0.0.1 {} {{moving}}a 0 1000", to.port()));
    bool both = false;
    loop.spawn("both", pass_through(read_both(*client, both), gate.enter()));
    co_await wait_until(more(20), "no traffic while somebody waits for two keys");
    EXPECT_FALSE(both);
    ok(from, fmt::format("MIGRATE 127.0.0.1 {} {{moving}}b 0 1000", to.port()));
    co_await wait_until([&] { return both; }, "two keys that have moved are not read");
    for (auto const& key : traffic.keys) {
        ok(from, fmt::format("MIGRATE 127.0.0.1 {} {} 0 1000", to.port(), key));
        co_await wait_until(more(50), "no traffic while keys move");  // ASK for some, not for others
    }
    co_await client->command("SET", "{moving}new", "there");
    for (auto* const node : {&to, &from}) ok(*node, fmt::format("CLUSTER SETSLOT {} NODE {}", slot, to_id));
    co_await wait_until(more(100), "no traffic after the move");  // MOVED, once
    EXPECT_EQ(co_await outcome(*client, "GET", "{moving}new"), "there");
    std::vector<Command> commands{Command("SET", "{moving}t", 1), Command("INCR", "{moving}t")};
    auto const done = co_await client->transaction(std::move(commands));
    EXPECT_EQ(done.size(), 2u);
    traffic.stop = true;
    co_await gate.close();
    EXPECT_EQ(traffic.failed, 0) << "nobody notices a slot that moves";
    co_await client->close();
}

TEST_F(Cluster, ASlotMovesInMidTrafficAndNobodyNotices) {
    run([](Loop& loop) { return migrate(loop, *cluster); });
}

task<> fail_over(Loop& loop, RedisCluster& cluster) {
    auto const client = co_await connect(loop, url_of(cluster));
    auto const slot = slot_of("victim");
    auto& victim = owner(cluster, slot);
    std::string other_key = "other";
    while (&owner(cluster, slot_of(other_key)) == &victim) other_key += "x";
    Traffic hit, spared;
    Gate gate;
    loop.spawn("count", pass_through(count_up(*client, hit, "victim"), gate.enter()));
    loop.spawn("count", pass_through(count_up(*client, spared, other_key), gate.enter()));
    co_await wait_until([&] { return hit.answered > 100 && spared.answered > 100; }, "no traffic");
    // What the replica has confirmed must survive; what is answered after that, Redis itself may lose.
    auto const confirmed = hit.last["victim"];
    auto const blocking = client->blocking("victim");
    Command const write("SET", "{victim}later", 1), wait("WAIT", 1, 1000);
    co_await blocking->command(write, 0ms);
    auto const replicas = co_await blocking->command(wait, 1s);
    EXPECT_EQ(replicas.as_integer(), 1);
    auto const begin = std::chrono::steady_clock::now();
    victim.kill9();
    hit.last["victim"] = confirmed;
    hit.lost["victim"] = 1'000'000;
    auto const answered_by_then = hit.answered, spared_by_then = spared.answered;
    co_await wait_until([&] { return hit.answered > answered_by_then + 100; }, "no failover");
    auto const gap = milliseconds_since(begin);
    testing::Test::RecordProperty("failover_ms", static_cast<int>(gap));
    EXPECT_LT(gap, 6000);
    EXPECT_GT(hit.failed, 0) << "meanwhile callers were told at once";
    EXPECT_EQ(spared.failed, 0) << "slots of other nodes are not held up";
    EXPECT_GT(spared.answered, spared_by_then + 100);
    hit.stop = spared.stop = true;
    co_await gate.close();
    co_await client->close();
}

TEST_F(Cluster, AReplicaTakesOverFromAKilledMaster) {
    run([](Loop& loop) { return fail_over(loop, *cluster); });
}

}  // namespace
}  // namespace buildplan::redis
