#include "queue/fair/index.hpp"

#include <gtest/gtest.h>

#include "redis/test_loop.hpp"

namespace buildplan::queue::fair {
namespace {

using namespace std::chrono_literals;
using redis::connect;
using redis::run;

Lane const lane{.name = "work", .queues = {"agent-jobs", "github"}};
Wish const anybody{.tiers = {Tier::free, Tier::pro, Tier::enterprise}};

Member agent_jobs(OrganizationId organization) { return {organization, "agent-jobs"}; }

// An index of its own in the Redis that all tests share.
struct Fixture {
    std::unique_ptr<redis::Client> client;
    std::unique_ptr<Index> index;
};
task<Fixture> make(Loop& loop) {
    static int count = 0;
    Fixture made;
    made.client = co_await connect(loop, test_support::redis().url());
    made.index = std::make_unique<Index>(*made.client, lane, lane.queues, "{index" + std::to_string(++count) + "}");
    co_return made;
}

Settlement ending(Turn turn, Settlement::Then then, double used = 0, unsigned jobs = 0) {
    return {.turn = std::move(turn),
            .used = std::chrono::duration<double>(used),
            .jobs = jobs,
            .then = then,
            .look_again = 20ms};
}

task<> the_least_served_first(Loop& loop) {
    auto const f = co_await make(loop);
    auto const a = agent_jobs(OrganizationId::make()), b = agent_jobs(OrganizationId::make());
    co_await f.index->signal({a, b});
    auto first = co_await f.index->pick(anybody, 30s);
    EXPECT_TRUE(first->others_ready);
    auto const heavy = first->member;
    auto moved = co_await f.index->settle(ending(*first, Settlement::Then::leave, 10.0, 1), anybody, 30s);
    for (int i = 0; i < 4; ++i) {
        EXPECT_NE(moved.next->member, heavy) << "it has had ten seconds, the other " << i;
        moved = co_await f.index->settle(ending(*moved.next, Settlement::Then::leave, 1.0, 1), anybody, 30s);
    }
    co_await f.client->close();
}
TEST(Index, GivesTheNextTurnToWhoeverHasHadLeast) {
    run([](Loop& loop) { return the_least_served_first(loop); });
}

task<> weights(Loop& loop) {
    auto const f = co_await make(loop);
    auto const heavy = OrganizationId::make(), light = OrganizationId::make();
    co_await f.index->admit({{.organization = heavy, .weight = 3}, {.organization = light}});
    co_await f.index->signal({agent_jobs(heavy), agent_jobs(light)});
    std::map<OrganizationId, int> turns;
    auto turn = co_await f.index->pick(anybody, 30s);
    for (int i = 0; i < 400; ++i) {
        ++turns[turn->member.organization];
        turn = (co_await f.index->settle(ending(*turn, Settlement::Then::leave, 1.0, 1), anybody, 30s)).next;
    }
    EXPECT_NEAR(turns[heavy], 300, 2);
    co_await f.client->close();
}
TEST(Index, SharesTimeByWeight) {
    run([](Loop& loop) { return weights(loop); });
}

task<> two_queues_one_account(Loop& loop) {
    auto const f = co_await make(loop);
    auto const spread = OrganizationId::make(), plain = OrganizationId::make();
    co_await f.index->signal({{spread, "agent-jobs"}, {spread, "github"}, agent_jobs(plain)});
    std::map<Member, int> turns;
    auto turn = co_await f.index->pick(anybody, 30s);
    for (int i = 0; i < 400; ++i) {
        ++turns[turn->member];
        turn = (co_await f.index->settle(ending(*turn, Settlement::Then::leave, 1.0, 1), anybody, 30s)).next;
    }
    EXPECT_NEAR(turns[agent_jobs(plain)], 200, 2);
    EXPECT_GT(turns[(Member{spread, "github"})], 50) << "neither of its queues is passed over";
    EXPECT_GT(turns[agent_jobs(spread)], 50);
    co_await f.client->close();
}
TEST(Index, AnOrganizationGainsNothingBySpreadingItsWorkOverQueues) {
    run([](Loop& loop) { return two_queues_one_account(loop); });
}

task<> refused(Loop& loop) {
    auto const f = co_await make(loop);
    auto const a = agent_jobs(OrganizationId::make());
    co_await f.index->signal({a});
    auto const turn = co_await f.index->pick(anybody, 30s);
    co_await f.index->signal({a});  // an add between the probe and this settlement
    auto const moved = co_await f.index->settle(ending(*turn, Settlement::Then::empty), anybody, 30s);
    EXPECT_TRUE(moved.refused);
    EXPECT_FALSE(moved.next);
    EXPECT_TRUE((co_await f.index->missing({a})).empty());
    auto again = *turn;
    again.generation = moved.generation;
    auto const ended = co_await f.index->settle(ending(again, Settlement::Then::empty), anybody, 30s);
    EXPECT_FALSE(ended.refused);
    EXPECT_FALSE(ended.next);
    EXPECT_EQ((co_await f.index->missing({a})).size(), 1u);
    EXPECT_EQ((co_await f.index->standings()).turns, 0);
    co_await f.client->close();
}
TEST(Index, RefusesToRemoveWhatWasSignalledSince) {
    run([](Loop& loop) { return refused(loop); });
}

task<> saved_tag(Loop& loop) {
    auto const f = co_await make(loop);
    auto const trickler = agent_jobs(OrganizationId::make()), other = agent_jobs(OrganizationId::make());
    co_await f.index->signal({trickler});
    auto turn = co_await f.index->pick(anybody, 30s);
    co_await f.index->settle(ending(*turn, Settlement::Then::empty, 100.0, 1), std::nullopt, 30s);
    co_await f.index->signal({other});
    co_await f.index->signal({trickler});
    for (int i = 0; i < 3; ++i) {
        turn = co_await f.index->pick(anybody, 30s);
        EXPECT_EQ(turn->member, other) << "leaving for a moment does not make it forgotten what it has had";
        co_await f.index->settle(ending(*turn, Settlement::Then::leave, 10.0, 1), std::nullopt, 30s);
    }
    co_await f.client->close();
}
TEST(Index, RemembersWhatAnOrganizationHasHadWhileItIsAway) {
    run([](Loop& loop) { return saved_tag(loop); });
}

task<> newcomer(Loop& loop) {
    auto const f = co_await make(loop);
    auto const old = agent_jobs(OrganizationId::make()), fresh = agent_jobs(OrganizationId::make());
    co_await f.index->signal({old});
    auto turn = co_await f.index->pick(anybody, 30s);
    for (int i = 0; i < 10; ++i) {
        turn = (co_await f.index->settle(ending(*turn, Settlement::Then::leave, 10.0, 1), anybody, 30s)).next;
    }
    co_await f.index->settle(ending(*turn, Settlement::Then::leave, 10.0, 1), std::nullopt, 30s);
    co_await f.index->signal({fresh});
    std::map<Member, int> turns;
    turn = co_await f.index->pick(anybody, 30s);
    for (int i = 0; i < 20; ++i) {
        ++turns[turn->member];
        turn = (co_await f.index->settle(ending(*turn, Settlement::Then::leave, 10.0, 1), anybody, 30s)).next;
    }
    EXPECT_NEAR(turns[old], 10, 2) << "who comes late shares from now on, and is not owed the past";
    co_await f.client->close();
}
TEST(Index, ANewcomerSharesFromNowOn) {
    run([](Loop& loop) { return newcomer(loop); });
}

task<> due_again(Loop& loop) {
    auto const f = co_await make(loop);
    auto const a = agent_jobs(OrganizationId::make());
    co_await f.index->signal({a});
    auto const turn = co_await f.index->pick(anybody, 30s);
    co_await f.index->settle(ending(*turn, Settlement::Then::later), std::nullopt, 30s);
    EXPECT_FALSE(co_await f.index->pick(anybody, 30s));
    EXPECT_TRUE((co_await f.index->missing({a})).empty());
    auto const soon = co_await f.index->due(100);
    EXPECT_EQ(soon.signalled, 0u);
    EXPECT_LE(soon.next.value(), 20ms);
    co_await sleep_for(25ms);
    EXPECT_EQ((co_await f.index->due(100)).signalled, 1u);
    EXPECT_EQ((co_await f.index->pick(anybody, 30s))->member, a);
    co_await f.client->close();
}
TEST(Index, LooksAgainWhenItIsDue) {
    run([](Loop& loop) { return due_again(loop); });
}

task<> reaped(Loop& loop) {
    auto const f = co_await make(loop);
    auto const a = agent_jobs(OrganizationId::make()), b = agent_jobs(OrganizationId::make());
    co_await f.index->signal({a, b});
    auto const dead = co_await f.index->pick(anybody, 20ms);
    auto const alive = co_await f.index->pick(anybody, 20ms);
    co_await f.index->settle(ending(*dead, Settlement::Then::empty), std::nullopt, 20ms);  // out of the index …
    auto const crashed = co_await f.index->pick(anybody, 20ms);
    for (int i = 0; i < 3; ++i) {
        co_await sleep_for(15ms);
        auto const renewed = co_await f.index->renew({{alive->number, alive->member, 0s}}, 20ms);
        EXPECT_TRUE(renewed.at(0));
    }
    for (int visit = 1; visit <= 3; ++visit) {
        auto const lost = co_await f.index->reap(100, 10ms);
        EXPECT_EQ(lost.size(), 1u);
        EXPECT_EQ(lost.at(0).member, crashed->member);
        EXPECT_EQ(lost.at(0).visit, visit);
        EXPECT_TRUE((co_await f.index->missing({crashed->member})).empty());
        EXPECT_TRUE((co_await f.index->reap(100, 10ms)).empty()) << "not twice at once";
        co_await sleep_for(12ms);
        co_await f.index->renew({{alive->number, alive->member, 0s}}, 20ms);
    }
    EXPECT_TRUE((co_await f.index->reap(100, 10ms)).empty());
    EXPECT_FALSE((co_await f.index->renew({{crashed->number, crashed->member, 0s}}, 20ms)).at(0));
    EXPECT_EQ((co_await f.index->standings()).turns, 1);
    co_await f.client->close();
}
TEST(Index, VisitsATurnThatNobodyRenewedThreeTimes) {
    run([](Loop& loop) { return reaped(loop); });
}

task<> slot_classes(Loop& loop) {
    auto const f = co_await make(loop);
    auto const free = OrganizationId::make(), pro = OrganizationId::make(), enterprise = OrganizationId::make();
    co_await f.index->admit(
        {{.organization = pro, .tier = Tier::pro, .cap = 7}, {.organization = enterprise, .tier = Tier::enterprise}});
    co_await f.index->signal({agent_jobs(free), agent_jobs(pro), agent_jobs(enterprise)});
    Wish const reserved{.tiers = {Tier::enterprise}}, of_pro{.tiers = {Tier::pro, Tier::enterprise}};
    for (int i = 0; i < 3; ++i) {
        auto const turn = co_await f.index->pick(reserved, 30s);
        EXPECT_EQ(turn->member.organization, enterprise);
        EXPECT_EQ(turn->tier, Tier::enterprise);
        auto const second = co_await f.index->pick(of_pro, 30s);
        EXPECT_EQ(second->member.organization, pro);
        EXPECT_EQ(second->cap, 7);
        EXPECT_EQ((co_await f.index->pick(anybody, 30s))->member.organization, free);
    }
    // In mid-turn the organization is moved to another tier.
    auto const turn = co_await f.index->pick(reserved, 30s);
    EXPECT_EQ(co_await f.index->admit({{.organization = enterprise, .tier = Tier::free}}), 1);
    EXPECT_EQ(co_await f.index->admit({{.organization = enterprise, .tier = Tier::free}}), 0);
    EXPECT_FALSE((co_await f.index->settle(ending(*turn, Settlement::Then::ready, 1.0, 1), reserved, 30s)).next);
    std::set<OrganizationId> seen;
    for (int i = 0; i < 2; ++i)
        seen.insert((co_await f.index->pick({.tiers = {Tier::free}}, 30s))->member.organization);
    EXPECT_TRUE(seen.contains(enterprise));
    co_await f.client->close();
}
TEST(Index, ServesTheTiersThatASlotIsFor) {
    run([](Loop& loop) { return slot_classes(loop); });
}

task<> tokens(Loop& loop) {
    auto const f = co_await make(loop);
    auto const key = f.index->wake_lists(Tier::free).at(0);
    std::vector<Member> many;
    for (int i = 0; i < 300; ++i) many.push_back(agent_jobs(OrganizationId::make()));
    co_await f.index->signal(many);
    EXPECT_EQ((co_await f.client->command("LLEN", key)).as_integer(), 64) << "bounded";
    for (auto const& member : many) {
        auto const turn = co_await f.index->pick(anybody, 30s);
        EXPECT_TRUE(turn) << member.to_string();
        co_await f.index->settle(ending(*turn, Settlement::Then::empty), std::nullopt, 30s);
    }
    EXPECT_FALSE(co_await f.index->pick(anybody, 30s));
    EXPECT_EQ((co_await f.client->command("LLEN", key)).as_integer(), 0) << "nothing there, nobody to wake";
    co_await f.client->close();
}
TEST(Index, KeepsABoundedListOfTokensToWakeBy) {
    run([](Loop& loop) { return tokens(loop); });
}

task<> promises(Loop& loop) {
    auto const f = co_await make(loop);
    auto const a = OrganizationId::make(), b = OrganizationId::make();
    co_await f.index->announce("one/0", 4, 30s);
    co_await f.index->announce("one/1", 6, 30s);
    EXPECT_FALSE((co_await f.index->promise(a, 1)).admitted) << "nothing is left when the only process is lost";
    co_await f.index->announce("two", 6, 30s);
    EXPECT_EQ((co_await f.index->promise(a, 4)).surviving, 6);
    EXPECT_FALSE((co_await f.index->promise(b, 3)).admitted);
    EXPECT_TRUE((co_await f.index->promise(b, 2)).admitted);
    EXPECT_FALSE((co_await f.index->promise(a, 5)).admitted);
    EXPECT_TRUE((co_await f.index->promise(a, 0)).admitted);
    EXPECT_TRUE((co_await f.index->promise(b, 6)).admitted);
    co_await f.index->announce("one/0", 4, 0ms);
    co_await f.index->announce("one/1", 6, 0ms);
    co_await sleep_for(3ms);
    EXPECT_EQ((co_await f.index->promise(a, 0)).surviving, 0) << "a process that says nothing any more does not count";
    co_await f.client->close();
}
TEST(Index, AdmitsGuaranteesOnlyWhileTheyFitWhatSurvivesTheLossOfOneProcess) {
    run([](Loop& loop) { return promises(loop); });
}

TEST(Member, IsTheOrganizationsUuidAndAQueueAndNothingElse) {
    auto const id = *OrganizationId::parse("018f4d5e-0000-7000-8000-0123456789ab");
    Member const member{id, "agent-jobs"};
    EXPECT_EQ(member.to_string(), "018f4d5e-0000-7000-8000-0123456789ab:agent-jobs");
    EXPECT_EQ(Member::parse(member.to_string()), member);
    EXPECT_EQ(Member::of_marker(member.keys()[bullmq::QueueKeys::marker]), member);
    EXPECT_FALSE(Member::of_marker(member.keys()[bullmq::QueueKeys::meta]));
    EXPECT_FALSE(Member::of_marker("buildplan:{018F4D5E-0000-7000-8000-0123456789AB}:agent-jobs:marker"));
    EXPECT_FALSE(Member::of_marker("buildplan:{018f4d5e-0000-7000-8000-0123456789ab}:a:b:marker"));
    EXPECT_FALSE(Member::of_marker("buildplan:{018f4d5e-0000-7000-8000-0123456789ab}::marker"));
    EXPECT_FALSE(Member::of_marker("buildplan:{x}:agent-jobs:marker"));
    EXPECT_FALSE(Member::parse("018f4d5e-0000-7000-8000-0123456789ab"));
    EXPECT_FALSE(Member::parse(""));
}

}  // namespace
}  // namespace buildplan::queue::fair
