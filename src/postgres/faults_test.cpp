// An error at each step of a transaction, and then a look at the next user of that connection: it sees its own tenant
// and no transaction that is still open.
#include <gtest/gtest.h>
#include <signal.h>

#include "postgres/detail/engine.hpp"
#include "postgres/test_pool.hpp"
#include "tests/support/wire_proxy.hpp"

namespace buildplan::postgres::testing {
namespace {

// One connection for everything, so that the next user is sure to get it.
Options narrow() {
    auto options = options_for(database().app());
    options.shared.connections = 1;
    options.shared.spare = 0;
    options.exclusive.connections = 1;
    options.heavy.connections = 1;
    return options;
}

// The next user of the lane's only connection: its own tenant, a working transaction, and no setting left behind.
task<> next_user_is_well(Pool& pool, Lane lane) {
    auto const next = somebody();
    auto const organization = std::string(next.organization_text());
    co_await pool.run(next, AddNote("own"), lane);
    EXPECT_EQ(co_await pool.all(next, NoteBodies(), lane), std::vector<std::string>{"own"});
    EXPECT_EQ(co_await pool.one(next, CurrentTenant(), lane), organization);
    auto tx = pool.begin(next, lane);
    EXPECT_EQ(co_await tx.one(CurrentTenant()), organization);
    EXPECT_EQ(co_await tx.one(CountNotes()), 1);
    co_await tx.commit();
    auto kept = pool.begin(next, lane);
    co_await kept.run(AddNote("kept"));
    co_await kept.commit();
    EXPECT_EQ(co_await pool.one(next, CountNotes(), lane), 2);
}

void end_backend(std::int32_t pid, std::string_view how) {
    Session(database().admin()).query(fmt::format("SELECT {}($1::int)", how), {std::to_string(pid)});
}

// Steps at which something goes wrong.
task<> begin_step(Pool& pool, Principal const& who) {  // the first statement, with BEGIN and set_config before it
    auto tx = pool.begin(who);
    EXPECT_EQ(co_await outcome(tx.one(DivideByZero(0))), "22012");
}
task<> begin_step_unprepared(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    EXPECT_EQ(co_await outcome(tx.one(NoSuchTable())), "42P01");
}
task<> later_statement(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    co_await tx.run(AddNote("x"));
    EXPECT_EQ(co_await outcome(tx.run(AddNote("x"))), "23505");
}
task<> later_statement_unprepared(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    co_await tx.run(AddNote("x"));
    EXPECT_EQ(co_await outcome(tx.one(NoSuchTable())), "42P01");
}
task<> in_a_pipeline(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    EXPECT_EQ(co_await outcome(tx.pipeline(AddNote("x"), DivideByZero(0), AddNote("y"))), "22012");
}
task<> in_a_pipeline_unprepared(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    EXPECT_EQ(co_await outcome(tx.pipeline(AddNote("x"), NoSuchTable(), AddNote("y"))), "42P01");
}
task<> with_the_commit(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    co_await tx.run(AddNote("x"));
    EXPECT_EQ(co_await outcome(tx.commit_with(AddNote("x"))), "23505");
}
task<> with_begin_and_commit(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who, Lane::exclusive, Isolation::repeatable_read);
    EXPECT_EQ(co_await outcome(tx.commit_with(DivideByZero(0))), "22012");
}
task<> at_the_commit(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    co_await tx.run(AddNumbered("x", 1));
    co_await tx.run(AddNumbered("y", 1));
    EXPECT_EQ(co_await outcome(tx.commit()), "23505");
}
task<> at_the_end_of_one_statement(Pool& pool, Principal const& who) {
    EXPECT_EQ(co_await outcome(pool.pipeline(who, AddNumbered("x", 1), AddNumbered("y", 1))), "23505");
    EXPECT_EQ(co_await outcome(pool.one(who, DivideByZero(0), Lane::exclusive)), "22012");
    EXPECT_EQ(co_await outcome(pool.one(who, NoSuchTable(), Lane::exclusive)), "42P01");
}
task<> for_another_tenant(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    EXPECT_EQ(co_await outcome(tx.run(AddNoteFor(Uuid::v7(), "planted"))), "42501");
}
task<> while_the_lock_is_held(Pool& pool, Principal const& who) {
    Session holder(database().admin());
    holder.execute("BEGIN; LOCK TABLE notes IN ACCESS EXCLUSIVE MODE");
    auto tx = pool.begin(who);
    EXPECT_EQ(co_await outcome(tx.run(AddNote("x"))), "timeout");
    holder.execute("ROLLBACK");
}
task<> too_slow(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    co_await tx.run(AddNote("x"));
    EXPECT_EQ(co_await outcome(tx.one(Sleep(20))), "timeout");
}
task<> cancelled_by_an_operator(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    auto const pid = co_await tx.one(Backend());
    end_backend(*pid, "pg_cancel_backend");  // while it waits for us
    co_await tx.run(AddNote("x"));
}
task<> left_open(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    co_await tx.run(AddNote("x"));
}
task<> moved_over(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    co_await tx.run(AddNote("x"));
    auto other = std::move(tx);
    tx = std::move(other);
    tx = pool.begin(who);
}
task<> terminated_between(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    auto const pid = co_await tx.one(Backend());
    end_backend(*pid, "pg_terminate_backend");
    EXPECT_EQ(co_await outcome(tx.run(AddNote("x"))), "unavailable");
    EXPECT_EQ(co_await outcome(tx.run(AddNote("x"))), "25P02");
}
task<> terminated_before_commit(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    co_await tx.run(AddNote("x"));
    auto const pid = co_await tx.one(Backend());
    end_backend(*pid, "pg_terminate_backend");
    // It might have been done: the COMMIT was on its way, or could have been.
    auto const how = co_await outcome(tx.commit());
    EXPECT_TRUE(how == "unknown" || how == "unavailable") << how;
}
task<> idle_for_too_long(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    co_await tx.run(AddNote("x"));
    co_await sleep_for(std::chrono::milliseconds{300});
    EXPECT_EQ(co_await outcome(tx.run(AddNote("y"))), "unavailable");
}
task<> query_reads_badly(Pool& pool, Principal const& who) {
    using NotANumber = Sql<"not_a_number", "SELECT 'no number'::text", std::optional<std::int32_t>>;
    auto tx = pool.begin(who);
    co_await tx.run(AddNote("x"));
    EXPECT_EQ(co_await outcome(tx.one(NotANumber())), "other");
    EXPECT_EQ(co_await outcome(tx.commit()), "25P02");
}
task<> two_rows_for_one(Pool& pool, Principal const& who) {
    using TwoRows = Sql<"two_rows", "SELECT * FROM (VALUES (1), (2)) AS two", std::optional<std::int32_t>>;
    EXPECT_EQ(co_await outcome(pool.one(who, TwoRows(), Lane::exclusive)), "other");
}

struct Fault {
    char const* name;
    task<> (*inject)(Pool&, Principal const&);
    bool keeps_connection = true;
};
constexpr Fault faults[] = {
    {"begin_step", begin_step},
    {"begin_step_unprepared", begin_step_unprepared},
    {"later_statement", later_statement},
    {"later_statement_unprepared", later_statement_unprepared},
    {"in_a_pipeline", in_a_pipeline},
    {"in_a_pipeline_unprepared", in_a_pipeline_unprepared},
    {"with_the_commit", with_the_commit},
    {"with_begin_and_commit", with_begin_and_commit},
    {"at_the_commit", at_the_commit},
    {"at_the_end_of_one_statement", at_the_end_of_one_statement},
    {"for_another_tenant", for_another_tenant},
    {"while_the_lock_is_held", while_the_lock_is_held},
    {"too_slow", too_slow},
    {"cancelled_by_an_operator", cancelled_by_an_operator},
    {"left_open", left_open},
    {"moved_over", moved_over},
    {"terminated_between", terminated_between, false},
    {"terminated_before_commit", terminated_before_commit, false},
    {"idle_for_too_long", idle_for_too_long, false},
    {"query_reads_badly", query_reads_badly},
    {"two_rows_for_one", two_rows_for_one},
};

class Faults : public ::testing::TestWithParam<Fault> {};

task<> inject(Pool& pool, Fault fault) {
    auto const somebody_else = somebody();
    auto const before = co_await pool.one(somebody_else, Backend(), Lane::exclusive);
    auto const who = somebody();
    co_await fault.inject(pool, who);
    auto const after = co_await pool.one(somebody_else, Backend(), Lane::exclusive);
    EXPECT_EQ(before == after, fault.keeps_connection) << "the next user did not get that connection";
    co_await next_user_is_well(pool, Lane::exclusive);
    EXPECT_EQ(co_await pool.one(who, CountNotes()), 0) << "something was kept";
    co_await pool.close();
}

TEST_P(Faults, TheNextUserOfTheConnectionSeesItsOwnTenantOnly) {
    Ground ground;
    auto options = narrow();
    options.exclusive.lock_timeout = std::chrono::milliseconds{20};
    options.exclusive.statement_timeout = std::chrono::milliseconds{200};
    options.idle_in_transaction_timeout = std::chrono::milliseconds{200};
    Pool pool(ground.loop, ground.offload, options);
    ground.run(inject(pool, GetParam()));
}
INSTANTIATE_TEST_SUITE_P(AtEachStep, Faults, ::testing::ValuesIn(faults),
                         [](auto const& fault) { return std::string(fault.param.name); });

// --- The caller is cancelled while it waits

task<> cancel_target_statement(Pool& pool, Principal who) {
    auto tx = pool.begin(who);
    co_await tx.run(AddNote("x"));
    co_await tx.one(Sleep(20));
}
task<> cancel_target_first(Pool& pool, Principal who) {
    auto tx = pool.begin(who);
    co_await tx.one(Sleep(20));
}
task<> cancel_target_commit_with(Pool& pool, Principal who) {
    auto tx = pool.begin(who);
    co_await tx.run(AddNote("y"));
    co_await tx.commit_with(SleepWrite("x", 20));
}
task<> cancel_target_single(Pool& pool, Principal who) { co_await pool.run(who, SleepWrite("x", 20), Lane::exclusive); }

class Cancelled : public ::testing::TestWithParam<task<> (*)(Pool&, Principal)> {};

task<> cancel_while_it_runs(Ground& ground, Pool& pool, task<> (*target)(Pool&, Principal)) {
    auto const who = somebody();
    auto const pid = co_await pool.one(who, Backend(), Lane::exclusive);
    Beside beside;
    beside.start(ground.loop, target(pool, who));
    Session watcher(database().admin());
    co_await until([&] {
        return watcher
            .value("SELECT 1 FROM pg_stat_activity WHERE pid = $1::int AND wait_event = 'PgSleep'",
                   {std::to_string(*pid)})
            .has_value();
    });
    auto const start = std::chrono::steady_clock::now();
    beside.cancel();
    EXPECT_TRUE(beside.ended);
    EXPECT_EQ(name_of(beside.error), "cancelled");
    EXPECT_EQ(co_await pool.one(who, Backend(), Lane::exclusive), pid);  // cancelled in the server too
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{5});
    co_await next_user_is_well(pool, Lane::exclusive);
    EXPECT_EQ(co_await pool.one(who, CountNotes()), 0);
    co_await pool.close();
}

TEST_P(Cancelled, ItsStatementIsCancelledAndTheConnectionServesTheNext) {
    Ground ground;
    auto options = narrow();
    options.wait = std::chrono::seconds{10};
    Pool pool(ground.loop, ground.offload, options);
    ground.run(cancel_while_it_runs(ground, pool, GetParam()));
}
INSTANTIATE_TEST_SUITE_P(AtEachAwait, Cancelled,
                         ::testing::Values(&cancel_target_statement, &cancel_target_first, &cancel_target_commit_with,
                                           &cancel_target_single));

// Cancelled after a while that is different each time, so that each moment has its turn.
task<> busy_bee(Pool& pool, Principal who) {
    for (int i = 0;; ++i) {
        auto const body = fmt::format("{}", i);
        auto tx = pool.begin(who);
        co_await tx.run(AddNote(body));
        co_await tx.one(CountNotes());
        co_await tx.commit();
        co_await pool.one(who, CountNotes());
    }
}
task<> cancel_at_any_moment(Ground& ground, Pool& pool) {
    for (int round = 0; round < 150; ++round) {
        std::array<Beside, 3> bees;
        for (auto& bee : bees) bee.start(ground.loop, busy_bee(pool, somebody()));
        co_await sleep_for(std::chrono::microseconds{37 * round});
        for (auto& bee : bees) bee.cancel();
        co_await until([&] { return std::ranges::all_of(bees, &Beside::ended); });
        for (auto& bee : bees) EXPECT_EQ(name_of(bee.error), "cancelled");
    }
    co_await next_user_is_well(pool, Lane::exclusive);
    co_await next_user_is_well(pool, Lane::shared);
}
TEST(Cancellation, AtAnyMomentLeavesThePoolWhole) {
    auto options = options_for(database().app());
    options.wait = std::chrono::seconds{10};
    on_pool(cancel_at_any_moment, options);
}

task<> cancelled_in_the_queue(Ground& ground, Pool& pool) {
    auto const who = somebody();
    auto tx = pool.begin(who);
    co_await tx.run(AddNote("x"));
    Beside waiting;
    waiting.start(ground.loop, cancel_target_statement(pool, who));
    co_await sleep_for(std::chrono::milliseconds{5});
    EXPECT_FALSE(waiting.ended);
    waiting.cancel();
    EXPECT_EQ(name_of(waiting.error), "cancelled");
    co_await tx.commit();
    co_await next_user_is_well(pool, Lane::exclusive);
}
TEST(Cancellation, OneThatWaitsForAConnectionIsForgotten) { on_pool(cancelled_in_the_queue, narrow()); }

task<> sleep_shared(Pool& pool, Principal who) { co_await pool.run(who, SleepWrite("x", 0.05)); }
task<> cancelled_on_shared(Ground& ground, Pool& pool) {
    auto const who = somebody(), neighbour = somebody();
    co_await pool.ping();
    Beside leaving;
    leaving.start(ground.loop, sleep_shared(pool, who));
    co_await sleep_for(std::chrono::milliseconds{1});
    leaving.cancel();
    EXPECT_EQ(name_of(leaving.error), "cancelled");
    // Behind it on the same connection: served, and with its own answer.
    EXPECT_EQ(co_await pool.one(neighbour, CurrentTenant()), std::string(neighbour.organization_text()));
}
TEST(Cancellation, OnASharedConnectionItHitsNoNeighbour) { on_pool(cancelled_on_shared, narrow()); }

// --- What is left behind on a connection

// Asks without a scope, as nothing outside src/postgres can.
task<> ask_without_tenant(Ground& ground) {
    auto const engine = std::make_shared<detail::Engine>(ground.loop, ground.offload, narrow(), false);
    engine->start();
    for (bool const used_before : {false, true}) {
        detail::OneRow<CountNotes> row;
        CountNotes const query;
        detail::Request const request(query, row);
        if (used_before) {
            detail::Exchange scoped;
            scoped.scope = &engine->scope();
            scoped.scope_value = "018f4e1e-7b6c-7c3a-8f00-000000000001";
            scoped.requests = {&request, 1};
            co_await engine->perform(scoped);
        }
        detail::Exchange exchange;
        exchange.requests = {&request, 1};
        // An unknown setting at first; later it is there and empty, and no uuid.
        EXPECT_EQ(co_await outcome(engine->perform(exchange)), used_before ? "22P02" : "42704");
    }
    co_await engine->close();
}
TEST(Pool, WithoutATenantAQueryFailsOnAFreshConnectionAndOnAUsedOne) { on_ground(ask_without_tenant); }

// --- The answer is lost

task<> prepare_all(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    co_await tx.one(CountNotes());
    co_await tx.commit();
}
task<> answer_lost(Ground& ground, test_support::WireProxy& proxy, Options options) {
    Pool pool(ground.loop, ground.offload, options);
    auto const who = somebody();
    co_await pool.run(who, AddNote("a"));
    co_await prepare_all(pool,
                         who);  // both connections are there, and the next answer is the one to what is asked next
    proxy.cut_next_answer();
    EXPECT_EQ(co_await outcome(pool.run(who, AddNote("b"))), "unknown");
    EXPECT_EQ(co_await pool.one(who, CountNotes()), 2);  // it was done, as it happens

    co_await prepare_all(pool, who);
    auto tx = pool.begin(who);
    co_await tx.run(AddNote("c"));
    proxy.cut_next_answer();
    EXPECT_EQ(co_await outcome(tx.commit()), "unknown");

    co_await prepare_all(pool, who);
    auto other = pool.begin(who);
    co_await other.run(AddNote("d"));
    proxy.cut_next_answer();
    EXPECT_EQ(co_await outcome(other.run(AddNote("e"))), "unavailable");  // surely nothing
    auto const bodies = co_await pool.all(who, NoteBodies());
    EXPECT_EQ(bodies, (std::vector<std::string>{"a", "b", "c"}));
    co_await pool.close();
}
TEST(Pool, AnAnswerThatIsLostAfterACommitIsToldApartFromOneBefore) {
    auto const folder = test_support::make_temporary_folder("proxy");
    test_support::WireProxy proxy(folder, test_support::postgres().socket_folder() / ".s.PGSQL.5432");
    auto options = narrow();
    options.url = proxy.url("buildplan_app", database().name());
    Ground ground;
    ground.run(answer_lost(ground, proxy, options));
}

}  // namespace
}  // namespace buildplan::postgres::testing
