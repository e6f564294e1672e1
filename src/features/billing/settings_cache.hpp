// SettingsCache: what of an organization is asked at every request: its settings and features and what it has paid for.
// Kept on the shard for a moment, in Redis for five minutes (the contract's `org:{id}:settings`), and loaded from
// PostgreSQL as the tenant that asks. A change is told to Redis when it is committed (`forget`), so every shard of
// every instance goes by it a moment later; where that could not be told, because the process died between the two,
// after five minutes. While neither Redis nor PostgreSQL answers, what was known last still holds.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "core/id.hpp"
#include "core/metrics.hpp"
#include "core/principal.hpp"
#include "features/billing/tiers.hpp"
#include "redis/cache.hpp"
#include "runtime/loop.hpp"

namespace buildplan::postgres {
class Pool;
}

namespace buildplan::billing {

struct OrganizationSettings {
    boost::json::object settings;
    boost::json::object features;
    Tier tier = Tier::free;
    Status status = Status::active;
    CustomLimits custom_limits;

    [[nodiscard]] Limits limits() const noexcept { return limits_of(tier, status, custom_limits); }
};

class SettingsCache {
public:
    using Clock = std::chrono::steady_clock;
    struct Options {
        Clock::duration keep = std::chrono::seconds{2};  // on the shard, without hearing of changes elsewhere
        std::size_t most_kept = 10'000;
    };

    // All outlive it; without a cache only the shard keeps anything.
    SettingsCache(Loop& loop, postgres::Pool& postgres, redis::Cache* cache)
        : SettingsCache(loop, postgres, cache, {}) {}
    SettingsCache(Loop& loop, postgres::Pool& postgres, redis::Cache* cache, Options options);

    // Of the organization of whoever asks; for somebody without one, those of a FREE one. Throws what PostgreSQL does
    // when it is needed and gone and nothing is known.
    task<std::shared_ptr<OrganizationSettings const>> get(Principal const& principal);
    // What is known here without asking anybody, however old; may be null.
    [[nodiscard]] std::shared_ptr<OrganizationSettings const> known(OrganizationId organization) const;

    // Settings, features or subscription are not what they were: after the change is committed. Never throws.
    task<> forget(OrganizationId organization);
    // The same, without waiting.
    void forget_soon(OrganizationId organization);

private:
    struct Kept {
        std::shared_ptr<OrganizationSettings const> settings;
        Clock::time_point until;
    };

    task<std::shared_ptr<OrganizationSettings const>> ask(Principal const& principal);
    void keep(OrganizationId organization, std::shared_ptr<OrganizationSettings const> settings);

    Loop& loop_;
    postgres::Pool& postgres_;
    redis::Cache* cache_;
    Options options_;
    std::optional<redis::Cache::Family> family_;
    std::shared_ptr<OrganizationSettings const> const nobodys_;
    std::unordered_map<OrganizationId, Kept> kept_;
    std::uint64_t forgotten_ = 0;  // how often: what was being asked meanwhile is not kept
    metrics::Counter &hits_, &local_hits_;
};

}  // namespace buildplan::billing
