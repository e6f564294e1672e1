// What holds up whom: round trips, slow statements, exhaustion, many tenants on few connections.
#include <gtest/gtest.h>

#include <algorithm>

#include "postgres/test_pool.hpp"
#include "tests/support/wire_proxy.hpp"

namespace buildplan::postgres::testing {
namespace {

struct Proxied {
    test_support::WireProxy proxy{test_support::make_temporary_folder("proxy"),
                                  test_support::postgres().socket_folder() / ".s.PGSQL.5432"};
    [[nodiscard]] Options options() const {
        auto options = options_for(proxy.url("buildplan_app", database().name()));
        options.shared.connections = 1;
        return options;
    }
};

// The round trips of `work`, after a first run that prepares its statements. What is sent at once may leave in two
// pieces (libpq sends at each Sync), and a server that answers the first before the second is there makes two trips of
// them on the wire; so the fewest of some runs count.
template <class Work>
task<unsigned> round_trips(test_support::WireProxy& proxy, Work work) {
    co_await work();
    unsigned fewest = ~0u;
    for (int run = 0; run < 5; ++run) {
        auto const before = proxy.round_trips();
        co_await work();
        fewest = std::min(fewest, static_cast<unsigned>(proxy.round_trips() - before));
    }
    co_return fewest;
}

task<> one_statement(Pool& pool, Principal const& who) { co_await pool.one(who, CountNotes()); }
task<> three_statements(Pool& pool, Principal const& who) {
    co_await pool.pipeline(who, CountNotes(), CurrentTenant(), NoteBodies());
}
task<> whole_transaction(Pool& pool, Principal const& who) {  // BEGIN with the first; the second; COMMIT
    auto tx = pool.begin(who);
    co_await tx.one(CountNotes());
    co_await tx.one(CurrentTenant());
    co_await tx.commit();
}
task<> commit_with_last(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    co_await tx.one(CountNotes());
    co_await tx.commit_with(CurrentTenant());
}
task<> commit_with_only(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who);
    co_await tx.commit_with(CountNotes());
}
task<> commit_with_only_serializable(Pool& pool, Principal const& who) {
    auto tx = pool.begin(who, Lane::exclusive, Isolation::serializable);
    co_await tx.commit_with(CountNotes());
}

task<> counts_round_trips(Ground& ground, Proxied& proxied) {
    Pool pool(ground.loop, ground.offload, proxied.options());
    auto const who = somebody();
    auto& proxy = proxied.proxy;
    EXPECT_EQ(co_await round_trips(proxy, [&] { return one_statement(pool, who); }), 1u);
    EXPECT_EQ(co_await round_trips(proxy, [&] { return three_statements(pool, who); }), 1u);
    EXPECT_EQ(co_await round_trips(proxy, [&] { return whole_transaction(pool, who); }), 3u);
    EXPECT_EQ(co_await round_trips(proxy, [&] { return commit_with_last(pool, who); }), 2u);
    EXPECT_EQ(co_await round_trips(proxy, [&] { return commit_with_only(pool, who); }), 1u);
    EXPECT_EQ(co_await round_trips(proxy, [&] { return commit_with_only_serializable(pool, who); }), 1u);
    // Preparing takes no trip of its own either.
    auto const before = proxy.round_trips();
    co_await pool.one(who, CurrentRole());
    EXPECT_EQ(proxy.round_trips() - before, 1u);
    co_await pool.close();
}
TEST(RoundTrips, AreAsFewAsTheyCanBe) {
    Proxied proxied;
    Ground ground;
    ground.run(counts_round_trips(ground, proxied));
}

task<> slow_read(Pool& pool, Principal who, double seconds) { co_await pool.one(who, Sleep(seconds)); }

// A tenant with a burst of statements that take 0.4 s each, beside one whose statements are quick.
task<> slow_beside_quick(Ground& ground, Pool& pool) {
    auto const slow = somebody(), quick = somebody();
    co_await pool.pipeline(quick, CountNotes(), Sleep(0));
    std::array<Beside, 6> besides;
    for (auto& each : besides) each.start(ground.loop, slow_read(pool, slow, 0.4));
    std::vector<double> took;
    auto const start = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds{800}) {
        auto const asked = std::chrono::steady_clock::now();
        co_await pool.one(quick, CountNotes());
        took.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - asked).count());
    }
    std::ranges::sort(took);
    // At worst a quick one was sent right behind a slow one, and waited until that one was moved away.
    EXPECT_LT(took.back(), 0.2);
    EXPECT_LT(took[took.size() * 99 / 100], 0.05);
    co_await until([&] { return std::ranges::all_of(besides, &Beside::ended); });
    for (auto& each : besides) EXPECT_EQ(name_of(each.error), "ok");  // slow, but served
}
TEST(Lanes, ASlowStatementOfOneTenantHoldsUpNobodyElse) { on_pool(slow_beside_quick); }

task<> slow_ones_are_remembered(Ground&, Pool& pool) {
    auto const who = somebody();
    co_await pool.one(who, Sleep(0.15));
    auto const start = std::chrono::steady_clock::now();
    co_await pool.one(who, Sleep(0.15));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds{220});  // not first 100 ms in vain
}
TEST(Lanes, AStatementThatWasSlowGoesStraightToTheHeavyLaneNextTime) { on_pool(slow_ones_are_remembered); }

task<> too_slow_for_the_heavy_lane(Ground&, Pool& pool) {
    auto const who = somebody();
    EXPECT_EQ(co_await outcome(pool.one(who, Sleep(20))), "timeout");
    EXPECT_EQ(co_await pool.one(who, CountNotes()), 0);
}
TEST(Lanes, EvenTheHeavyLaneEndsAStatementSomeTime) {
    auto options = options_for(database().app());
    options.heavy.statement_timeout = std::chrono::milliseconds{150};
    on_pool(too_slow_for_the_heavy_lane, options);
}

struct Hold {
    int held = 0;
    bool release = false;
};
task<> hold(Pool& pool, Principal who, Hold& how) {
    auto tx = pool.begin(who);
    co_await tx.one(CountNotes());
    ++how.held;
    co_await until([&] { return how.release; });
}
task<> write(Pool& pool, Principal who) {
    auto tx = pool.begin(who);
    co_await tx.run(AddNote("x"));
    co_await tx.commit();
}

task<> exhausted(Ground& ground, Pool& pool) {
    auto const who = somebody();
    Hold how;
    std::array<Beside, 2> holders;
    for (auto& each : holders) each.start(ground.loop, hold(pool, who, how));
    co_await until([&] { return how.held == 2; });
    std::array<Beside, 3> waiting;
    auto const start = std::chrono::steady_clock::now();
    for (auto& each : waiting) each.start(ground.loop, write(pool, who));
    Beside one_too_many;
    one_too_many.start(ground.loop, write(pool, who));
    co_await until([&] { return one_too_many.ended; });
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds{50});  // by number
    EXPECT_EQ(name_of(one_too_many.error), "unavailable");
    co_await until([&] { return std::ranges::all_of(waiting, &Beside::ended); });  // by time
    for (auto& each : waiting) EXPECT_EQ(name_of(each.error), "unavailable");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds{200});
    EXPECT_EQ(co_await pool.one(who, CountNotes()), 0);  // the other lanes are not touched by it
    how.release = true;
    co_await until([&] { return std::ranges::all_of(holders, &Beside::ended); });
    co_await write(pool, who);
    EXPECT_EQ(co_await pool.one(who, CountNotes()), 1);
}
TEST(Lanes, WhoeverFindsNoConnectionIsToldSoInTime) {
    auto options = options_for(database().app());
    options.exclusive.connections = 2;
    options.waiting = 3;
    options.wait = std::chrono::milliseconds{100};
    on_pool(exhausted, options);
}

// 50 tenants at once over two connections, each only ever seeing itself.
struct Tally {
    int wrong = 0;
    int done = 0;
};
task<> tenant(Pool& pool, Principal who, int requests, Tally& tally) {
    auto const organization = std::string(who.organization_text());
    co_await pool.run(who, AddNote(organization));
    for (int i = 0; i < requests; ++i) {
        if (i % 50 == 7) {
            if (co_await outcome(pool.one(who, DivideByZero(0))) != "22012") ++tally.wrong;
        } else if (i % 25 == 3) {
            auto tx = pool.begin(who);
            if (co_await tx.one(CurrentTenant()) != organization) ++tally.wrong;
            if (co_await tx.all(NoteBodies()) != std::vector<std::string>{organization}) ++tally.wrong;
            if (i % 2 == 0) co_await tx.commit();
        } else if (co_await pool.all(who, NoteBodies()) != std::vector<std::string>{organization}) {
            ++tally.wrong;
        }
        ++tally.done;
    }
}
task<> many_tenants(Ground& ground, Pool& pool) {
    constexpr int tenants = 50, requests = 200;
    Tally tally;
    std::array<Beside, tenants> besides;
    for (auto& each : besides) each.start(ground.loop, tenant(pool, somebody(), requests, tally));
    co_await until([&] { return std::ranges::all_of(besides, &Beside::ended); });
    for (auto& each : besides) EXPECT_EQ(name_of(each.error), "ok");
    EXPECT_EQ(tally.done, tenants * requests);
    EXPECT_EQ(tally.wrong, 0);
}
TEST(Lanes, TenThousandRequestsOfFiftyTenantsOverTwoConnectionsNeverMix) {
    auto options = options_for(database().app());
    options.shared.spare = 0;
    options.exclusive.connections = 2;
    options.wait = std::chrono::seconds{10};
    on_pool(many_tenants, options);
}

task<> orderly_close(Ground& ground) {
    Pool pool(ground.loop, ground.offload, options_for(database().app()));
    auto const who = somebody();
    Hold how;
    Beside holder, reader, closing;
    holder.start(ground.loop, hold(pool, who, how));
    reader.start(ground.loop, slow_read(pool, who, 0.05));
    co_await until([&] { return how.held == 1; });
    closing.start(ground.loop, pool.close());
    co_await until([&] { return reader.ended; });
    EXPECT_EQ(name_of(reader.error), "ok");
    EXPECT_EQ(co_await outcome(pool.one(who, CountNotes())), "unavailable");
    EXPECT_FALSE(closing.ended);
    how.release = true;
    co_await until([&] { return closing.ended; });
    EXPECT_EQ(name_of(holder.error), "ok");
    EXPECT_FALSE(pool.healthy());
}
TEST(Pool, CloseLetsEverybodyFinishAndNobodyIn) { on_ground(orderly_close); }

task<> destroyed_at_once(Ground& ground) {
    auto const who = somebody();
    Beside reader, writer;
    Hold how;
    {
        Pool pool(ground.loop, ground.offload, options_for(database().app()));
        co_await pool.ping();
        reader.start(ground.loop, slow_read(pool, who, 5));
        writer.start(ground.loop, hold(pool, who, how));
        co_await until([&] { return how.held == 1; });
    }
    co_await until([&] { return reader.ended; });
    EXPECT_EQ(name_of(reader.error), "unknown");
    how.release = true;
    co_await until([&] { return writer.ended; });
    EXPECT_EQ(name_of(writer.error), "ok");
}
TEST(Pool, DestroyedUnderItsUsersItTellsThemAndLeavesNothingHanging) { on_ground(destroyed_at_once); }

}  // namespace
}  // namespace buildplan::postgres::testing
