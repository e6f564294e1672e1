// The relay with the real queue: BullMQ's scripts on a real Redis that loses its memory.
#include <gtest/gtest.h>

#include "queue/bullmq/queue.hpp"
#include "queue/outbox/bullmq_sink.hpp"
#include "queue/outbox/test_outbox.hpp"
#include "redis/test_loop.hpp"
#include "tests/support/forked.hpp"

namespace buildplan::queue::testing {
namespace {

using bullmq::Queue;
using outbox::Sighting;

class TheQueue : public ::testing::Test {
protected:
    TheQueue() {
        superuser().execute("DELETE FROM outbox");
        (void)redis().ask("FLUSHALL");
    }
    static test_support::RedisServer& redis() { return test_support::redis(); }

    // Everything with a relay on the real queue, stopped and closed at the end.
    template <class Test>
    void play(Test test, outbox::RelayOptions options = {}) {
        postgres::testing::on_ground([&](postgres::testing::Ground& g) -> task<> {
            postgres::SystemPool system(g.loop, g.offload, postgres::testing::options_for(database().system()));
            auto client = co_await redis::connect(g.loop, redis().url());
            outbox::BullmqSink sink(*client);
            outbox::Relay relay(g.loop, system, sink, catalog(), options);
            std::exception_ptr failure;
            try {
                co_await test(*client, sink, relay);
            } catch (...) {
                failure = std::current_exception();
            }
            co_await relay.stop();
            co_await client->close();
            co_await system.close();
            if (failure) std::rethrow_exception(failure);
        });
    }
    static task<std::int64_t> waiting(redis::Client& client, OrganizationId organization, std::string queue) {
        Queue jobs(client, {organization, queue});
        auto const counts = co_await jobs.counts({bullmq::State::waiting});
        co_return counts.at(bullmq::State::waiting);
    }

    Tenant us;
};

TEST_F(TheQueue, HasTheJobAsTheContractWantsIt) {
    auto const id = us.write("job.documents.render", R"({"documentId":1})");
    play([&](redis::Client& client, outbox::BullmqSink&, outbox::Relay& relay) -> task<> {
        co_await relay.relay_waiting();
        Queue queue(client, {us.id, "documents"});
        auto const job = co_await queue.job(id.to_string());
        EXPECT_TRUE(job.has_value());
        if (!job) co_return;
        EXPECT_EQ(job->name, "render");
        EXPECT_EQ(job->data, R"({"documentId": 1})");
        auto const options = job->options();
        EXPECT_EQ(options.attempts, 3);
        EXPECT_EQ(options.backoff, (bullmq::Backoff{.type = "exponential", .delay = 2000ms, .jitter = {}}));
        EXPECT_EQ(options.remove_on_complete, bullmq::Keep::last(100));
        EXPECT_EQ(options.remove_on_fail, bullmq::Keep::last(50));
        auto const state = co_await queue.state(id.to_string());
        EXPECT_EQ(state, bullmq::State::waiting);
    });
}

TEST_F(TheQueue, DoesNotTakeAJobTwice) {
    us.write_many(20, "thing.made");
    play([&](redis::Client& client, outbox::BullmqSink&, outbox::Relay& relay) -> task<> {
        co_await relay.relay_waiting();
        superuser().execute("UPDATE outbox SET relayed_at = NULL");  // as if the mark had not been written
        co_await relay.relay_waiting();
        EXPECT_EQ(co_await waiting(client, us.id, "webhook"), 20);
    });
}

TEST_F(TheQueue, TellsTheIndexOfTurns) {
    Tenant const large("ENTERPRISE");
    large.write("thing.made");
    us.write("thing.made");
    play([&](redis::Client& client, outbox::BullmqSink&, outbox::Relay& relay) -> task<> {
        co_await relay.relay_waiting();
        auto const* const lane = fair::lane_of("webhook");
        fair::Index index(client, *lane, lane->queues);
        auto const first = co_await index.pick({.tiers = {fair::Tier::enterprise}}, 30s);
        EXPECT_TRUE(first && first->member.organization == large.id);
        auto const second = co_await index.pick({.tiers = {fair::Tier::free}}, 30s);
        EXPECT_TRUE(second && second->member.organization == us.id);
    });
}

TEST_F(TheQueue, TellsTheIndexWhatWasAgreedBesideTheTier) {
    struct Agreed {
        std::string_view limits;
        std::optional<std::int64_t> cap;
    };
    for (auto const& [limits, cap] :
         {Agreed{R"({"agents": 3})", 3}, Agreed{R"({"agents": -1})", 0}, Agreed{R"({"agents": 0})", 1},
          Agreed{R"({"api": 5})", std::nullopt}, Agreed{R"({"agents": "3"})", std::nullopt}}) {
        superuser().query("UPDATE subscriptions SET custom_limits = $2::jsonb WHERE organization_id = $1::uuid",
                          {us.id.to_string(), std::string(limits)});
        us.write("thing.made");
        play([&](redis::Client& client, outbox::BullmqSink&, outbox::Relay& relay) -> task<> {
            co_await relay.relay_waiting();
            auto const* const lane = fair::lane_of("webhook");
            fair::Index index(client, *lane, lane->queues);
            auto const turn = co_await index.pick({.tiers = {fair::Tier::free}}, 30s);
            EXPECT_TRUE(turn) << limits;
            if (turn) EXPECT_EQ(turn->cap, cap) << limits;
            co_await client.command("FLUSHALL");
        });
    }
}

TEST_F(TheQueue, SaysHowAJobStands) {
    auto const alive = us.write("thing.made"), completed = us.write("thing.made"), failed = us.write("thing.made");
    play([&](redis::Client& client, outbox::BullmqSink& sink, outbox::Relay& relay) -> task<> {
        co_await relay.relay_waiting();
        auto const place = [&](jobs::EntryId id) {
            return outbox::Place{.organization = us.id, .queue = "webhook", .entry = {.id = id}};
        };
        bullmq::QueueKeys const keys(us.id, "webhook");
        co_await client.command("HSET", keys.job(completed.to_string()), "finishedOn", "1", "failedReason", "at first",
                                "returnvalue", "null");
        co_await client.command("HSET", keys.job(failed.to_string()), "finishedOn", "1", "failedReason", "no host");
        std::array const places{place(alive), place(completed), place(failed), place(jobs::EntryId::make())};
        auto const seen = co_await sink.look(places);
        EXPECT_EQ(seen[0].state, Sighting::State::alive);
        EXPECT_EQ(seen[1].state, Sighting::State::completed);
        EXPECT_EQ(seen[2].state, Sighting::State::failed);
        EXPECT_EQ(seen[2].error, "no host");
        EXPECT_EQ(seen[3].state, Sighting::State::missing);
    });
}

TEST_F(TheQueue, KeepsItsEpochUntilItIsWiped) {
    play([&](redis::Client& client, outbox::BullmqSink& sink, outbox::Relay&) -> task<> {
        auto const epoch = co_await sink.epoch();
        EXPECT_EQ(co_await sink.epoch(), epoch);
        outbox::BullmqSink other(client);
        EXPECT_EQ(co_await other.epoch(), epoch);
        co_await client.command("FLUSHALL");
        EXPECT_NE(co_await sink.epoch(), epoch);
    });
}

// The contract of the product: within 10 s.
TEST_F(TheQueue, WipedWithTwentyThousandJobsOwedHasThemAgainInTime) {
    constexpr int tenants = 20, each = 1000;
    std::vector<Tenant> all(tenants);
    for (auto const& tenant : all) tenant.write_many(each, "thing.made");
    play([&](redis::Client& client, outbox::BullmqSink&, outbox::Relay& relay) -> task<> {
        auto const total = [&]() -> task<std::int64_t> {
            std::int64_t sum = 0;
            for (auto const& tenant : all) sum += co_await waiting(client, tenant.id, "webhook");
            co_return sum;
        };
        auto const full = [&]() -> task<double> {
            auto const began = std::chrono::steady_clock::now();
            for (;;) {
                if (co_await total() == tenants * each) break;
                if (std::chrono::steady_clock::now() - began > 60s) throw std::runtime_error("they never came");
                co_await sleep_for(20ms);
            }
            co_return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        };
        relay.start();
        auto const first = co_await full();
        while (superuser().value("SELECT count(*) FROM outbox WHERE relayed_at IS NULL") != "0")
            co_await sleep_for(20ms);
        co_await client.command("FLUSHALL");
        auto const again = co_await full();
        EXPECT_LT(again, 10.0);
        RecordProperty("queued_seconds", std::to_string(first));
        RecordProperty("queued_again_seconds", std::to_string(again));
        fmt::print("{} jobs queued after {:.2f} s, queued again {:.2f} s after FLUSHALL\n", tenants * each, first,
                   again);
    });
}

TEST_F(TheQueue, WipedAgainAndAgainWhileJobsAreAddedLosesNone) {
    play(
        [&](redis::Client& client, outbox::BullmqSink&, outbox::Relay& relay) -> task<> {
            relay.start();
            for (int i = 0; i < 20; ++i) {
                us.write_many(100, "thing.made");
                relay.wake();
                co_await sleep_for(std::chrono::milliseconds{i % 7 * 3});
                co_await client.command("FLUSHALL");
            }
            auto const until = std::chrono::steady_clock::now() + 20s;
            std::int64_t there = 0;
            while (there != 2000 && std::chrono::steady_clock::now() < until) {
                co_await sleep_for(50ms);
                there = co_await waiting(client, us.id, "webhook");
            }
            EXPECT_EQ(there, 2000);
            EXPECT_EQ(us.count("relayed_at IS NULL"), "0");
        },
        {.poll = 50ms, .look = 50ms});
}

// A process that relays and is killed at any instruction, some thirty times.
void relay_until_killed() {
    postgres::testing::on_ground([](postgres::testing::Ground& g) -> task<> {
        postgres::SystemPool system(g.loop, g.offload, postgres::testing::options_for(database().system()));
        auto client = co_await redis::connect(g.loop, test_support::redis().url());
        outbox::BullmqSink sink(*client);
        outbox::Relay relay(g.loop, system, sink, catalog(), {.batch = 37, .poll = 5ms});
        relay.start();
        co_await sleep_for(60s);
    });
}

TEST_F(TheQueue, GetsEachJobOnceFromRelaysThatAreKilled) {
    us.write_many(3000, "thing.made");
    auto const waits = [&] { return us.count("relayed_at IS NULL"); };
    int kills = 0;
    for (; waits() != "0" && kills < 300; ++kills) {
        test_support::Forked relay(relay_until_killed);
        // Longer and longer, so that a slow build gets somewhere, too.
        std::this_thread::sleep_for(std::chrono::milliseconds{25 + kills * 13 % 40 + kills});
        relay.kill9();
    }
    EXPECT_EQ(waits(), "0");
    EXPECT_GT(kills, 3) << "nothing was killed in the middle";
    play([&](redis::Client& client, outbox::BullmqSink&, outbox::Relay&) -> task<> {
        EXPECT_EQ(co_await waiting(client, us.id, "webhook"), 3000);
    });
}

}  // namespace
}  // namespace buildplan::queue::testing
