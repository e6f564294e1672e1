// For tests: a server with the limiter of the product, on a real Redis, over the test table of the API floor (which has
// a route that counts as `requests`) and the routes of billing.
#pragma once

#include "api/test_routes.hpp"
#include "api/test_server.hpp"
#include "features/billing/limiter.hpp"
#include "features/billing/routes.hpp"
#include "features/billing/service.hpp"
#include "redis/subscriber.hpp"

namespace buildplan::billing::testing {

using api::testing::HttpAnswer;

inline api::RouteTables tables() {
    static std::array<std::span<api::Route const>, 3> const all{std::span<api::Route const>(api::testing::test_table),
                                                                billing::routes(), api::system_routes()};
    return all;
}

struct Wishes {
    std::string redis_url = test_support::redis().url();
    bool enforces = true;
    unsigned shards = 1;  // that count beside each other
    SettingsCache::Options settings{.keep = std::chrono::milliseconds{100}};
};

class Billed : public api::testing::TestServer {
public:
    explicit Billed(Wishes const& wishes = {}) : TestServer(tables(), server_wishes(wishes)) {
        run([](Billed& self, Wishes w) -> task<> {
            self.parts_ = std::make_unique<Parts>(self.shard(), w);
            auto& parts = *self.parts_;
            bool const connected = co_await self.shard().redis->connected(std::chrono::seconds{10});
            bool const live = co_await parts.subscriber.wait_live(std::chrono::seconds{10});
            if (!connected || !live) throw std::runtime_error("no Redis");
            self.shard().cache = &parts.cache;
            self.shard().settings = &parts.settings;
            self.shard().limiter = &parts.limiter;
        }(*this, wishes));
    }
    ~Billed() {
        run([](Billed& self) -> task<> {
            self.shard().limiter = nullptr;
            co_await self.parts_->meter.close();
            co_await self.parts_->cache.drain();
            self.parts_->subscriber.close();
            self.parts_.reset();
        }(*this));
    }

    [[nodiscard]] UsageMeter& meter() { return parts_->meter; }
    void fold() {
        run([](UsageMeter& meter) -> task<> { co_await meter.fold(); }(meter()));
    }
    void change(OrganizationId organization, SubscriptionChange change) {
        run([](Billed& self, OrganizationId id, SubscriptionChange wanted) -> task<> {
            bool const changed = co_await change_subscription(self.shard(), Actor{}, id, std::move(wanted));
            EXPECT_TRUE(changed);
        }(*this, organization, std::move(change)));
    }

private:
    struct Parts {
        Parts(api::Shard& shard, Wishes const& wishes)
            : subscriber(shard.loop, redis::Options::parse(wishes.redis_url)),
              cache(shard.loop, *shard.redis, subscriber),
              counter(*shard.redis, wishes.shards),
              settings(shard.loop, shard.postgres, &cache, wishes.settings),
              meter(shard.loop, shard.system),
              limiter(settings, counter, meter, wishes.enforces) {}
        redis::Subscriber subscriber;
        redis::Cache cache;
        redis::RateCounter counter;
        SettingsCache settings;
        UsageMeter meter;
        TierLimiter limiter;
    };
    static api::testing::ServerWishes server_wishes(Wishes const& wishes) {
        api::testing::ServerWishes out;
        out.redis_url = wishes.redis_url;
        return out;
    }

    std::unique_ptr<Parts> parts_;
};

// An organization with a subscription.
struct Subscriber : api::testing::Tenant {
    explicit Subscriber(std::string const& tier = "FREE", std::string const& custom = "null") {
        query(
            "INSERT INTO subscriptions (organization_id, tier, custom_limits) "
            "VALUES ($1::uuid, '" +
            tier + "', nullif('" + custom + "'::jsonb, 'null'))");
    }
    std::string query(std::string const& sql) const {
        return api::testing::superuser().value(sql, {id.to_string()}).value_or("");
    }
    [[nodiscard]] std::string api_calls() const {
        return query("SELECT coalesce(sum(api_calls), 0)::bigint FROM usage WHERE organization_id = $1::uuid");
    }
};

inline HttpAnswer list(api::testing::TestServer const& server, Subscriber const& who) {
    return server.ask("GET", "/v1/things", who.auth());
}
inline HttpAnswer create(api::testing::TestServer const& server, Subscriber const& who,
                         std::string_view body = R"({"topic":"a"})", std::string const& headers = {}) {
    return server.ask("POST", "/v1/counted", who.json() + headers, body);
}

// Asks until the answer is as it should be, for 10 s at most.
template <class Ask, class Wanted>
HttpAnswer until(Ask ask, Wanted wanted) {
    auto const last = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    for (;;) {
        auto answer = ask();
        if (wanted(answer) || std::chrono::steady_clock::now() > last) return answer;
    }
}

}  // namespace buildplan::billing::testing
