// Tiers as the queue sees them: which slots serve them, how much they may take at a time, and their cap. Pure values.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace buildplan::queue::fair {

enum class Tier : std::uint8_t { free, pro, enterprise };

// A turn takes this many jobs, or what fits into `shortest` where jobs are quicker than that, at most `most`; and ends
// with the job in which `longest` runs out.
struct Quantum {
    unsigned jobs = 1;
    std::chrono::milliseconds longest{1000};
    std::chrono::milliseconds shortest{20};
    unsigned most = 32;
};

struct TierRow {
    Tier tier;
    std::string_view name;
    Quantum quantum;
    std::int64_t cap;  // jobs at work at the same time in one queue of an organization
};

// In the order of the enumerators. The caps are the contract's ("Rate Limiting", agents).
inline constexpr auto tiers = std::to_array<TierRow>({
    {Tier::free, "FREE", {.jobs = 2, .longest = std::chrono::milliseconds{1000}}, 10},
    {Tier::pro, "PRO", {.jobs = 4, .longest = std::chrono::milliseconds{1500}}, 50},
    {Tier::enterprise, "ENTERPRISE", {.jobs = 8, .longest = std::chrono::milliseconds{2000}}, 200},
});

constexpr std::size_t index_of(Tier tier) noexcept { return static_cast<std::size_t>(tier); }
constexpr TierRow const& row_of(Tier tier) noexcept { return tiers[index_of(tier)]; }
constexpr std::optional<Tier> parse_tier(std::string_view name) noexcept {
    for (auto const& row : tiers) {
        if (row.name == name) return row.tier;
    }
    return std::nullopt;
}

}  // namespace buildplan::queue::fair
