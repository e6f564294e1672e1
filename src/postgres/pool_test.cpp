#include "postgres/pool.hpp"

#include <gtest/gtest.h>

#include "postgres/retry.hpp"
#include "postgres/test_pool.hpp"

namespace buildplan::postgres::testing {
namespace {

task<> each_sees_its_own(Ground&, Pool& pool) {
    auto const one = somebody(), other = somebody();
    co_await pool.run(one, AddNote("mine"));
    co_await pool.run(other, AddNote("theirs"));
    EXPECT_EQ(co_await pool.all(one, NoteBodies()), std::vector<std::string>{"mine"});
    EXPECT_EQ(co_await pool.all(other, NoteBodies()), std::vector<std::string>{"theirs"});

    auto tx = pool.begin(other);
    EXPECT_EQ(co_await tx.all(NoteBodies()), std::vector<std::string>{"theirs"});
    co_await tx.commit();
}
TEST(Pool, EachTenantSeesItsOwnRowsOnly) { on_pool(each_sees_its_own); }

task<> write_for_another(Ground&, Pool& pool) {
    auto const one = somebody(), other = somebody();
    EXPECT_EQ(co_await outcome(pool.run(one, AddNoteFor(other.organization().value, "planted"))), "42501");
    EXPECT_TRUE((co_await pool.all(other, NoteBodies())).empty());
}
TEST(Pool, ARowForAnotherTenantIsRefused) { on_pool(write_for_another); }

task<> pipelines(Ground&, Pool& pool) {
    auto const who = somebody();
    auto const made = co_await pool.pipeline(who, AddNote("a"), AddNote("b"), NoteBodies(), CountNotes());
    EXPECT_EQ(std::get<0>(made), 1u);
    EXPECT_EQ(std::get<2>(made), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(std::get<3>(made), 2);
    // All or nothing.
    EXPECT_EQ(co_await outcome(pool.pipeline(who, AddNote("c"), DivideByZero(0), AddNote("d"))), "22012");
    EXPECT_EQ(co_await pool.one(who, CountNotes()), 2);
}
TEST(Pool, SeveralStatementsInOneTripAreOneTransaction) { on_pool(pipelines); }

task<> commits(Ground&, Pool& pool) {
    auto const who = somebody();
    {
        auto tx = pool.begin(who);
        EXPECT_FALSE(tx.open());
        EXPECT_EQ(co_await tx.run(AddNote("kept")), 1u);
        EXPECT_TRUE(tx.open());
        EXPECT_EQ(co_await pool.one(who, CountNotes()), 0);
        co_await tx.commit();
        EXPECT_FALSE(tx.open());
        EXPECT_EQ(co_await outcome(tx.run(AddNote("late"))), "other");
    }
    {
        auto tx = pool.begin(who);
        co_await tx.run(AddNote("dropped"));
        co_await tx.rollback();
    }
    {
        auto tx = pool.begin(who);
        co_await tx.run(AddNote("forgotten"));
    }
    {
        auto tx = pool.begin(who);
        co_await tx.run(AddNote("first"));
        EXPECT_EQ(co_await tx.commit_with(AddNote("second")), 1u);
    }
    {
        auto tx = pool.begin(who);
        co_await tx.commit_with(AddNote("alone"));
    }
    {
        auto tx = pool.begin(who, Lane::exclusive, Isolation::serializable);
        co_await tx.commit_with(AddNote("strict"));
    }
    {
        auto tx = pool.begin(who);  // never used
        co_await tx.commit();
    }
    EXPECT_EQ(co_await pool.all(who, NoteBodies()),
              (std::vector<std::string>{"alone", "first", "kept", "second", "strict"}));
}
TEST(Transaction, IsKeptWhenCommittedAndOnlyThen) { on_pool(commits); }

task<> steering(Ground&, Pool& pool) {
    auto const who = somebody();
    co_await pool.run(who, AddNote("twice"));
    bool seen = false;
    try {
        co_await pool.run(who, AddNote("twice"));
    } catch (Error const& error) {
        seen = error.violates("notes_body_key") && error.table() == "notes" && error.statement() == "add_note" &&
               !error.violates("notes_number_key") && !error.retryable();
    }
    EXPECT_TRUE(seen);
    // A constraint that is looked at only when the transaction commits.
    EXPECT_EQ(co_await outcome(pool.pipeline(who, AddNumbered("x", 1), AddNumbered("y", 1))), "23505");
    auto tx = pool.begin(who);
    co_await tx.pipeline(AddNumbered("x", 1), AddNumbered("y", 1));
    EXPECT_EQ(co_await outcome(tx.commit()), "23505");
    EXPECT_EQ(co_await pool.one(who, CountNotes()), 1);
}
TEST(Transaction, BrokenConstraintsAreNamed) { on_pool(steering); }

task<> failed_stays_failed(Ground&, Pool& pool) {
    auto const who = somebody();
    auto tx = pool.begin(who);
    co_await tx.run(AddNote("lost"));
    EXPECT_EQ(co_await outcome(tx.one(DivideByZero(0))), "22012");
    EXPECT_EQ(co_await outcome(tx.run(AddNote("lost too"))), "25P02");
    EXPECT_EQ(co_await outcome(tx.commit()), "25P02");
    co_await tx.rollback();
    EXPECT_EQ(co_await pool.one(who, CountNotes()), 0);
}
TEST(Transaction, AfterAnErrorItCanOnlyBeRolledBack) { on_pool(failed_stays_failed); }

using OpenAccount = Sql<"open_account", "INSERT INTO accounts (id, balance) VALUES ($1, 0)", void, std::int32_t>;

struct Race {
    unsigned readers = 0;
    unsigned attempts = 0;
};
// Writes what it has read once both racers have read, so that one of them must fail.
task<> add_to_balance(Pool& pool, Principal const& who, Race& race) {
    ++race.attempts;
    auto tx = pool.begin(who, Lane::exclusive, Isolation::serializable);
    auto const balance = co_await tx.one(ReadBalance(1));
    ++race.readers;
    co_await until([&] { return race.readers >= 2; });
    co_await tx.commit_with(WriteBalance(1, *balance + 1));
}
task<> add_with_retries(Pool& pool, Principal who, Race& race) {
    co_await with_retries([&] { return add_to_balance(pool, who, race); });
}

task<> conflicts(Ground& ground, Pool& pool) {
    auto const who = somebody();
    co_await pool.run(who, OpenAccount(1));
    Race race;
    std::array<Beside, 2> racers;
    for (auto& each : racers) each.start(ground.loop, add_with_retries(pool, who, race));
    co_await until([&] { return std::ranges::all_of(racers, &Beside::ended); });
    for (auto& each : racers) EXPECT_EQ(name_of(each.error), "ok");
    EXPECT_EQ(co_await pool.one(who, ReadBalance(1)), 2);
    EXPECT_EQ(race.attempts, 3u);
}
TEST(Retry, ASerializationFailureIsRunAgain) { on_pool(conflicts); }

task<> always_conflicting(unsigned& attempts) {
    ++attempts;
    throw Error({.sqlstate = "40001"});
    co_return;
}
task<> never_conflicting(unsigned& attempts) {
    ++attempts;
    throw Error({.sqlstate = "23505"});
    co_return;
}
task<> bounded_retries(Ground&) {
    unsigned attempts = 0;
    EXPECT_EQ(co_await outcome(with_retries([&] { return always_conflicting(attempts); }, {.attempts = 3})), "busy");
    EXPECT_EQ(attempts, 3u);
    attempts = 0;
    EXPECT_EQ(co_await outcome(with_retries([&] { return never_conflicting(attempts); })), "23505");
    EXPECT_EQ(attempts, 1u);
}
TEST(Retry, EndsAfterItsLastAttemptAndLeavesOtherErrorsAlone) { on_ground(bounded_retries); }

task<> system_work(Ground& ground) {
    auto const one = somebody(), other = somebody();
    Pool pool(ground.loop, ground.offload, options_for(database().app()));
    SystemPool system(ground.loop, ground.offload, options_for(database().system()));
    co_await pool.run(one, AddNote("a"));
    co_await pool.run(other, AddNote("b"));
    auto const owners = co_await system.all("count_notes", OwnersOfNotes());
    EXPECT_EQ(std::ranges::count(owners, one.organization().value), 1);
    EXPECT_EQ(std::ranges::count(owners, other.organization().value), 1);
    auto tx = system.begin("authenticate");
    EXPECT_EQ(co_await tx.one(CurrentWork()), "authenticate");
    EXPECT_EQ(co_await tx.one(CurrentRole()), "buildplan_system");
    EXPECT_EQ(co_await outcome(tx.run(AddNote("system writes"))), "42501");
    co_await tx.rollback();
    co_await system.close();
    co_await pool.close();
}
TEST(SystemPool, SeesAllTenantsAsItsOwnRoleForANamedPurpose) { on_ground(system_work); }
static_assert(!std::is_constructible_v<TenantTx, SystemTx&&> && !std::is_constructible_v<SystemTx, TenantTx&&>);
static_assert(!std::is_convertible_v<TenantTx&, detail::Transaction&> &&
              !std::is_convertible_v<SystemTx&, detail::Transaction&>);
static_assert(!std::is_convertible_v<SystemPool&, Pool&> && !std::is_convertible_v<Pool&, SystemPool&>);

task<> counts_what_happens(Ground& ground, Pool& pool) {
    auto const who = somebody();
    co_await pool.run(who, AddNote("twice"));
    EXPECT_EQ(co_await outcome(pool.run(who, AddNote("twice"))), "23505");
    auto* const registry = &ground.loop.metrics();
    for (std::string_view const line : {
             R"(buildplan_postgres_connections{pool="app",lane="shared",state="idle"} 2)",
             R"(buildplan_postgres_connections{pool="app",lane="exclusive",state="idle"} 1)",
             R"(buildplan_postgres_query_seconds_count{pool="app",lane="shared"} 2)",
             R"(buildplan_postgres_errors_total{pool="app",class="constraint"} 1)",
             R"(buildplan_postgres_connects_total{pool="app"} 3)",
         }) {
        co_await until([&] { return metrics::exposition({&registry, 1}).find(line) != std::string::npos; });
    }
}
TEST(Pool, CountsWhatHappens) {
    auto options = options_for(database().app());
    options.shared = {2, 0, 8, std::chrono::seconds{10}, std::chrono::seconds{0}};  // also on a machine that is busy
    on_pool(counts_what_happens, options);
}

task<> refuses_superusers(Ground& ground) {
    Pool pool(ground.loop, ground.offload, [] {
        auto options = options_for(database().admin());
        options.wait = std::chrono::milliseconds{50};
        return options;
    }());
    EXPECT_EQ(co_await outcome(pool.one(somebody(), CountNotes())), "unavailable");
    EXPECT_FALSE(pool.healthy());
    co_await pool.close();
}
TEST(Pool, ARoleThatSeesPastRowSecurityIsRefused) { on_ground(refuses_superusers); }

task<> statement_that_cannot_be_prepared(Ground&, Pool& pool) {
    auto const who = somebody();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(co_await outcome(pool.one(who, NoSuchTable())), "42P01");
    EXPECT_EQ(co_await pool.one(who, CountNotes()), 0);
}
TEST(Pool, AStatementThatCannotBePreparedFailsEachOfItsUsers) { on_pool(statement_that_cannot_be_prepared); }

using Meddle = Sql<"meddle", "BEGIN", void>;
task<> meddling(Ground&, Pool& pool) {
    auto const who = somebody();
    EXPECT_EQ(co_await outcome(pool.run(who, Meddle())), "unknown");  // the connection goes
    EXPECT_EQ(co_await pool.one(who, CountNotes()), 0);
}
TEST(Pool, AQueryThatMeddlesWithTransactionsLosesItsConnection) { on_pool(meddling); }

using Columns = Sql<"columns", "SELECT * FROM changing", std::int32_t>;
task<> read_columns(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    co_await tx.all(Columns());
    co_await tx.commit();
}
task<> changed_schema(Ground&, Pool& pool) {
    auto const who = somebody();
    Session owner(database().owner());
    owner.execute(
        "DROP TABLE IF EXISTS changing; CREATE TABLE changing (a int); GRANT SELECT ON changing TO buildplan_app");
    co_await pool.all(who, Columns());
    owner.execute("ALTER TABLE changing ADD b int");
    EXPECT_EQ(co_await outcome(pool.all(who, Columns())), "ok");

    co_await read_columns(pool, who);
    owner.execute("ALTER TABLE changing ADD c int");
    EXPECT_EQ(co_await outcome(read_columns(pool, who)), "0A000");
    owner.execute("ALTER TABLE changing ADD d int");
    EXPECT_EQ(co_await outcome(with_retries([&] { return read_columns(pool, who); })), "ok");
}
TEST(Pool, ASchemaChangeUnderAPreparedStatementIsNotSeenByItsCaller) { on_pool(changed_schema); }

}  // namespace
}  // namespace buildplan::postgres::testing
