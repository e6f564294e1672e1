#include "features/billing/limiter.hpp"

#include <gtest/gtest.h>

#include "features/billing/test_billing.hpp"

namespace buildplan::billing {
namespace {

using testing::Billed;
using testing::create;
using testing::list;
using testing::Subscriber;
using testing::until;

class Limiting : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        one = std::make_unique<Billed>();
        other = std::make_unique<Billed>();
    }
    static void TearDownTestSuite() {
        one.reset();
        other.reset();
    }
    static inline std::unique_ptr<Billed> one, other;  // two shards of one installation
};

TEST_F(Limiting, LetsInExactlySoManyCalls) {
    Subscriber us("PRO", R"({"api":4})"), them("PRO", R"({"api":4})");
    for (int left = 3; left >= 0; --left) {
        auto const answer = list(left % 2 ? *one : *other, us);
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.header("RateLimit-Limit"), "4");
        EXPECT_EQ(answer.header("RateLimit-Remaining"), std::to_string(left));
    }
    auto const refused = list(*one, us);
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.text("code"), "rate-limited");
    EXPECT_EQ(refused.header("RateLimit-Remaining"), "0");
    auto const wait = std::stoi(refused.header("Retry-After"));
    EXPECT_TRUE(wait > 0 && wait <= 3600) << wait;
    EXPECT_EQ(list(*other, us).status, 429);
    EXPECT_EQ(list(*one, them).header("RateLimit-Remaining"), "3") << "another organization's calls were counted";
}

TEST_F(Limiting, GoesByTheTier) {
    for (auto const& row : tiers) {
        Subscriber const us{std::string(row.name)};
        auto const answer = list(*one, us);
        EXPECT_EQ(answer.header("RateLimit-Limit"), std::to_string(row.limits.api));
        EXPECT_EQ(answer.header("RateLimit-Remaining"), std::to_string(row.limits.api - 1));
    }
}

TEST_F(Limiting, GoesByFreeWithoutASubscriptionThatIsGood) {
    Subscriber us("ENTERPRISE");
    us.query("UPDATE subscriptions SET status = 'unpaid' WHERE organization_id = $1::uuid");
    EXPECT_EQ(list(*one, us).header("RateLimit-Limit"), "1000");
    api::testing::Tenant const nothing;
    EXPECT_EQ(one->ask("GET", "/v1/things", nothing.auth()).header("RateLimit-Limit"), "1000");
}

TEST_F(Limiting, CountsRequestsThatAreCreatedApart) {
    Subscriber us("FREE", R"({"requests":2,"api":50})");
    EXPECT_EQ(create(*one, us).header("RateLimit-Remaining"), "1");
    auto const second = create(*other, us);
    EXPECT_EQ(second.status, 201);
    EXPECT_EQ(second.header("RateLimit-Limit"), "2");
    EXPECT_EQ(second.header("RateLimit-Remaining"), "0");
    auto const third = create(*one, us);
    EXPECT_EQ(third.status, 429);
    EXPECT_EQ(third.header("RateLimit-Limit"), "2");
    EXPECT_EQ(us.count("outbox"), "2");
    auto const read = list(*one, us);
    EXPECT_EQ(read.status, 200);
    EXPECT_EQ(read.header("RateLimit-Remaining"), "46") << "the refused one is a call, too";
}

TEST_F(Limiting, DoesNotCountARequestThatWasNotCreated) {
    Subscriber us("FREE", R"({"requests":2,"api":100000})");
    EXPECT_EQ(create(*one, us, R"({"topic":""})").status, 422);
    EXPECT_EQ(create(*one, us, R"({"topic":"a"})", "Idempotency-Key: k\r\n").status, 201);
    EXPECT_EQ(create(*one, us, R"({"topic":"a"})", "Idempotency-Key: k\r\n").status, 201);
    // Given back after the answer is sent.
    auto const hasty = until([&] { return create(*one, us, R"({"topic":""})"); },
                             [](auto const& answer) { return answer.status == 422; });
    EXPECT_EQ(hasty.header("RateLimit-Remaining"), "0");
    auto const second =
        until([&] { return create(*one, us); }, [](auto const& answer) { return answer.status == 201; });
    EXPECT_EQ(second.status, 201);
    EXPECT_EQ(create(*one, us).status, 429);
    EXPECT_EQ(create(*one, us).status, 429);
    auto const hour = one->ask("GET", "/v1/usage", us.auth()).json().at("hour");
    EXPECT_EQ(hour.at("requests").at("used"), 2) << "what was refused is not used";
}

TEST_F(Limiting, HasNoLimitForWhatIsUnlimited) {
    Subscriber us("FREE", R"({"api":-1})"), them("ENTERPRISE");
    auto const answer = list(*one, us);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("RateLimit-Limit"), "");
    EXPECT_EQ(create(*one, us).header("RateLimit-Limit"), "100");
    EXPECT_EQ(create(*one, them).header("RateLimit-Limit"), "100000");
    auto const hour = one->ask("GET", "/v1/usage", them.auth()).json().at("hour");
    EXPECT_TRUE(hour.at("requests").at("used").is_null());
    EXPECT_EQ(hour.at("requests").at("limit"), -1);
}

TEST_F(Limiting, LetsNobodyInAtZero) {
    Subscriber const us("PRO", R"({"api":0})");
    EXPECT_EQ(list(*one, us).status, 429);
}

TEST_F(Limiting, GoesByANewTierOnEveryShardAtOnce) {
    Subscriber us;
    EXPECT_EQ(list(*one, us).header("RateLimit-Limit"), "1000");
    EXPECT_EQ(list(*other, us).header("RateLimit-Limit"), "1000");
    one->change(us.id, {.tier = Tier::pro});
    EXPECT_EQ(list(*one, us).header("RateLimit-Limit"), "10000");
    auto const asked = std::chrono::steady_clock::now();
    auto const there = until([&] { return list(*other, us); },
                             [](auto const& answer) { return answer.header("RateLimit-Limit") == "10000"; });
    EXPECT_EQ(there.header("RateLimit-Limit"), "10000");
    EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds{2});
    other->change(us.id, {.custom_limits = CustomLimits{.requests = {}, .agents = {}, .api = 77}});
    EXPECT_EQ(list(*other, us).header("RateLimit-Limit"), "77");
}

TEST(LimitingSwitchedOff, OnlyMeters) {
    Billed server{{.enforces = false}};
    Subscriber us("FREE", R"({"api":0,"requests":0})");
    EXPECT_EQ(list(server, us).header("RateLimit-Limit"), "");
    EXPECT_EQ(create(server, us).status, 201);
    server.fold();
    EXPECT_EQ(us.api_calls(), "2");
}

TEST(LimitingWithoutRedis, GoesOnHereAndHolds) {
    auto const redis = test_support::start_redis();
    Billed server{{.redis_url = redis->url(), .shards = 2}};
    Subscriber us("FREE", R"({"api":10})"), later("FREE", R"({"api":6})");
    for (int i = 0; i < 4; ++i) EXPECT_EQ(list(server, us).status, 200);
    redis->kill9();
    int let_in = 4, refused = 0;
    while (refused < 3 && let_in < 20) {
        auto const status = list(server, us).status;
        EXPECT_TRUE(status == 200 || status == 429) << status;
        ++(status == 200 ? let_in : refused);
    }
    EXPECT_EQ(let_in, 7) << "four in Redis, and then each for the two shards that count";
    // An organization that was not here before: its limits come from PostgreSQL.
    EXPECT_EQ(list(server, later).header("RateLimit-Remaining"), "4");
    auto const hour = server.ask("GET", "/v1/usage", later.auth()).json().at("hour");
    EXPECT_TRUE(hour.at("api").at("used").is_null());
    EXPECT_EQ(hour.at("api").at("limit"), 6);
    redis->restart();
    auto const back = until([&] { return list(server, us); }, [](auto const& answer) { return answer.status == 200; });
    EXPECT_EQ(back.status, 200) << "Redis counts again, from where it was";
}

}  // namespace
}  // namespace buildplan::billing
