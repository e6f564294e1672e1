// Tiers: what an organization may use for what it pays, in the contract's numbers ("Rate Limiting"), and what was
// agreed with it beyond them. Pure values: who counts is limiter.hpp.
#pragma once

#include <array>
#include <boost/describe.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/json/rules.hpp"

namespace buildplan::billing {

enum class Tier : std::uint8_t { free, pro, enterprise };
BOOST_DESCRIBE_ENUM(Tier, free, pro, enterprise)
constexpr json::Letters json_letters(Tier const*) { return json::Letters::capital; }

// Stripe's words for where a subscription stands.
enum class Status : std::uint8_t {
    incomplete,
    incomplete_expired,
    trialing,
    active,
    past_due,
    canceled,
    unpaid,
    paused
};
BOOST_DESCRIBE_ENUM(Status, incomplete, incomplete_expired, trialing, active, past_due, canceled, unpaid, paused)

inline constexpr auto statuses = std::to_array<std::string_view>(
    {"incomplete", "incomplete_expired", "trialing", "active", "past_due", "canceled", "unpaid", "paused"});
constexpr std::string_view to_string(Status status) noexcept { return statuses[static_cast<std::size_t>(status)]; }
constexpr std::optional<Status> parse_status(std::string_view name) noexcept {
    for (std::size_t i = 0; i < statuses.size(); ++i) {
        if (statuses[i] == name) return static_cast<Status>(i);
    }
    return std::nullopt;
}

inline constexpr std::int64_t unlimited = -1;
inline constexpr std::int64_t highest_limit = 1'000'000'000;

struct Limits {
    std::int64_t requests = 0;  // created in an hour
    std::int64_t agents = 0;    // at work at the same time
    std::int64_t api = 0;       // calls in an hour

    friend bool operator==(Limits const&, Limits const&) = default;
};
BOOST_DESCRIBE_STRUCT(Limits, (), (requests, agents, api))
constexpr auto json_rules(Limits const*) {
    return json::fields(json::field("requests").about("Requests that may be created in an hour; -1: any number."),
                        json::field("agents").about("Agents that may work at the same time; -1: any number."),
                        json::field("api").about("Calls of the API in an hour; -1: any number."))
        .about("What the organization may use.");
}

// What stands over the tier's numbers; what is left out is the tier's.
struct CustomLimits {
    std::optional<std::int64_t> requests;
    std::optional<std::int64_t> agents;
    std::optional<std::int64_t> api;

    friend bool operator==(CustomLimits const&, CustomLimits const&) = default;
};
BOOST_DESCRIBE_STRUCT(CustomLimits, (), (requests, agents, api))
constexpr auto json_rules(CustomLimits const*) {
    return json::fields(json::field("requests").range(unlimited, highest_limit),
                        json::field("agents").range(unlimited, highest_limit),
                        json::field("api").range(unlimited, highest_limit))
        .about("Limits that were agreed beyond those of the tier; what is left out is the tier's.");
}

struct TierRow {
    Tier tier;
    std::string_view name;  // in the database and on the wire
    Limits limits;
};

// In the order of the enumerators.
inline constexpr auto tiers = std::to_array<TierRow>({
    {Tier::free, "FREE", {.requests = 100, .agents = 10, .api = 1'000}},
    {Tier::pro, "PRO", {.requests = 1'000, .agents = 50, .api = 10'000}},
    {Tier::enterprise, "ENTERPRISE", {.requests = unlimited, .agents = 200, .api = 100'000}},
});

constexpr TierRow const& row_of(Tier tier) noexcept { return tiers[static_cast<std::size_t>(tier)]; }
constexpr std::string_view to_string(Tier tier) noexcept { return row_of(tier).name; }
constexpr std::optional<Tier> parse_tier(std::string_view name) noexcept {
    for (auto const& row : tiers) {
        if (row.name == name) return row.tier;
    }
    return std::nullopt;
}

constexpr Limits limits_of(Tier tier, CustomLimits const& custom = {}) noexcept {
    auto const& usual = row_of(tier).limits;
    return {.requests = custom.requests.value_or(usual.requests),
            .agents = custom.agents.value_or(usual.agents),
            .api = custom.api.value_or(usual.api)};
}

// Whether a subscription gives what it says: one that was ended, not begun or is not paid for any more does not, and
// its organization goes on as FREE. One that is merely late does.
constexpr bool is_good(Status status) noexcept {
    return status == Status::active || status == Status::trialing || status == Status::past_due;
}
constexpr Limits limits_of(Tier tier, Status status, CustomLimits const& custom) noexcept {
    return is_good(status) ? limits_of(tier, custom) : limits_of(Tier::free);
}

// The limit that a route's `counts_as` names. Nothing for a name that there is not.
constexpr std::optional<std::int64_t> limit_named(Limits const& limits, std::string_view name) noexcept {
    if (name == "requests") return limits.requests;
    if (name == "api") return limits.api;
    return std::nullopt;
}

}  // namespace buildplan::billing
