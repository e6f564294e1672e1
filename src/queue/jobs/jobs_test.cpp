#include <gtest/gtest.h>

#include "queue/jobs/context.hpp"
#include "queue/jobs/ledger.hpp"
#include "queue/jobs/principal.hpp"
#include "queue/outbox/test_outbox.hpp"

namespace buildplan::queue::testing {
namespace {

using jobs::Destination;
using jobs::Entry;

TEST(JobIds, NameTheRowAndItsRound) {
    Entry const first{.id = jobs::EntryId::make()}, third{.id = first.id, .round = 2};
    EXPECT_EQ(first.job_id(), first.id.to_string());
    EXPECT_EQ(third.job_id(), first.id.to_string() + ".2");
    EXPECT_EQ(Entry::parse(first.job_id()), first);
    EXPECT_EQ(Entry::parse(third.job_id()), third);
}

TEST(JobIds, OfOthersAreNoEntries) {
    auto const id = jobs::EntryId::make().to_string();
    for (auto const& foreign :
         {std::string("1"), std::string("repeat:abc:17"), id + ".", id + ".0", id + ".-1", id + ".1x", id + "x",
          id.substr(1), std::string("9b2f1f6e-0f0e-4c59-9d2e-3a8c5d1e7f00"), std::string()})
        EXPECT_FALSE(Entry::parse(foreign)) << foreign;
}

TEST(TheCatalog, SendsEventsToWhoeverTakesThem) {
    auto const to = [](std::string_view topic) {
        auto const found = catalog().destination(topic);
        if (found.kind == Destination::Kind::nobody) return std::string("nobody");
        if (found.kind == Destination::Kind::misdirected) return std::string("misdirected");
        return fmt::format("{}/{} {}", found.queue, found.name, found.policy.attempts);
    };
    EXPECT_EQ(to("thing.made"), "webhook/deliver 7");
    EXPECT_EQ(to("thing.changed"), "webhook/deliver 7");
    EXPECT_EQ(to("thing.changed.twice"), "nobody");
    EXPECT_EQ(to("news.at_ten"), "notifications/tell 3");
    EXPECT_EQ(to("news"), "nobody");
    EXPECT_EQ(to("newspaper.made"), "nobody");
    EXPECT_EQ(to("job.webhook.deliver"), "webhook/deliver 7");
    EXPECT_EQ(to("job.agent-jobs.run.step"), "agent-jobs/run.step 3");
    EXPECT_EQ(to("job.mail.deliver"), "misdirected");
    EXPECT_EQ(to("job.email"), "misdirected");
    EXPECT_EQ(to("job.email.Deliver"), "misdirected");
    EXPECT_EQ(to(""), "nobody");
}

TEST(TheCatalog, KnowsAPingInEveryQueue) {
    for (auto const queue : jobs::queues::all) EXPECT_NE(catalog().find(queue, "ping"), nullptr) << queue;
    EXPECT_EQ(catalog().find("webhook", "tell"), nullptr);
}

TEST(TheCatalog, HasOneRowForANameAndOneTakerForATopic) {
    static constexpr jobs::JobType again[] = {{jobs::queues::webhook, "deliver", do_nothing}};
    static constexpr jobs::JobType taker[] = {{jobs::queues::email, "send", do_nothing, jobs::on("thing.made")}};
    static constexpr std::span<jobs::JobType const> twice[] = {test_jobs, again}, two_takers[] = {test_jobs, taker};
    EXPECT_THROW(jobs::Catalog{twice}, std::logic_error);
    EXPECT_THROW(jobs::Catalog{two_takers}, std::logic_error);
}

TEST(AnError, IsKeptAsTextThatPostgresTakes) {
    std::string const bad{"no\0thing\xff here", 14};
    EXPECT_EQ(jobs::kept_error(bad), "no\xEF\xBF\xBDthing\xEF\xBF\xBD here");
    EXPECT_LE(jobs::kept_error(std::string(100'000, 'x')).size(), 4000u);
    EXPECT_FALSE(jobs::kept_error("").empty());
}

// ------------------------------------------------------------------------------------------------------- the ledger

struct Silent final : jobs::Reporter {
    task<> progress(std::string) override { co_return; }
    task<> note(std::string) override { co_return; }
};

class AJob : public ::testing::Test {
protected:
    AJob() { superuser().execute("DELETE FROM outbox"); }

    // As a worker would have it.
    struct Attempt {
        Attempt(RelayGround& ground, OrganizationId organization, std::string id)
            : context({.organization = organization, .queue = "webhook", .id = std::move(id), .name = "deliver"},
                      no_shard(), ground.app, Log{}, silent) {}
        static api::Shard& no_shard() {
            static std::max_align_t nothing;
            return reinterpret_cast<api::Shard&>(nothing);  // nobody looks into it
        }
        Silent silent;
        jobs::JobContext context;
    };
    // An event and its effect, in the transaction that completes the job.
    using AddEffect =
        postgres::testing::Sql<"test.add_effect",
                               "INSERT INTO outbox (organization_id, topic, payload) "
                               "VALUES (current_setting('app.current_organization_id')::uuid, 'effect', '{}')",
                               void>;
    static task<> act(jobs::JobContext& context) {
        auto tx = co_await context.begin();
        AddEffect const effect;
        co_await tx.run(effect);
        co_await tx.commit();
    }
    task<jobs::EntryId> queued(RelayGround& ground) {
        auto const id = us.write("thing.made");
        co_await ground.relay.relay_waiting();
        co_return id;
    }
    [[nodiscard]] std::string effects() const { return us.count("topic = 'effect'"); }

    Tenant us, them;
};

TEST_F(AJob, IsDoneInTheTransactionOfItsEffects) {
    RelayGround ground;
    ground.play([&](RelayGround& g) -> task<> {
        auto const id = co_await queued(g);
        Attempt attempt(g, us.id, id.to_string());
        auto tx = co_await attempt.context.begin();
        AddEffect const effect;
        co_await tx.run(effect);
        EXPECT_EQ(us.state(id), "owed");
        EXPECT_EQ(effects(), "0");
        co_await tx.commit();
        EXPECT_EQ(us.state(id), "done");
        EXPECT_EQ(effects(), "1");
    });
}

TEST_F(AJob, ThatRollsBackIsStillOwed) {
    RelayGround ground;
    ground.play([&](RelayGround& g) -> task<> {
        auto const id = co_await queued(g);
        {
            Attempt attempt(g, us.id, id.to_string());
            auto tx = co_await attempt.context.begin();
            AddEffect const effect;
            co_await tx.run(effect);
            co_await tx.rollback();
        }
        EXPECT_EQ(us.state(id), "owed");
        EXPECT_EQ(effects(), "0");
    });
}

TEST_F(AJob, ThatWasDoneHasNoSecondEffect) {
    RelayGround ground;
    ground.play([&](RelayGround& g) -> task<> {
        auto const id = co_await queued(g);
        Attempt first(g, us.id, id.to_string()), second(g, us.id, id.to_string());
        co_await act(first.context);
        bool settled = false;
        try {
            co_await act(second.context);
        } catch (jobs::Settled const&) {
            settled = true;
        }
        EXPECT_TRUE(settled);
        EXPECT_EQ(effects(), "1");
        EXPECT_FALSE(co_await jobs::is_owed(g.app, second.context.principal(), {.id = id}));
    });
}

TEST_F(AJob, DoneByTwoAtOnceHasOneEffect) {
    RelayGround ground;
    ground.play([&](RelayGround& g) -> task<> {
        auto const id = co_await queued(g);
        std::vector<std::unique_ptr<Attempt>> attempts;
        std::vector<std::unique_ptr<postgres::testing::Beside>> beside;
        for (int i = 0; i < 4; ++i) {
            attempts.push_back(std::make_unique<Attempt>(g, us.id, id.to_string()));
            beside.push_back(std::make_unique<postgres::testing::Beside>());
            beside.back()->start(g.loop, act(attempts.back()->context));
        }
        co_await until([&] { return std::ranges::all_of(beside, [](auto const& each) { return each->ended; }); });
        EXPECT_EQ(std::ranges::count_if(beside, [](auto const& each) { return !each->error; }), 1);
        EXPECT_EQ(effects(), "1");
        EXPECT_EQ(us.state(id), "done");
    });
}

TEST_F(AJob, OfAnotherOrganizationIsNotItsToMark) {
    RelayGround ground;
    ground.play([&](RelayGround& g) -> task<> {
        auto const id = co_await queued(g);
        auto const principal = jobs::JobPrincipal::of(them.id);
        EXPECT_FALSE(co_await jobs::is_owed(g.app, principal, {.id = id}));
        EXPECT_FALSE(co_await jobs::mark_done(g.app, principal, {.id = id}));
        EXPECT_FALSE(co_await jobs::mark_dead(g.app, principal, {.id = id}, "mine now", 1));
        EXPECT_EQ(us.state(id), "owed");
    });
}

TEST_F(AJob, ThatFailedForGoodKeepsItsError) {
    RelayGround ground;
    ground.play([&](RelayGround& g) -> task<> {
        auto const id = co_await queued(g);
        auto const principal = jobs::JobPrincipal::of(us.id);
        EXPECT_TRUE(co_await jobs::mark_dead(g.app, principal, {.id = id}, "no such host", 3));
        EXPECT_FALSE(co_await jobs::mark_dead(g.app, principal, {.id = id}, "another reason", 3));
        EXPECT_FALSE(co_await jobs::mark_done(g.app, principal, {.id = id}));
        EXPECT_FALSE(co_await jobs::is_owed(g.app, principal, {.id = id}));
        EXPECT_EQ(us.value("SELECT error || attempts FROM outbox WHERE organization_id = $1::uuid"), "no such host3");
        EXPECT_EQ(us.state(id), "dead");
    });
}

TEST_F(AJob, OfAnEarlierRoundIsSettled) {
    RelayGround ground;
    ground.play([&](RelayGround& g) -> task<> {
        auto const id = co_await queued(g);
        superuser().query("UPDATE outbox SET round = 1 WHERE id = $1::uuid", {id.to_string()});
        auto const principal = jobs::JobPrincipal::of(us.id);
        EXPECT_FALSE(co_await jobs::is_owed(g.app, principal, {.id = id}));
        EXPECT_FALSE(co_await jobs::mark_done(g.app, principal, {.id = id}));
        EXPECT_TRUE(co_await jobs::is_owed(g.app, principal, {.id = id, .round = 1}));
        EXPECT_TRUE(co_await jobs::mark_done(g.app, principal, {.id = id, .round = 1}));
    });
}

TEST_F(AJob, OfSomebodyElsesMakingHasATransactionToo) {
    RelayGround ground;
    ground.play([&](RelayGround& g) -> task<> {
        Attempt attempt(g, us.id, "42");
        EXPECT_FALSE(attempt.context.entry());
        co_await act(attempt.context);
        EXPECT_EQ(effects(), "1");
    });
}

TEST_F(AJob, ActsAsTheSystemAndMayAskForNothing) {
    auto const principal = jobs::JobPrincipal::of(us.id);
    EXPECT_EQ(Actor::of(principal).kind, Actor::Kind::system);
    EXPECT_TRUE(principal.has_organization());
    EXPECT_FALSE(principal.may("workspaces.read"));
}

}  // namespace
}  // namespace buildplan::queue::testing
