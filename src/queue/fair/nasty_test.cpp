// The cases in which work gets lost, stuck or done by too many at once elsewhere, one step at a time.
#include <gtest/gtest.h>

#include <set>

#include "queue/fair/tenant_queue.hpp"

namespace buildplan::queue::fair {
namespace {

using Kind = Standing::Kind;

template <class Test>
void stand_test(Test test) {
    redis::run([test](Loop& loop) -> task<> {
        struct Run {
            static task<> go(Loop& loop, Test test) {
                auto const client = co_await redis::connect(loop, test_support::redis().url());
                Stand stand(*client);
                TenantQueue queue(*client);
                co_await test(stand, queue);
                co_await client->close();
            }
        };
        return Run::go(loop, test);
    });
}

task<> added_between_probe_and_settle(Stand& stand, TenantQueue& queue) {
    co_await queue.add();
    co_await stand.index.signal({queue.member});
    auto turn = co_await stand.pick();
    auto job = co_await queue.take("a");
    co_await queue.complete(*job, "a");
    auto const standing = co_await queue.probe();
    EXPECT_EQ(standing.kind, Kind::empty);

    auto const second = co_await queue.add();  // now, by somebody else
    co_await stand.index.signal({queue.member});

    auto const moved = co_await stand.settle(*turn, standing);
    EXPECT_TRUE(moved.refused);
    turn->generation = moved.generation;
    auto const again = co_await queue.probe();
    EXPECT_EQ(again.kind, Kind::ready);
    co_await stand.settle(*turn, again);
    EXPECT_EQ((co_await stand.pick())->member, queue.member);
    EXPECT_EQ((co_await queue.take("b"))->id, second);
}
TEST(NastyCase, AJobAddedBetweenTheProbeThatSawNoneAndTheSettlementIsServed) {
    stand_test(added_between_probe_and_settle);
}

task<> freed_between_probe_and_settle(Stand& stand, TenantQueue& queue) {
    co_await queue.cap(1);
    co_await queue.add();
    auto const second = co_await queue.add();
    co_await stand.index.signal({queue.member});
    auto const a = co_await stand.pick();
    auto const job = co_await queue.take("a");
    auto const b = co_await stand.pick();
    EXPECT_FALSE(co_await queue.take("b"));
    auto const maxed = co_await queue.probe();
    EXPECT_EQ(maxed.kind, Kind::maxed);

    co_await queue.complete(*job, "a");  // now the last slot is freed
    co_await stand.settle(*a, co_await queue.probe());

    EXPECT_TRUE((co_await stand.settle(*b, maxed)).refused);
    EXPECT_TRUE(co_await stand.pick());
    EXPECT_EQ((co_await queue.take("c"))->id, second);
}
TEST(NastyCase, TheLastSlotFreedBetweenTheProbeThatSawNoneAndTheSettlementIsUsed) {
    stand_test(freed_between_probe_and_settle);
}

task<> dies_before_probe(Stand& stand, TenantQueue& queue) {
    co_await queue.cap(1);
    co_await queue.add();
    auto const second = co_await queue.add();
    co_await stand.index.signal({queue.member});
    co_await stand.pick(30ms);  // by the one that dies
    auto const job = co_await queue.take("a");
    auto const b = co_await stand.pick();
    co_await stand.settle(*b, co_await queue.probe());
    co_await queue.complete(*job, "a");
    // Dead. Nobody has said that the slot is free, and BullMQ writes no marker.
    EXPECT_FALSE(co_await stand.pick());
    co_await sleep_for(40ms);
    auto const lost = co_await stand.index.reap(10, 1s);
    EXPECT_EQ(lost.size(), 1u);
    EXPECT_TRUE(co_await stand.pick());
    EXPECT_EQ((co_await queue.take("c"))->id, second);
}
TEST(NastyCase, AWorkerThatDiesAfterItsJobAndBeforeItsProbeLeavesNothingBehind) { stand_test(dies_before_probe); }

task<> reply_lost(Stand& stand, TenantQueue& queue) {
    co_await queue.add();
    auto const second = co_await queue.add();
    co_await stand.index.signal({queue.member});
    auto const turn = co_await stand.pick();
    auto const job = co_await queue.take("a");
    co_await queue.complete(*job, "a", true);  // carried out; nobody hears that the next one is ours now
    bool refused = false;
    try {
        co_await queue.complete(*job, "a", true);
    } catch (bullmq::Refused const& e) {
        refused = e.is_lost();
    }
    EXPECT_TRUE(refused) << "a job is finished once";
    // Whoever does not find out what he has taken gives the turn up: the lock runs out, and the job comes back.
    co_await queue.client.command("DEL", queue.keys.job(second, "lock"));
    EXPECT_EQ(co_await queue.recover(), 0u);
    co_await sleep_for(2ms);
    EXPECT_EQ(co_await queue.recover(), 1u);
    co_await stand.settle(*turn, co_await queue.probe());
    EXPECT_TRUE(co_await stand.pick());
    EXPECT_EQ((co_await queue.take("b"))->id, second);
}
TEST(NastyCase, AFinishWhoseReplyIsLostCountsOnceAndWhatItFetchedComesBack) { stand_test(reply_lost); }

task<> foreign_while_maxed(Stand& stand, TenantQueue& queue) {
    co_await queue.cap(1);
    co_await queue.add();
    co_await stand.index.signal({queue.member});
    auto const turn = co_await stand.pick();
    auto const job = co_await queue.take("a");
    co_await queue.client.command("DEL", queue.keys[bullmq::QueueKeys::marker]);
    auto const second = co_await queue.add();  // by somebody who does not signal, while the queue is full
    EXPECT_FALSE(co_await queue.marked()) << "BullMQ tells nobody";
    co_await queue.complete(*job, "a", false);
    EXPECT_FALSE(co_await queue.marked()) << "and not when the slot is free, either";
    auto const standing = co_await queue.probe();
    EXPECT_EQ(standing.kind, Kind::ready);
    co_await stand.settle(*turn, standing);
    EXPECT_TRUE(co_await stand.pick());
    EXPECT_EQ((co_await queue.take("b"))->id, second);
}
TEST(NastyCase, AForeignJobAddedToAFullQueueIsSeenByWhoeverFreesTheSlot) { stand_test(foreign_while_maxed); }

task<> tier_lowered(Stand& stand, TenantQueue& queue) {
    auto const organization = queue.member.organization;
    co_await stand.index.admit({{.organization = organization, .tier = Tier::enterprise}});
    co_await queue.cap(200);
    for (int i = 0; i < 40; ++i) co_await queue.add();
    co_await stand.index.signal({queue.member});
    auto const turn = co_await stand.pick();
    EXPECT_EQ(turn->tier, Tier::enterprise);
    std::vector<bullmq::Job> jobs;
    for (int i = 0; i < 30; ++i) jobs.push_back(*co_await queue.take("a"));

    co_await stand.index.admit({{.organization = organization, .tier = Tier::free}});
    co_await queue.cap(10);
    for (int i = 0; i < 20; ++i) {
        EXPECT_FALSE(co_await queue.complete(jobs[static_cast<std::size_t>(i)], "a", true))
            << "30 - " << i << " are at work";
    }
    EXPECT_EQ(co_await queue.active(), 10);
    auto const standing = co_await queue.probe();
    EXPECT_EQ(standing.kind, Kind::maxed);
    EXPECT_FALSE((co_await stand.settle(*turn, standing)).refused);
    EXPECT_FALSE(co_await stand.pick());
    auto next = co_await queue.complete(jobs[20], "a", true);
    EXPECT_TRUE(next) << "the eleventh makes room for one";
    EXPECT_EQ(co_await queue.active(), 10);
    co_await queue.complete(*next, "a", false);
    EXPECT_EQ((co_await queue.probe()).kind, Kind::ready);
    co_await stand.index.signal({queue.member});
    EXPECT_EQ((co_await stand.pick())->tier, Tier::free);
}
TEST(NastyCase, ATierLoweredInMidTurnLetsRunningJobsEndAndStartsNoneBeforeThereIsRoom) { stand_test(tier_lowered); }

task<> paused_past_its_lock(Stand& stand, TenantQueue& queue) {
    co_await queue.cap(1);
    co_await queue.add();
    co_await queue.add();
    co_await stand.index.signal({queue.member});
    auto const turn = co_await stand.pick(20ms);
    auto const job = co_await queue.take("slow", 20ms);
    co_await sleep_for(40ms);  // as a worker that is stopped (SIGSTOP, swap, a stolen core)
    for (int visit = 1; visit <= 2; ++visit) {
        EXPECT_EQ((co_await stand.index.reap(10, 1ms)).size(), 1u);
        EXPECT_EQ(co_await queue.recover(), visit == 2 ? 1u : 0u);
        co_await sleep_for(3ms);
    }
    co_await stand.index.signal({queue.member});
    auto const other = co_await stand.pick();
    EXPECT_EQ((co_await queue.take("quick"))->id, job->id) << "it comes back first";
    bool refused = false;
    try {
        co_await queue.complete(*job, "slow", true);
    } catch (bullmq::Refused const& e) {
        refused = e.is_lost();
    }
    EXPECT_TRUE(refused);
    EXPECT_EQ(co_await queue.active(), 1) << "the late finish takes nothing and frees nothing";
    EXPECT_FALSE(co_await queue.take("third")) << "the cap holds";
    co_await stand.settle(*turn, co_await queue.probe());  // refused or not: the other's turn is not touched
    EXPECT_TRUE((co_await stand.index.renew({{other->number, other->member, 0s}}, 30s)).at(0));
}
TEST(NastyCase, AWorkerPausedPastItsLockFindsItsFinishRefusedAndTheCapIntact) { stand_test(paused_past_its_lock); }

task<> index_fails_over(Stand& stand, TenantQueue& queue) {
    co_await queue.add();
    co_await stand.index.signal({queue.member});
    // A replica that has heard this much and no more.
    std::map<std::string, std::string> replica;
    auto const keys = co_await queue.client.command("KEYS", stand.index.key("*"));
    for (auto const& key : keys.items()) {
        auto dump = co_await queue.client.command("DUMP", key.as_text());
        replica[std::string(key.as_text())] = dump.take_text();
    }
    auto const turn = co_await stand.pick();
    auto const job = co_await queue.take("a");
    co_await queue.complete(*job, "a");
    co_await stand.index.signal({queue.member});  // told to the old master alone
    auto late = *turn;
    late.generation = (co_await stand.pick())->generation;
    auto const standing = co_await queue.probe();
    EXPECT_EQ(standing.kind, Kind::empty);
    // The failover.
    auto const old = co_await queue.client.command("KEYS", stand.index.key("*"));
    for (auto const& key : old.items()) co_await queue.client.command("DEL", key.as_text());
    for (auto const& [key, dump] : replica) co_await queue.client.command("RESTORE", key, 0, dump);

    co_await queue.add();
    co_await stand.index.signal({queue.member});
    EXPECT_TRUE((co_await stand.settle(late, standing)).refused)
        << "the generation that was lost is not given out again";
    EXPECT_TRUE(co_await stand.pick());
    EXPECT_TRUE(co_await queue.take("b"));
}
TEST(NastyCase, AFailoverThatLosesTheIndexsLastWritesStrandsNothing) { stand_test(index_fails_over); }

task<> queue_fails_over(Stand& stand, TenantQueue& queue) {
    co_await queue.add();
    co_await stand.index.signal({queue.member});
    auto const turn = co_await stand.pick();
    auto const job = co_await queue.take("a");
    // The failover: the queue never heard of the job.
    auto const keys = co_await queue.client.command("KEYS", std::string(queue.keys[bullmq::QueueKeys::base]) + "*");
    for (auto const& key : keys.items()) co_await queue.client.command("DEL", key.as_text());
    bool refused = false;
    try {
        co_await queue.complete(*job, "a", true);
    } catch (bullmq::Refused const& e) {
        refused = e.is_lost();
    }
    EXPECT_TRUE(refused);
    EXPECT_FALSE((co_await stand.settle(*turn, co_await queue.probe())).refused);
    EXPECT_FALSE(co_await stand.pick()) << "nothing to do, and nobody goes round in circles";
    co_await queue.add();  // the outbox adds again what is not known to be done
    co_await stand.index.signal({queue.member});
    EXPECT_TRUE(co_await stand.pick());
}
TEST(NastyCase, AFailoverThatLosesAQueuesLastWritesLeavesTheIndexInOrder) { stand_test(queue_fails_over); }

task<> added_again(Stand& stand, TenantQueue& queue) {
    bullmq::JobOptions const kept{.job_id = "event-1"};
    bullmq::JobOptions const removed{.job_id = "event-2", .remove_on_complete = bullmq::Keep::none()};
    for (auto const& options : {kept, removed}) {
        co_await queue.add(options);
        co_await stand.index.signal({queue.member});
        auto const turn = co_await stand.pick();
        auto const job = co_await queue.take("a");
        co_await queue.complete(*job, "a");
        co_await stand.settle(*turn, co_await queue.probe());
    }
    // The outbox did not hear that they were added, and adds them again.
    EXPECT_EQ(co_await queue.add(kept), "event-1");
    co_await stand.index.signal({queue.member});
    auto turn = co_await stand.pick();
    EXPECT_FALSE(co_await queue.take("b")) << "one that is still known is not done again";
    EXPECT_FALSE((co_await stand.settle(*turn, co_await queue.probe())).refused);
    EXPECT_FALSE(co_await stand.pick());

    EXPECT_EQ(co_await queue.add(removed), "event-2");
    co_await stand.index.signal({queue.member});
    turn = co_await stand.pick();
    auto const again = co_await queue.take("b");
    EXPECT_EQ(again->id, "event-2") << "one that was forgotten is done once more, which is why handlers are idempotent";
    co_await queue.complete(*again, "b");
    EXPECT_FALSE((co_await stand.settle(*turn, co_await queue.probe())).refused);
    EXPECT_FALSE(co_await stand.pick());
    EXPECT_EQ(co_await queue.active(), 0);
}
TEST(NastyCase, AJobThatTheOutboxAddsAgainIsDoneAtMostOnceMoreAndNothingStaysBehind) { stand_test(added_again); }

task<> five_thousand_due(Stand& stand, TenantQueue& one) {
    constexpr std::size_t many = 5000;
    // All put aside until the same millisecond.
    redis::Command zadd("ZADD", stand.index.key("due"));
    auto const when = std::chrono::floor<std::chrono::milliseconds>(now() + 100ms).time_since_epoch().count();
    std::set<OrganizationId> organizations;
    for (std::size_t i = 0; i < many; ++i) {
        auto const organization = OrganizationId::make();
        organizations.insert(organization);
        zadd.arg(when).arg(Member{organization, one.member.queue}.to_string());
    }
    co_await one.client.command(std::move(zadd));
    co_await sleep_for(110ms);
    std::size_t signalled = 0, calls = 0;
    for (;;) {
        auto const due = co_await stand.index.due(200);
        ++calls;
        EXPECT_LE(due.signalled, 200u) << "no call holds Redis up";
        signalled += due.signalled;
        if (due.signalled < 200) break;
    }
    EXPECT_EQ(signalled, many);
    EXPECT_EQ(calls, many / 200 + 1);
    auto const tokens = co_await one.client.command("LLEN", stand.index.wake_lists(Tier::free).at(0));
    EXPECT_LE(tokens.as_integer(), 64);
    auto turn = co_await stand.pick();
    while (turn) {
        EXPECT_EQ(organizations.erase(turn->member.organization), 1u);
        Settlement const end{.turn = std::move(*turn), .then = Settlement::Then::empty};
        auto moved = co_await stand.index.settle(end, Wish{.tiers = {Tier::free}}, 30s);
        turn = std::move(moved.next);
    }
    EXPECT_TRUE(organizations.empty()) << organizations.size() << " had no turn";
}
TEST(NastyCase, FiveThousandOrganizationsDueInOneMillisecondAllHaveATurn) { stand_test(five_thousand_due); }

task<> probes(Stand&, TenantQueue& queue) {
    EXPECT_EQ(co_await queue.kind(), Kind::empty);
    co_await queue.add({.delay = 60s});
    auto const due = co_await queue.probe();
    EXPECT_EQ(due.kind, Kind::due);
    EXPECT_NEAR(std::chrono::duration<double>(due.when - now()).count(), 60, 1);
    co_await queue.add();
    EXPECT_EQ(co_await queue.kind(), Kind::ready);
    co_await queue.client.command("HSET", queue.keys[bullmq::QueueKeys::meta], "paused", 1);
    EXPECT_EQ(co_await queue.kind(), Kind::paused);
    EXPECT_FALSE(co_await queue.take("a"));
    co_await queue.client.command("HDEL", queue.keys[bullmq::QueueKeys::meta], "paused");
    co_await queue.client.command("HSET", queue.keys[bullmq::QueueKeys::meta], "max", 1, "duration", 30'000);
    auto const job = co_await queue.take("a");
    EXPECT_TRUE(job);
    co_await queue.add({.priority = 3});
    auto const limited = co_await queue.probe();
    EXPECT_EQ(limited.kind, Kind::due);
    EXPECT_NEAR(std::chrono::duration<double>(limited.when - now()).count(), 30, 1);
    EXPECT_FALSE(co_await queue.take("b"));
    co_await queue.client.command("DEL", queue.keys[bullmq::QueueKeys::limiter]);
    EXPECT_EQ(co_await queue.kind(), Kind::ready);
    co_await queue.cap(1);
    auto const maxed = co_await queue.probe();
    EXPECT_EQ(maxed.kind, Kind::maxed);
    EXPECT_EQ(maxed.active, 1);
    co_await queue.cap(2);
    EXPECT_EQ(co_await queue.kind(), Kind::ready);
    EXPECT_TRUE(co_await queue.take("b"));
    EXPECT_EQ(co_await queue.kind(), Kind::due) << "the delayed one is left";
}
TEST(Probe, SaysWhatBullMqsOwnScriptWouldDo) { stand_test(probes); }

}  // namespace
}  // namespace buildplan::queue::fair
