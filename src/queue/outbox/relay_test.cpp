#include "queue/outbox/relay.hpp"

#include <gtest/gtest.h>

#include "postgres/bell.hpp"
#include "postgres/listener.hpp"
#include "queue/jobs/ledger.hpp"
#include "queue/jobs/principal.hpp"
#include "queue/outbox/test_outbox.hpp"
#include "tests/support/wire_proxy.hpp"

namespace buildplan::queue::testing {
namespace {

using outbox::Sighting;

// Rows of one test are of no concern to the next.
class TheRelay : public ::testing::Test {
protected:
    TheRelay() { superuser().execute("DELETE FROM outbox"); }
    Tenant us;
};

// Once the server has let go of what the one before had locked.
task<> the_next(RelayGround& ground) {
    while (co_await ground.relay.relay_waiting() == 0) co_await sleep_for(1ms);
}

std::runtime_error killed() { return std::runtime_error("killed here"); }

TEST_F(TheRelay, GivesAnEventToTheQueueThatTakesItsTopic) {
    auto const made = us.write("thing.made", R"({"thingId":7})");
    auto const direct = us.write("job.documents.render");
    auto const news = us.write("news.of.today");
    auto const nobodys = us.write("thing.forgotten");
    RelayGround ground;
    ground.play([&](RelayGround& g) -> task<> {
        EXPECT_EQ(co_await g.relay.relay_waiting(), 4u);
        EXPECT_EQ(co_await g.relay.relay_waiting(), 0u);
    });
    ASSERT_EQ(ground.sink.seen.size(), 3u);
    auto const& job = ground.sink.seen[0];
    EXPECT_EQ(job.organization, us.id);
    EXPECT_EQ(job.entry, (jobs::Entry{.id = made}));
    EXPECT_EQ(job.queue, "webhook");
    EXPECT_EQ(job.name, "deliver");
    EXPECT_EQ(job.policy.attempts, 7);
    EXPECT_EQ(job.data.text, R"({"thingId": 7})");
    EXPECT_EQ(ground.sink.seen[1].queue + "/" + ground.sink.seen[1].name, "documents/render");
    EXPECT_EQ(ground.sink.seen[1].policy.attempts, 3);
    EXPECT_EQ(ground.sink.seen[2].queue + "/" + ground.sink.seen[2].name, "notifications/tell");
    EXPECT_EQ(us.state(made), "owed");
    EXPECT_EQ(us.state(direct), "owed");
    EXPECT_EQ(us.state(news), "owed");
    EXPECT_EQ(us.state(nobodys), "event");
}

TEST_F(TheRelay, SaysWhichTierTheOrganizationPaysFor) {
    Tenant const large("ENTERPRISE");
    large.write("thing.made");
    auto const unknown = OrganizationId::make();  // has no subscription, is gone perhaps
    superuser().query("INSERT INTO outbox (organization_id, topic, payload) VALUES ($1::uuid, 'thing.made', '{}')",
                      {unknown.to_string()});
    RelayGround ground;
    ground.play([&](RelayGround& g) -> task<> { co_await g.relay.relay_waiting(); });
    ASSERT_EQ(ground.sink.seen.size(), 2u);
    EXPECT_EQ(ground.sink.seen[0].tier, "ENTERPRISE");
    EXPECT_EQ(ground.sink.seen[1].tier, "FREE");
}

TEST_F(TheRelay, LeavesLettersToWhoeverSendsMail) {
    auto const letter = us.write("mail.verify_email", R"({"token":"secret"})");
    RelayGround ground;
    ground.play([&](RelayGround& g) -> task<> { EXPECT_EQ(co_await g.relay.relay_waiting(), 0u); });
    EXPECT_EQ(us.state(letter), "waiting");
}

TEST_F(TheRelay, BuriesWhatNamesNoQueueAndWhatTheQueueRefuses) {
    auto const lost = us.write("job.nowhere.render");
    auto const nameless = us.write("job.documents.");
    auto const refused = us.write("job.documents.refused");
    auto const good = us.write("job.documents.render");
    RelayGround ground;
    ground.play([&](RelayGround& g) -> task<> { co_await g.relay.relay_waiting(); });
    EXPECT_EQ(us.state(lost), "dead");
    EXPECT_EQ(us.state(nameless), "dead");
    EXPECT_EQ(us.state(refused), "dead");
    EXPECT_EQ(us.state(good), "owed");
    EXPECT_EQ(us.value("SELECT error FROM outbox WHERE organization_id = $1::uuid AND topic = 'job.documents.refused'"),
              "the queue will not have it");
}

// The places where it can die: nothing is lost, and nothing is there twice.

TEST_F(TheRelay, KilledAfterTheSelectLeavesTheRowToTheNext) {
    auto const made = us.write("thing.made");
    RelayGround ground;
    ground.play([&](RelayGround& g) -> task<> {
        g.sink.before_add = [] { throw killed(); };
        EXPECT_EQ(co_await postgres::testing::outcome(g.relay.relay_waiting()), "other");
        EXPECT_EQ(us.state(made), "waiting");
        EXPECT_FALSE(g.sink.has(made));
        g.sink.before_add = {};
        co_await the_next(g);
    });
    EXPECT_EQ(us.state(made), "owed");
    EXPECT_TRUE(ground.sink.has(made));
    EXPECT_EQ(ground.sink.repeats, 0);
}

TEST_F(TheRelay, KilledAfterTheAddAddsTheSameJobAgain) {
    auto const made = us.write("thing.made");
    RelayGround ground;
    ground.play([&](RelayGround& g) -> task<> {
        g.sink.after_add = [] { throw killed(); };
        EXPECT_EQ(co_await postgres::testing::outcome(g.relay.relay_waiting()), "other");
        EXPECT_EQ(us.state(made), "waiting");
        EXPECT_TRUE(g.sink.has(made));
        g.sink.after_add = {};
        co_await the_next(g);
    });
    EXPECT_EQ(us.state(made), "owed");
    EXPECT_EQ(ground.sink.there.size(), 1u);
    EXPECT_EQ(ground.sink.repeats, 1);
}

TEST_F(TheRelay, KilledAtTheMarkHasEitherMarkedOrAddsTheSameJobAgain) {
    test_support::WireProxy proxy(test_support::make_temporary_folder("proxy"),
                                  test_support::postgres().socket_folder() / ".s.PGSQL.5432");
    RelayGround ground({}, proxy.url("buildplan_system", database().name()));
    ground.play([&](RelayGround& g) -> task<> {
        us.write("thing.made");
        co_await g.relay.relay_waiting();  // the statements are prepared by now
        auto const made = us.write("thing.made");
        g.sink.after_add = [&] { proxy.cut_next_answer(); };
        EXPECT_NE(co_await postgres::testing::outcome(g.relay.relay_waiting()), "ok");
        g.sink.after_add = {};
        // The mark arrived and its answer did not.
        for (int i = 0; i < 200 && us.state(made) != "owed"; ++i) co_await sleep_for(5ms);
        EXPECT_EQ(us.state(made), "owed");
        EXPECT_TRUE(g.sink.has(made));
        EXPECT_EQ(co_await g.relay.relay_waiting(), 0u);
    });
    EXPECT_EQ(ground.sink.there.size(), 2u);
}

TEST_F(TheRelay, SharesTheWorkWithOthersWithoutDoingItTwice) {
    us.write_many(2000, "thing.made");
    RelayGround ground({.batch = 50});
    ground.play([&](RelayGround& g) -> task<> {
        outbox::Relay second(g.loop, g.system, g.sink, catalog(), {.batch = 50});
        g.relay.start();
        second.start();
        co_await until([&] { return us.count("relayed_at IS NULL") == "0"; });
        co_await second.stop();
    });
    EXPECT_EQ(ground.sink.there.size(), 2000u);
    EXPECT_EQ(ground.sink.repeats, 0);
}

TEST_F(TheRelay, LooksByItselfWhenNobodyRings) {
    RelayGround ground({.poll = 100ms});
    ground.play([&](RelayGround& g) -> task<> {
        g.relay.start();
        co_await sleep_for(20ms);
        auto const made = us.write("thing.made");
        co_await until([&] { return g.sink.has(made); });
    });
}

TEST_F(TheRelay, HearsTheBellLongBeforeItWouldLook) {
    RelayGround ground({.poll = 60s});
    ground.play([&](RelayGround& g) -> task<> {
        postgres::Listener listener(g.loop, g.offload, postgres::testing::options_for(database().system()),
                                    std::string(outbox::bell_channel), [&g] { g.relay.wake(); });
        postgres::Bell bell(g.loop, g.system, std::string(outbox::bell_channel));
        listener.start();
        g.relay.start();
        co_await until([&] { return listener.live(); });
        co_await sleep_for(50ms);
        auto const made = us.write("thing.made");
        auto const began = std::chrono::steady_clock::now();
        bell.ring();
        co_await until([&] { return g.sink.has(made); });
        EXPECT_LT(std::chrono::steady_clock::now() - began, 500ms);
        co_await bell.close();
    });
}

TEST_F(TheRelay, GoesOnWhenTheQueueIsBack) {
    RelayGround ground({.poll = 20ms});
    ground.play([&](RelayGround& g) -> task<> {
        g.sink.before_add = [] { throw std::runtime_error("the queue cannot be reached"); };
        auto const made = us.write("thing.made");
        g.relay.start();
        co_await until([&] { return g.sink.adds > 3; });
        EXPECT_LT(g.sink.adds, 50) << "it asks in a circle";
        g.sink.before_add = {};
        co_await until([&] { return us.state(made) == "owed"; });
    });
}

TEST_F(TheRelay, TakesFewerOfLargeRowsAtOnce) {
    auto const large = R"({"x":")" + std::string(60'000, 'x') + R"("})";
    for (int i = 0; i < 20; ++i) us.write("thing.made", large);
    RelayGround ground({.batch = 8, .bytes = 200'000});
    ground.play([&](RelayGround& g) -> task<> {
        EXPECT_EQ(co_await g.relay.relay_waiting(), 8u);
        EXPECT_EQ(co_await g.relay.relay_waiting(), 4u);
        EXPECT_EQ(co_await g.relay.relay_waiting(), 2u);
        EXPECT_EQ(co_await g.relay.relay_waiting(), 4u);
    });
}

// What the queue loses.

TEST_F(TheRelay, QueuesAgainWhatIsOwedWhenTheQueueHasLostItsMemory) {
    us.write_many(1200, "thing.made");
    us.write("thing.forgotten");
    RelayGround ground({.poll = 10ms, .look = 10ms});
    ground.play([&](RelayGround& g) -> task<> {
        g.relay.start();
        co_await until([&] { return g.sink.there.size() == 1200 && us.count("relayed_at IS NULL") == "0"; });
        superuser().query(
            "UPDATE outbox SET done_at = now() WHERE organization_id = $1::uuid AND payload->>'number' = '1'",
            {us.id.to_string()});
        superuser().query(
            "UPDATE outbox SET failed_at = now() WHERE organization_id = $1::uuid AND payload->>'number' = '2'",
            {us.id.to_string()});
        g.sink.lose_everything();
        co_await until([&] { return g.sink.there.size() == 1198; });
        co_await sleep_for(50ms);
        EXPECT_EQ(g.sink.there.size(), 1198u) << "what is settled is not owed";
        auto const adds = g.sink.adds;
        co_await sleep_for(50ms);
        EXPECT_EQ(g.sink.adds, adds) << "once is enough";
    });
}

TEST_F(TheRelay, QueuesTheOldestAgainFirst) {
    us.write_many(30, "thing.made");
    RelayGround ground({.batch = 10});
    ground.play([&](RelayGround& g) -> task<> {
        while (co_await g.relay.relay_waiting() > 0) {
        }
        auto const order = g.sink.seen;
        g.sink.seen.clear();
        g.sink.lose_everything();
        while (co_await g.relay.queue_forgotten() > 0) {
        }
        EXPECT_EQ(g.sink.seen.size(), order.size());
        auto const by_age = [](auto const& a, auto const& b) { return a.created_at < b.created_at; };
        EXPECT_TRUE(std::ranges::is_sorted(g.sink.seen, by_age));
    });
}

// The memory is lost between the add and the mark, and another relay has looked already.
TEST_F(TheRelay, MarksARowWithTheEpochThatItWasAddedIn) {
    auto const made = us.write("thing.made");
    RelayGround ground;
    ground.play([&](RelayGround& g) -> task<> {
        g.sink.after_add = [&] { g.sink.lose_everything(); };
        co_await g.relay.relay_waiting();
        g.sink.after_add = {};
        EXPECT_EQ(us.state(made), "owed");
        EXPECT_FALSE(g.sink.has(made));
        EXPECT_EQ(co_await g.relay.queue_forgotten(), 1u);
        EXPECT_TRUE(g.sink.has(made));
        EXPECT_EQ(co_await g.relay.queue_forgotten(), 0u);
    });
}

TEST_F(TheRelay, KilledWhileQueueingAgainIsFollowedByTheNext) {
    us.write_many(40, "thing.made");
    RelayGround ground({.batch = 10});
    ground.play([&](RelayGround& g) -> task<> {
        while (co_await g.relay.relay_waiting() > 0) {
        }
        g.sink.lose_everything();
        co_await g.relay.queue_forgotten();
        g.sink.after_add = [] { throw killed(); };
        EXPECT_EQ(co_await postgres::testing::outcome(g.relay.queue_forgotten()), "other");
        g.sink.after_add = {};
        co_await until([&] {
            return us.value(
                       "SELECT count(*) FROM pg_locks WHERE $1::uuid IS NOT NULL AND mode = "
                       "'RowShareLock' AND relation = 'outbox'::regclass") == "0";
        });
        while (co_await g.relay.queue_forgotten() > 0) {
        }
        EXPECT_EQ(g.sink.there.size(), 40u);
        EXPECT_EQ(us.value("SELECT count(DISTINCT epoch) FROM outbox WHERE organization_id = $1::uuid"), "1");
    });
}

TEST_F(TheRelay, FindsSingleJobsThatTheQueueHasLost) {
    auto const lost = us.write("thing.made");
    auto const there = us.write("thing.made");
    RelayGround ground({.sweep_older = 0ms});
    ground.play([&](RelayGround& g) -> task<> {
        co_await g.relay.relay_waiting();
        g.sink.there.erase(lost.to_string());
        auto const adds = g.sink.adds;
        EXPECT_EQ(co_await g.relay.sweep(), 2u);
        EXPECT_EQ(g.sink.adds, adds + 1);
        EXPECT_EQ(g.sink.seen.size(), 3u);
    });
    EXPECT_TRUE(ground.sink.has(lost));
    EXPECT_TRUE(ground.sink.has(there));
    EXPECT_EQ(ground.sink.repeats, 0);
}

TEST_F(TheRelay, LeavesYoungJobsToTheirWorkers) {
    us.write("thing.made");
    RelayGround ground;
    ground.play([&](RelayGround& g) -> task<> {
        co_await g.relay.relay_waiting();
        g.sink.there.clear();
        EXPECT_EQ(co_await g.relay.sweep(), 0u);
    });
}

TEST_F(TheRelay, BelievesAForeignWorkerThatFinishedAJob) {
    auto const completed = us.write("thing.made");
    auto const failed = us.write("thing.made");
    RelayGround ground({.sweep_older = 0ms});
    ground.play([&](RelayGround& g) -> task<> {
        co_await g.relay.relay_waiting();
        g.sink.there[completed.to_string()].state = Sighting::State::completed;
        g.sink.there[failed.to_string()] = {.state = Sighting::State::failed, .error = "no such host"};
        co_await g.relay.sweep();
    });
    EXPECT_EQ(us.state(completed), "done");
    EXPECT_EQ(us.state(failed), "dead");
    EXPECT_EQ(us.value("SELECT error FROM outbox WHERE organization_id = $1::uuid AND failed_at IS NOT NULL"),
              "no such host");
}

TEST_F(TheRelay, SweepsPageByPage) {
    us.write_many(25, "thing.made");
    RelayGround ground({.batch = 10, .sweep_older = 0ms});
    ground.play([&](RelayGround& g) -> task<> {
        while (co_await g.relay.relay_waiting() > 0) {
        }
        EXPECT_EQ(co_await g.relay.sweep(), 10u);
        EXPECT_EQ(co_await g.relay.sweep(), 10u);
        EXPECT_EQ(co_await g.relay.sweep(), 5u);
        EXPECT_EQ(co_await g.relay.sweep(), 10u) << "it begins anew";
    });
}

TEST_F(TheRelay, HousekeepingKeepsWhatIsOwedOrYoung) {
    auto const age = [&](jobs::EntryId id, char const* set) {
        superuser().query("UPDATE outbox SET relayed_at = now() - interval '8 days', " + std::string(set) +
                              " WHERE organization_id = $1::uuid AND id = $2::uuid",
                          {us.id.to_string(), id.to_string()});
    };
    auto const owed = us.write("a"), done = us.write("a"), event = us.write("a"), dead = us.write("a"),
               long_dead = us.write("a"), waiting = us.write("a"), young = us.write("a");
    age(owed, "queue = 'email'");
    age(done, "queue = 'email', done_at = now()");
    age(event, "queue = NULL");
    age(dead, "queue = 'email', failed_at = now() - interval '7 days'");
    age(long_dead, "queue = 'email', failed_at = now() - interval '91 days'");
    superuser().query("UPDATE outbox SET relayed_at = now(), done_at = now() WHERE id = $1::uuid", {young.to_string()});
    RelayGround ground;
    ground.play([&](RelayGround& g) -> task<> { EXPECT_EQ(co_await outbox::sweep_outbox(g.system), 3u); });
    EXPECT_EQ(us.state(owed), "owed");
    EXPECT_EQ(us.state(done), "gone");
    EXPECT_EQ(us.state(event), "gone");
    EXPECT_EQ(us.state(dead), "dead");
    EXPECT_EQ(us.state(long_dead), "gone");
    EXPECT_EQ(us.state(waiting), "waiting");
    EXPECT_EQ(us.state(young), "done");
}

}  // namespace
}  // namespace buildplan::queue::testing
