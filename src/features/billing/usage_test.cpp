#include <gtest/gtest.h>

#include <sys/mman.h>

#include "features/billing/queries.gen.hpp"
#include "features/billing/test_billing.hpp"
#include "postgres/test_pool.hpp"
#include "tests/support/forked.hpp"
#include "tests/support/wire_proxy.hpp"

namespace buildplan::billing {
namespace {

using postgres::testing::Ground;
using postgres::testing::on_ground;
using postgres::testing::options_for;
using postgres::testing::until;
using testing::Billed;
using testing::list;
using testing::Subscriber;

std::string system_url() { return api::testing::database().system(); }

TEST(Usage, IsExactOverTwoShardsThatFoldAllTheTime) {
    Billed one, other;
    Subscriber us("FREE", R"({"api":-1})"), them("FREE", R"({"api":-1})");
    constexpr int calls = 1500;
    auto const ask = [&](Billed& server) {
        auto client = server.connect();
        for (int i = 0; i < calls; ++i) {
            EXPECT_EQ(client.ask("GET", "/v1/things", (i % 3 ? us : them).auth()).status, 200);
            if (i % 50 == 0) server.fold();
        }
    };
    std::thread beside([&] { ask(other); });
    ask(one);
    beside.join();
    one.fold();
    other.fold();
    EXPECT_EQ(us.api_calls(), std::to_string(2 * (calls - calls / 3)));
    EXPECT_EQ(them.api_calls(), std::to_string(2 * (calls / 3)));
}

TEST(Usage, OfACallThatWasRefusedIsNotMetered) {
    Billed server;
    Subscriber us("FREE", R"({"api":2})");
    for (int i = 0; i < 5; ++i) static_cast<void>(list(server, us));
    server.fold();
    EXPECT_EQ(us.api_calls(), "2");
}

TEST(Usage, CountedBeforeAnOrderlyStopIsFolded) {
    Subscriber us;
    {
        Billed server;
        EXPECT_EQ(list(server, us).status, 200);
    }
    EXPECT_EQ(us.api_calls(), "1");
}

TEST(UsageMeter, IsNotHeldUpByAnOrganizationThatIsGone) {
    Subscriber us, gone;
    on_ground([&](Ground& ground) -> task<> {
        postgres::SystemPool pool(ground.loop, ground.offload, options_for(system_url()));
        UsageMeter meter(ground.loop, pool);
        meter.add(us.id, now());
        meter.add(gone.id, now());
        gone.query("DELETE FROM organizations WHERE id = $1::uuid");
        co_await meter.fold();
        co_await pool.close();
    });
    EXPECT_EQ(us.api_calls(), "1");
}

TEST(UsageMeter, FoldsMoreOrganizationsThanFitIntoOne) {
    std::deque<Subscriber> all(5);
    on_ground([&](Ground& ground) -> task<> {
        postgres::SystemPool pool(ground.loop, ground.offload, options_for(system_url()));
        UsageMeter meter(ground.loop, pool, {.most_in_fold = 2});
        for (int i = 0; i < 3; ++i) {
            for (auto const& each : all) meter.add(each.id, now());
        }
        co_await meter.fold();
        co_await pool.close();
    });
    for (auto const& each : all) EXPECT_EQ(each.api_calls(), "3");
}

TEST(UsageMeter, CountsAFoldOnceWhoseAnswerWasLost) {
    Subscriber us;
    auto const folder = test_support::make_temporary_folder("proxy");
    auto const& server = test_support::postgres();
    auto const socket = server.socket_folder() / fmt::format(".s.PGSQL.{}", server.port());
    test_support::WireProxy proxy(folder, socket);
    auto const url = proxy.url(local::system_role, api::testing::database().name());
    on_ground([&](Ground& ground) -> task<> {
        postgres::SystemPool pool(ground.loop, ground.offload, options_for(url));
        co_await pool.ping();
        UsageMeter meter(ground.loop, pool);
        for (int i = 0; i < 7; ++i) meter.add(us.id, now());
        co_await meter.fold();
        for (int i = 0; i < 5; ++i) meter.add(us.id, now());
        proxy.cut_next_answer();
        auto const lost = co_await postgres::testing::outcome(meter.fold());
        EXPECT_NE(lost, "ok");
        meter.add(us.id, now());
        auto again = lost;
        for (int i = 0; i < 100 && again != "ok"; ++i) again = co_await postgres::testing::outcome(meter.fold());
        EXPECT_EQ(again, "ok");
        co_await pool.close();
    });
    EXPECT_EQ(us.api_calls(), "13");
}

TEST(UsageMeter, PutsACallIntoThePeriodInWhichItWasMade) {
    Subscriber calendar, billed;
    billed.query(
        "UPDATE subscriptions SET current_period_start = '2026-11-10 12:30Z', current_period_end = '2026-12-10 12:30Z' "
        "WHERE organization_id = $1::uuid");
    on_ground([&](Ground& ground) -> task<> {
        postgres::SystemPool pool(ground.loop, ground.offload, options_for(system_url()));
        UsageMeter meter(ground.loop, pool);
        for (auto const* const time :
             {"2026-10-31T23:59:59.999Z", "2026-11-01T00:00:00Z", "2026-11-10T12:30:00Z", "2026-12-10T12:29:59Z"}) {
            meter.add(calendar.id, *parse_rfc3339(time));
            meter.add(billed.id, *parse_rfc3339(time));
        }
        co_await meter.fold();
        co_await pool.close();
    });
    constexpr auto periods =
        "SELECT string_agg(to_char(period AT TIME ZONE 'UTC', 'MM-DD') || '=' || api_calls, ' ' ORDER BY period) "
        "FROM usage WHERE organization_id = $1::uuid";
    EXPECT_EQ(calendar.query(periods), "10-01=1 11-01=2 12-01=1");
    EXPECT_EQ(billed.query(periods), "10-01=1 11-01=1 11-10=2");
}

// What a process that is killed shares with its test. Settled: what was counted before its last fold began.
struct Seen {
    std::atomic<std::int64_t> counted, settled;
};

// Counts without end, folding again and again beside it.
task<> count_and_fold(Ground& ground, UsageMeter& meter, OrganizationId organization, Seen& seen) {
    postgres::testing::Beside counting;
    counting.start(ground.loop, [](UsageMeter& m, OrganizationId id, Seen& s) -> task<> {
        for (;;) {
            for (int i = 0; i < 10; ++i, ++s.counted) m.add(id, now());
            co_await sleep_for(std::chrono::microseconds{500});
        }
    }(meter, organization, seen));
    for (;;) {
        auto const before = seen.counted.load();
        co_await meter.fold();
        seen.settled = before;
        co_await sleep_for(std::chrono::milliseconds{1});
    }
}

TEST(UsageMeter, LosesAtMostWhatItCountedSinceItsLastFoldBeganWhenKilled) {
    auto* const shared = ::mmap(nullptr, sizeof(Seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(shared, MAP_FAILED);
    for (int round = 1; round <= 8; ++round) {
        Subscriber us;
        auto& seen = *new (shared) Seen{};
        {
            test_support::Forked process([&] {
                on_ground([&](Ground& ground) -> task<> {
                    postgres::SystemPool pool(ground.loop, ground.offload, options_for(system_url()));
                    UsageMeter meter(ground.loop, pool);
                    co_await count_and_fold(ground, meter, us.id, seen);
                });
            });
            auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
            while (seen.settled < round * 130) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
            process.kill9();
        }
        auto const folded = std::stoll(us.api_calls());
        EXPECT_GE(folded, seen.settled) << "lost what was folded";
        EXPECT_LE(folded, seen.counted) << "counted a fold twice";
    }
    ::munmap(shared, sizeof(Seen));
}

TEST(UsageMeter, FoldsByItself) {
    Subscriber us;
    on_ground([&](Ground& ground) -> task<> {
        postgres::SystemPool pool(ground.loop, ground.offload, options_for(system_url()));
        UsageMeter meter(ground.loop, pool, {.every = std::chrono::milliseconds{5}});
        meter.start();
        meter.add(us.id, now());
        co_await until([&] { return us.api_calls() == "1"; });
        meter.add(us.id, now());
        co_await meter.close();
        co_await pool.close();
    });
    EXPECT_EQ(us.api_calls(), "2");
}

class UsageRoutes : public ::testing::Test {
protected:
    static void SetUpTestSuite() { server = std::make_unique<Billed>(); }
    static void TearDownTestSuite() { server.reset(); }
    static inline std::unique_ptr<Billed> server;
};

TEST_F(UsageRoutes, ShowThePeriodsAgainstTheLimits) {
    Subscriber us("PRO", R"({"requests":30})");
    us.query(
        "INSERT INTO usage (organization_id, period, requests_created, agent_minutes, storage_gb, api_calls, "
        "github_operations) SELECT $1::uuid, date_trunc('month', now(), 'UTC') - n * interval '31 days', n, 2, 0.5, 4, "
        "5 "
        "FROM generate_series(1, 40) n");
    EXPECT_EQ(testing::create(*server, us).status, 201);
    EXPECT_EQ(list(*server, us).status, 200);
    server->fold();
    auto const answer = server->ask("GET", "/v1/usage", us.auth("org.usage.read"));
    ASSERT_EQ(answer.status, 200) << answer.body;
    auto const report = answer.json();
    EXPECT_EQ(report.at("tier"), "PRO");
    EXPECT_EQ(report.at("limits"), boost::json::parse(R"({"requests":30,"agents":50,"api":10000})"));
    EXPECT_EQ(report.at("hour").at("api"), boost::json::parse(R"({"used":3,"limit":10000})"));
    EXPECT_EQ(report.at("hour").at("requests"), boost::json::parse(R"({"used":1,"limit":30})"));
    EXPECT_EQ(report.at("current").at("apiCalls"), 2);
    EXPECT_EQ(report.at("current").at("period").as_string(),
              us.query("SELECT to_char(date_trunc('month', now(), 'UTC') AT TIME ZONE 'UTC', "
                       "'YYYY-MM-DD\"T00:00:00.000Z\"') WHERE $1 <> ''"));
    auto const& past = report.at("past").as_array();
    ASSERT_EQ(past.size(), 36u);
    EXPECT_EQ(past[0].at("requestsCreated"), 1);
    EXPECT_EQ(past[0].at("storageGB"), 0.5);
    EXPECT_EQ(past[35].at("requestsCreated"), 36);
}

TEST_F(UsageRoutes, ShowTheSubscriptionToWhoeverMaySeeIt) {
    Subscriber us("PRO", R"({"api":25000})");
    auto const answer = server->ask("GET", "/v1/subscription", us.auth("org.billing.read"));
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.text("tier"), "PRO");
    EXPECT_EQ(answer.text("status"), "active");
    EXPECT_EQ(answer.json().at("limits"), boost::json::parse(R"({"requests":1000,"agents":50,"api":25000})"));
    EXPECT_EQ(answer.json().at("customLimits"), boost::json::parse(R"({"api":25000})"));
    EXPECT_EQ(server->ask("GET", "/v1/subscription", us.auth("org.usage.read")).status, 403);
    EXPECT_EQ(server->ask("GET", "/v1/usage", us.auth("org.billing.read")).status, 403);
    api::testing::Tenant const nothing;
    EXPECT_EQ(server->ask("GET", "/v1/subscription", nothing.auth()).status, 404);
}

TEST_F(UsageRoutes, ShowTheCalendarMonthWhenNobodyMovesThePeriodOn) {
    Subscriber us;
    us.query(
        "UPDATE subscriptions SET current_period_start = '2020-01-01Z', current_period_end = '2020-02-01Z' "
        "WHERE organization_id = $1::uuid");
    auto const answer = server->ask("GET", "/v1/subscription", us.auth()).json();
    auto const start = *parse_rfc3339(answer.at("currentPeriodStart").as_string());
    auto const end = *parse_rfc3339(answer.at("currentPeriodEnd").as_string());
    EXPECT_TRUE(start <= now() && now() < end) << answer;
}

TEST_F(UsageRoutes, ShowAChangeAndWhoMadeIt) {
    Subscriber us;
    auto const etag = server->ask("GET", "/v1/subscription", us.auth()).header("ETag");
    server->change(us.id, {.tier = Tier::enterprise,
                           .status = Status::trialing,
                           .custom_limits = CustomLimits{.requests = 7, .agents = 3, .api = {}}});
    auto const now_is = server->ask("GET", "/v1/subscription", us.auth());
    EXPECT_NE(now_is.header("ETag"), etag);
    EXPECT_EQ(now_is.json().at("limits"), boost::json::parse(R"({"requests":7,"agents":3,"api":100000})"));
    EXPECT_EQ(us.query("SELECT action || ' ' || (before ->> 'tier') || ' ' || (after ->> 'tier') || ' ' || "
                       "(after -> 'customLimits' ->> 'agents') FROM audit_log WHERE organization_id = $1::uuid"),
              "subscription.changed FREE ENTERPRISE 3");
    EXPECT_EQ(us.query("SELECT topic FROM outbox WHERE organization_id = $1::uuid"), "subscription.changed");
    server->change(us.id, {.custom_limits = json::Patch<CustomLimits>::null()});
    EXPECT_TRUE(server->ask("GET", "/v1/subscription", us.auth()).json().at("customLimits").is_null());
}

TEST_F(UsageRoutes, RefuseLimitsThatAreNone) {
    Subscriber us;
    EXPECT_THROW(server->change(us.id, {.custom_limits = CustomLimits{.requests = -2, .agents = {}, .api = {}}}),
                 Problem);
    EXPECT_EQ(us.query("SELECT count(*) FROM audit_log WHERE organization_id = $1::uuid"), "0");
}

task<> add_in_transaction(api::Shard& shard, Principal principal, bool commits) {
    auto tx = shard.postgres.begin(principal);
    api::Tx held(tx, true);
    co_await add_usage(held, {.requests_created = 2, .agent_minutes = 3, .storage_gb = 0.25, .github_operations = 4});
    co_await add_usage(held, {.requests_created = 1});
    if (commits) co_await tx.commit();
}

TEST_F(UsageRoutes, ShowWhatWasAddedWithATransactionAndNothingElse) {
    Subscriber us;
    for (bool const commits : {true, false, true}) {
        server->run(add_in_transaction(server->shard(), buildplan::testing::PrincipalMaker::make(us.id), commits));
    }
    auto const current = server->ask("GET", "/v1/usage", us.auth()).json().at("current");
    EXPECT_EQ(current.at("requestsCreated"), 6);
    EXPECT_EQ(current.at("agentMinutes"), 6);
    EXPECT_EQ(current.at("storageGB"), 0.5);
    EXPECT_EQ(current.at("githubOperations"), 8);
}

TEST_F(UsageRoutes, AgreeWithTheNumberOfAgents) {
    Subscriber us("PRO"), more("FREE", R"({"agents":-1})");
    auto const agents = [](Subscriber const& who) {
        std::int64_t limit = 0;
        server->run([](api::Shard& shard, Principal principal, std::int64_t& out) -> task<> {
            out = co_await agent_limit(shard, principal);
        }(server->shard(), buildplan::testing::PrincipalMaker::make(who.id), limit));
        return limit;
    };
    EXPECT_EQ(agents(us), 50);
    EXPECT_EQ(agents(more), unlimited);
}

}  // namespace
}  // namespace buildplan::billing
