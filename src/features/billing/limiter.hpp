// TierLimiter: holds an organization to what its tier allows, counting in Redis on the contract's keys
// (`rate:{org}:{endpoint}:{hour}`): every call as `api`, and a call of a route that `counts_as("requests")` also as
// that, in the same flight. The nth call of a limit of n is let in and the next is not. What is refused, or comes to
// nothing, is not one of the `requests`, but stays a call.
//
// While Redis is gone each shard counts for all of them (redis/rate.hpp): rather too strict than open. While the limits
// cannot be found out either, those that were known last hold, or else those of FREE. Every call that is let in is
// metered, also where limits are switched off.
#pragma once

#include "api/limiter.hpp"
#include "features/billing/settings_cache.hpp"
#include "features/billing/usage_meter.hpp"
#include "redis/rate.hpp"

namespace buildplan::billing {

class TierLimiter final : public api::Limiter {
public:
    // All outlive it. `enforces`: the installation's setting api.rate_limits.
    TierLimiter(SettingsCache& settings, redis::RateCounter& counter, UsageMeter& meter, bool enforces)
        : settings_(settings), counter_(counter), meter_(meter), enforces_(enforces) {}

    task<std::optional<api::Allowance>> count(Principal const& principal, api::Route const& route) override;
    void give_back(Principal const& principal, api::Route const& route) override;

private:
    task<Limits> limits_for(Principal const& principal);

    SettingsCache& settings_;
    redis::RateCounter& counter_;
    UsageMeter& meter_;
    bool enforces_;
};

}  // namespace buildplan::billing
