#include "api/limiter.hpp"

#include <gtest/gtest.h>

#include "api/test_routes.hpp"
#include "api/test_server.hpp"

namespace buildplan::api::testing {
namespace {

// A FixedWindow with the client that it counts by.
class CountedInRedis final : public Limiter {
public:
    CountedInRedis(Loop& loop, std::string const& url, std::int64_t calls)
        : client_(redis::Client::make(loop, redis::Options::parse(url))),
          counter_(*client_, 1),
          window_(counter_, calls) {}
    task<std::optional<Allowance>> count(Principal const& principal, Route const& route) override {
        static_cast<void>(co_await client_->connected(std::chrono::seconds{5}));
        co_return co_await window_.count(principal, route);
    }

private:
    std::unique_ptr<redis::Client> client_;
    redis::RateCounter counter_;
    FixedWindow window_;
};

ServerWishes limited_to(std::int64_t calls) {
    ServerWishes wishes;
    wishes.limiter = [calls](Loop& loop) {
        return std::make_unique<CountedInRedis>(loop, test_support::redis().url(), calls);
    };
    return wishes;
}

TEST(FixedWindowLimit, IsToldOnEveryAnswerAndThenHolds) {
    TestServer server{test_tables(), limited_to(3)};
    Tenant us, them;
    auto const first = server.ask("GET", "/v1/things", us.auth());
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.header("RateLimit-Limit"), "3");
    EXPECT_EQ(first.header("RateLimit-Remaining"), "2");
    auto const reset = std::stoi(first.header("RateLimit-Reset"));
    EXPECT_TRUE(reset >= 0 && reset <= 3600) << reset;
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

TEST(FixedWindowLimit, RefusesBeforeAnythingIsDone) {
    TestServer server{test_tables(), limited_to(0)};
    Tenant us;
    EXPECT_EQ(server.ask("POST", "/v1/events", us.json(), R"({"topic":"a"})").status, 429);
    EXPECT_EQ(us.count("outbox"), "0");
}

TEST(FixedWindowLimit, DoesNotCountWhatIsOpenToAll) {
    TestServer server{test_tables(), limited_to(0)};
    EXPECT_EQ(server.ask("GET", "/health").status, 200);
    EXPECT_EQ(server.ask("GET", "/health").header("RateLimit-Limit"), "");
}

}  // namespace
}  // namespace buildplan::api::testing
