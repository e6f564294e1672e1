// What of subscriptions and usage goes over the wire.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/id.hpp"
#include "core/json/patch.hpp"
#include "core/json/rules.hpp"
#include "core/time.hpp"
#include "features/billing/tiers.hpp"

namespace buildplan::billing {

using SubscriptionId = Id<struct SubscriptionTag>;

struct Subscription {
    SubscriptionId id;
    Tier tier = Tier::free;
    Status status = Status::active;
    Timestamp current_period_start;
    Timestamp current_period_end;
    std::optional<CustomLimits> custom_limits;
    Limits limits;
};
BOOST_DESCRIBE_STRUCT(Subscription, (),
                      (id, tier, status, current_period_start, current_period_end, custom_limits, limits))
constexpr auto json_rules(Subscription const*) {
    return json::fields(
               json::field("custom_limits").write_null().about("What was agreed beyond the tier; null: nothing."),
               json::field("limits").about("What holds now, of all that."))
        .about("What the organization pays for.");
}

// What was used in one billing period.
struct UsagePeriod {
    Timestamp period;
    std::int64_t requests_created = 0;
    std::int64_t agent_minutes = 0;
    double storage_gb = 0;
    std::int64_t api_calls = 0;
    std::int64_t github_operations = 0;
};
BOOST_DESCRIBE_STRUCT(UsagePeriod, (),
                      (period, requests_created, agent_minutes, storage_gb, api_calls, github_operations))
constexpr auto json_rules(UsagePeriod const*) {
    return json::fields(json::field("period").about("When the billing period began."),
                        json::field("storage_gb").named("storageGB"),
                        json::field("api_calls").about("Calls of the API; complete but for the last few seconds."))
        .about("What was used in a billing period.");
}

// Where a limit by the hour stands.
struct HourlyUse {
    std::optional<std::int64_t> used;
    std::int64_t limit = 0;
};
BOOST_DESCRIBE_STRUCT(HourlyUse, (), (used, limit))
constexpr auto json_rules(HourlyUse const*) {
    return json::fields(json::field("used").write_null().about("So far in this hour; null when it cannot be told now."),
                        json::field("limit").about("-1: any number."));
}

struct ThisHour {
    Timestamp ends_at;
    HourlyUse api;
    HourlyUse requests;
};
BOOST_DESCRIBE_STRUCT(ThisHour, (), (ends_at, api, requests))
constexpr auto json_rules(ThisHour const*) {
    return json::fields().about("The hour that limits are counted in, of the clock (UTC).");
}

inline constexpr std::int64_t most_past_periods = 36;

struct UsageReport {
    Tier tier = Tier::free;
    Limits limits;
    ThisHour hour;
    UsagePeriod current;
    std::vector<UsagePeriod> past;
};
BOOST_DESCRIBE_STRUCT(UsageReport, (), (tier, limits, hour, current, past))
constexpr auto json_rules(UsageReport const*) {
    return json::fields(json::field("past").items(0, most_past_periods).about("Earlier periods, the latest first."))
        .about("What the organization has used, and what it may use.");
}

// What whoever takes the money may change of a subscription.
struct SubscriptionChange {
    std::optional<Tier> tier = {};
    std::optional<Status> status = {};
    json::Patch<CustomLimits> custom_limits = {};
};

// To be added to what the current period has.
struct UsageAdded {
    std::int64_t requests_created = 0;
    std::int64_t agent_minutes = 0;
    double storage_gb = 0;
    std::int64_t github_operations = 0;
};

}  // namespace buildplan::billing
