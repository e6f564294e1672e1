// "Every effect is there exactly once", whatever is killed: the product's relay and workers, as processes of their own,
// with kill -9 at random moments for them, for Redis and for PostgreSQL.
//
//   BUILDPLAN_CHAOS_SEED=7      one seed, one that failed say
//   BUILDPLAN_CHAOS_SEEDS=100   from 1 to that; 10 otherwise
//   BUILDPLAN_CHAOS_JOBS=50000  in each; 20,000 otherwise
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "run.hpp"
#include "verdict.hpp"

namespace buildplan::chaos {
namespace {

std::uint64_t wish(char const* name, std::uint64_t otherwise) {
    auto const* const text = std::getenv(name);
    return text != nullptr && *text != '\0' ? std::stoull(text) : otherwise;
}

std::vector<std::uint64_t> seeds() {
    if (auto const one = wish("BUILDPLAN_CHAOS_SEED", 0); one != 0) return {one};
    std::vector<std::uint64_t> all;
    auto const count = std::max<std::uint64_t>(wish("BUILDPLAN_CHAOS_SEEDS", 10), 1);  // none would pass
    for (std::uint64_t seed = 1; seed <= count; ++seed) all.push_back(seed);
    return all;
}

class Chaos : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(Chaos, LeavesEachEffectThereExactlyOnce) {
    auto const outcome = run({.seed = GetParam(), .jobs = wish("BUILDPLAN_CHAOS_JOBS", 20'000)});
    fmt::print("{}\n", outcome.summary);
    std::fflush(stdout);
    for (auto const& wrong : outcome.wrong) ADD_FAILURE() << wrong;
    if (HasFailure()) ADD_FAILURE() << "again: BUILDPLAN_CHAOS_SEED=" << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Seed, Chaos, ::testing::ValuesIn(seeds()),
                         [](auto const& info) { return std::to_string(info.param); });

// The same blows and the same verdict, and workers whose effect is not of the transaction that marks the job.
TEST(TheVerdict, FindsWorkersOutWhoAreCareless) {
    auto const outcome = run({.seed = 4711, .jobs = 2'000, .blows = 12, .crew = {.careless = true, .slow = 300}});
    fmt::print("careless workers, {}\n", outcome.summary);
    bool const twice = std::ranges::any_of(outcome.wrong, [](std::string const& line) {
        return line.starts_with("not there once: job ") && !line.ends_with("has 0 effects");
    });
    EXPECT_TRUE(twice) << "nobody has noticed: " << fmt::format("{}", fmt::join(outcome.wrong, "; "));
}

// Facts made up by hand: one job done as it should be, and what else may be there.
class TheVerdictOn : public ::testing::Test {
protected:
    TheVerdictOn() : superuser(Servers::get().postgres().url()) {
        make_effects(superuser);
        superuser.execute("TRUNCATE outbox");
        (void)redis().ask("FLUSHALL");
        job = write("now()");
        effect(us, job);
    }
    static test_support::RedisServer& redis() { return Servers::get().redis(); }
    std::string write(std::string const& done_at, std::string const& failed_at = "NULL") {
        return superuser
            .value(
                "INSERT INTO outbox (organization_id, topic, payload, relayed_at, queue, done_at, failed_at) VALUES "
                "($1::uuid, 'chaos.work', '{}', now(), 'documents', " +
                    done_at + ", " + failed_at + ") RETURNING id",
                {us.to_string()})
            .value();
    }
    void effect(OrganizationId organization, std::string const& of) {
        superuser.query("INSERT INTO chaos_effects (organization_id, job_id) VALUES ($1::uuid, $2::uuid)",
                        {organization.to_string(), of});
    }
    std::string ledger() {
        auto const lines = wrong_in_the_ledger(superuser, acknowledged);
        return fmt::format("{}", fmt::join(lines, "; "));
    }
    std::size_t left() const {
        auto const organizations = std::array{us};
        return left_in_the_queues(redis(), organizations).size();
    }
    std::string key(std::string_view type) const {
        return fmt::format("buildplan:{{{}}}:documents:{}", us.to_string(), type);
    }

    postgres::Session superuser;
    OrganizationId us = OrganizationId::make();
    std::string job;
    std::vector<std::string> acknowledged;
};

TEST_F(TheVerdictOn, WhatIsAsItShouldBeIsNothing) {
    acknowledged = {job};
    EXPECT_EQ(ledger(), "");
    EXPECT_EQ(left(), 0u);
}
TEST_F(TheVerdictOn, AnEffectThatIsThereTwice) {
    effect(us, job);
    EXPECT_EQ(ledger(), "not there once: job " + job + " has 2 effects");
}
TEST_F(TheVerdictOn, AnEffectThatIsMissing) {
    auto const other = write("now()");
    EXPECT_EQ(ledger(), "not there once: job " + other + " has 0 effects");
}
TEST_F(TheVerdictOn, AnEffectOfWhatWasRolledBack) {
    auto const nothing = OrganizationId::make().to_string();
    effect(us, nothing);
    EXPECT_EQ(ledger(), fmt::format("an effect of nothing: job {} of {}", nothing, us.to_string()));
}
TEST_F(TheVerdictOn, AnEffectInAnotherOrganization) {
    auto const them = OrganizationId::make();
    effect(them, job);
    EXPECT_EQ(ledger(), fmt::format("an effect of nothing: job {} of {}", job, them.to_string()));
}
TEST_F(TheVerdictOn, AJobThatIsOwedStill) {
    auto const other = write("NULL");
    effect(us, other);
    EXPECT_EQ(ledger(), "not done: job " + other + ", owed");
}
TEST_F(TheVerdictOn, AJobThatIsDead) {
    auto const other = write("NULL", "now()");
    effect(us, other);
    EXPECT_EQ(ledger(), "not done: job " + other + ", dead: for no reason");
}
TEST_F(TheVerdictOn, AnEventThatTheDatabaseHasLost) {
    acknowledged = {job, us.to_string()};
    EXPECT_EQ(ledger(), "acknowledged and not there: " + us.to_string());
}
TEST_F(TheVerdictOn, MoreThanAPageOfIt) {
    for (int i = 0; i < 25; ++i) write("now()");
    EXPECT_TRUE(ledger().ends_with("not there once: 25 in all")) << ledger();
}
TEST_F(TheVerdictOn, WhatIsLeftInAQueue) {
    for (auto const* const list : {"wait", "active", "paused"})
        (void)redis().ask(fmt::format("RPUSH {} {}", key(list), job));
    EXPECT_EQ(left(), 3u);
    for (auto const* const list : {"delayed", "prioritized", "failed", "waiting-children"})
        (void)redis().ask(fmt::format("ZADD {} 1 {}", key(list), job));
    (void)redis().ask(fmt::format("HSET {} name effect", key(job)));
    EXPECT_EQ(left(), 7u) << "the hash is that of the failed job";
    (void)redis().ask(fmt::format("SADD {} {}", key("stalled"), job));
    (void)redis().ask(fmt::format("SET {} token", key(job + ":lock")));
    (void)redis().ask(fmt::format("HSET {} name effect", key(us.to_string())));
    EXPECT_EQ(left(), 10u);
}

}  // namespace
}  // namespace buildplan::chaos
