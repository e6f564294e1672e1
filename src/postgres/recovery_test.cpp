// A server that dies, stops answering, or is not there: nobody hangs, nothing answered is lost, and service is back
// soon after the server is. Servers of its own, on this thread; the pool works on another one.
#include <gtest/gtest.h>

#include <future>

#include "postgres/test_pool.hpp"

namespace buildplan::postgres::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct Journal {
    struct Entry {
        std::string body;
        Uuid organization;
    };
    std::vector<Entry> answered;
    int refused = 0;
    int unknown = 0;
    int other = 0;
    Clock::duration longest{};
    std::vector<Clock::time_point> successes;
    std::atomic<bool> stop = false;
};

task<> add_in_transaction(Pool& pool, Principal const& who, std::string const& body) {
    auto tx = pool.begin(who);
    co_await tx.run(AddNote(body));
    co_await tx.commit();
}
task<> add_alone(Pool& pool, Principal const& who, std::string const& body) {
    AddNote const query(body);
    co_await pool.run(who, query);
}

task<> keep_writing(Pool& pool, Journal& journal, bool transactions) {
    auto const who = somebody();
    for (int i = 0; !journal.stop; ++i) {
        auto const body = fmt::format("{}", i);
        auto const start = Clock::now();
        auto const how =
            co_await outcome(transactions ? add_in_transaction(pool, who, body) : add_alone(pool, who, body));
        auto const end = Clock::now();
        journal.longest = std::max(journal.longest, end - start);
        if (how == "ok") {
            journal.answered.push_back({body, who.organization().value});
            journal.successes.push_back(end);
        } else if (how == "unknown") {
            ++journal.unknown;
        } else if (how == "unavailable") {
            ++journal.refused;
            co_await sleep_for(1ms);
        } else {
            ++journal.other;
        }
    }
}

task<> write_until_stopped(Ground& ground, Options options, Journal& journal) {
    Pool pool(ground.loop, ground.offload, std::move(options));
    std::array<Beside, 24> writers;
    for (std::size_t i = 0; i < writers.size(); ++i) {
        writers[i].start(ground.loop, keep_writing(pool, journal, i % 2 == 0));
    }
    while (!std::ranges::all_of(writers, &Beside::ended)) co_await sleep_for(1ms);
    co_await pool.close();
}

std::set<std::string> rows_of(std::string const& url) {
    Session session(url);
    std::set<std::string> rows;
    for (auto const& row : session.query("SELECT organization_id || ' ' || body FROM notes"))
        rows.insert(row[0].value_or(""));
    return rows;
}

TEST(Recovery, KilledAndRestartedUnderLoadNothingAnsweredIsLostAndServiceIsBackWithinASecond) {
    auto const server = test_support::start_postgres({.tcp = true, .settings = {}});
    bootstrap_roles(server->url());
    Session(server->url(local::owner_role)).execute(std::string(schema));
    auto options = options_for(server->tcp_url(local::app_role));
    // By name: it is looked up, and leads to more addresses than the one where the server is.
    options.url.replace(options.url.find("127.0.0.1"), 9, "localhost");

    Journal journal;
    auto working = std::async(std::launch::async, [&] {
        Ground ground;
        ground.run(write_until_stopped(ground, options, journal));
    });
    std::vector<Clock::time_point> back;
    for (int round = 0; round < 2; ++round) {
        std::this_thread::sleep_for(200ms);  // under load
        server->kill9();
        std::this_thread::sleep_for(300ms);  // away
        server->restart();
        back.push_back(Clock::now());
    }
    std::this_thread::sleep_for(1s);
    journal.stop = true;
    ASSERT_EQ(working.wait_for(10s), std::future_status::ready) << "it hangs";
    working.get();

    auto const rows = rows_of(server->url());
    int lost = 0;
    for (auto const& [body, organization] : journal.answered)
        lost += rows.contains(organization.to_string() + " " + body) ? 0 : 1;
    EXPECT_EQ(lost, 0);
    EXPECT_GT(journal.answered.size(), 100u);
    EXPECT_EQ(journal.other, 0);
    EXPECT_GT(journal.unknown, 0);
    EXPECT_LT(journal.longest, options.wait + 500ms);
    for (auto const since : back) {
        auto const first = std::ranges::find_if(journal.successes, [&](auto at) { return at > since; });
        ASSERT_NE(first, journal.successes.end());
        EXPECT_LT(*first - since, 1s);
    }
}

task<> silent_server(Ground& ground, test_support::PostgresServer& server, Options options) {
    Pool pool(ground.loop, ground.offload, options);
    auto const who = somebody();
    co_await add_alone(pool, who, "a");
    auto tx = pool.begin(who);
    co_await tx.run(AddNote("b"));
    EXPECT_TRUE(pool.healthy());

    server.pause();
    auto const start = Clock::now();
    EXPECT_EQ(co_await outcome(tx.commit()), "unknown");
    EXPECT_EQ(co_await outcome(add_alone(pool, who, "c")), "unknown");
    EXPECT_EQ(co_await outcome(add_alone(pool, who, "d")), "unavailable");
    EXPECT_FALSE(pool.healthy());
    EXPECT_LT(Clock::now() - start, 2s);
    server.resume();
    auto const resumed = Clock::now();
    co_await until([&] { return pool.healthy(); });
    EXPECT_EQ(co_await outcome(add_alone(pool, who, "e")), "ok");
    EXPECT_LT(Clock::now() - resumed, 1s);
    co_await pool.close();
}

TEST(Recovery, AServerThatStopsAnsweringIsGivenUp) {
    auto const server = test_support::start_postgres();
    bootstrap_roles(server->url());
    Session(server->url(local::owner_role)).execute(std::string(schema));
    auto options = options_for(server->url(local::app_role));
    options.silence = 200ms;
    options.shared = {1, 0, 8, 100ms, 0ms};
    options.exclusive = {1, 0, 1, 100ms, 0ms};
    options.connect_timeout = 200ms;
    options.wait = 500ms;
    Ground ground;
    ground.run(silent_server(ground, *server, options));
}

task<> nobody_there(Ground& ground, Options options) {
    Pool pool(ground.loop, ground.offload, options);
    auto const who = somebody();
    auto start = Clock::now();
    EXPECT_EQ(co_await outcome(add_alone(pool, who, "a")), "unavailable");
    EXPECT_LT(Clock::now() - start, 300ms);
    co_await until([&, late = start + 250ms] { return Clock::now() > late; });
    // Away for longer than anybody would wait: told at once.
    start = Clock::now();
    EXPECT_EQ(co_await outcome(add_alone(pool, who, "b")), "unavailable");
    EXPECT_LT(Clock::now() - start, 50ms);
    EXPECT_FALSE(pool.healthy());
    EXPECT_EQ(co_await outcome(pool.ping()), "unavailable");
    co_await pool.close();
}
TEST(Recovery, WithoutAServerCallersAreToldInTimeAndThenAtOnce) {
    Ground ground;
    auto options = options_for(fmt::format("postgresql://buildplan_app@127.0.0.1:{}/x", test_support::free_port()));
    options.wait = 200ms;
    ground.run(nobody_there(ground, options));
}

TEST(Recovery, AUrlThatMakesNoSenseIsTheOperatorsErrorAndKeepsItsPassword) {
    Ground ground;
    try {
        Pool const pool(ground.loop, ground.offload, options_for("postgresql://u:secret@h/d?nonsense=1"));
        FAIL();
    } catch (OperatorError const& error) {
        EXPECT_EQ(std::string_view(error.what()).find("secret"), std::string_view::npos);
    }
}

}  // namespace
}  // namespace buildplan::postgres::testing
