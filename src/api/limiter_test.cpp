#include "api/limiter.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <map>

#include "api/test_routes.hpp"
#include "api/test_server.hpp"

namespace buildplan::api::testing {
namespace {

// So many calls for each, and as many of what a route counts as.
class SoMany final : public Limiter {
public:
    explicit SoMany(std::int64_t limit) : limit_(limit) {}
    task<std::optional<Allowance>> count(Principal const& principal, Route const& route) override {
        std::string const who(principal.organization_text());
        auto calls = ++calls_[who];
        if (!route.counted_as.empty()) calls = std::max(calls, ++calls_[who + ' ' + std::string(route.counted_as)]);
        co_return Allowance{.limit = limit_, .remaining = limit_ - calls, .resets_in = std::chrono::seconds{30}};
    }
    void give_back(Principal const& principal, Route const& route) override {
        if (route.counted_as.empty()) return;
        --calls_[std::string(principal.organization_text()) + ' ' + std::string(route.counted_as)];
        ++given_back;
    }
    std::atomic<int> given_back{0};

private:
    std::int64_t limit_;
    std::map<std::string, std::int64_t> calls_;
};

ServerWishes limited_to(std::int64_t calls) {
    ServerWishes wishes;
    wishes.limiter = [calls](Loop&) { return std::make_unique<SoMany>(calls); };
    return wishes;
}

TEST(Limit, IsToldOnEveryAnswerAndThenHolds) {
    TestServer server{test_tables(), limited_to(3)};
    Tenant us, them;
    auto const first = server.ask("GET", "/v1/things", us.auth());
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.header("RateLimit-Limit"), "3");
    EXPECT_EQ(first.header("RateLimit-Remaining"), "2");
    EXPECT_EQ(first.header("RateLimit-Reset"), "30");
    EXPECT_EQ(server.ask("GET", "/v1/things?limit=0", us.auth()).header("RateLimit-Remaining"),
              "1");                                                                              // a problem, thrown
    EXPECT_EQ(server.ask("GET", "/v1/things/7", us.auth()).header("RateLimit-Remaining"), "0");  // a refusal
    auto const refused = server.ask("GET", "/v1/things", us.auth());
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.text("code"), "rate-limited");
    EXPECT_EQ(refused.header("RateLimit-Remaining"), "0");
    EXPECT_EQ(refused.header("Retry-After"), refused.header("RateLimit-Reset"));
    EXPECT_EQ(server.ask("GET", "/v1/things", them.auth()).status, 200);
}

TEST(Limit, RefusesBeforeAnythingIsDone) {
    TestServer server{test_tables(), limited_to(0)};
    Tenant us;
    EXPECT_EQ(server.ask("POST", "/v1/events", us.json(), R"({"topic":"a"})").status, 429);
    EXPECT_EQ(us.count("outbox"), "0");
}

TEST(Limit, DoesNotCountWhatIsOpenToAll) {
    TestServer server{test_tables(), limited_to(0)};
    EXPECT_EQ(server.ask("GET", "/health").status, 200);
    EXPECT_EQ(server.ask("GET", "/health").header("RateLimit-Limit"), "");
}

TEST(Limit, CountsWhatARouteCountsAsOnlyWhenItSucceeds) {
    TestServer server{test_tables(), limited_to(100)};
    Tenant us;
    auto const& limiter = dynamic_cast<SoMany const&>(*server.shard().limiter);
    auto const create = [&](std::string_view body, std::string const& headers = {}) {
        return server.ask("POST", "/v1/counted", us.json() + headers, body).status;
    };
    EXPECT_EQ(create(R"({"topic":"a"})", "Idempotency-Key: k\r\n"), 201);
    EXPECT_EQ(limiter.given_back, 0);
    EXPECT_EQ(create(R"({"topic":"a"})", "Idempotency-Key: k\r\n"), 201) << "a repeated answer";
    EXPECT_EQ(limiter.given_back, 1);
    EXPECT_EQ(create(R"({"topic":""})"), 422);
    // Given back after the answer was sent.
    EXPECT_EQ(server.ask("GET", "/v1/things", us.auth()).status, 200);
    auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds{5};
    while (limiter.given_back < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_EQ(limiter.given_back, 2);
}

}  // namespace
}  // namespace buildplan::api::testing
