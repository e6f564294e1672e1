#include "postgres/retry.hpp"

#include <algorithm>

#include "core/random.hpp"

namespace buildplan::postgres::detail {

std::chrono::steady_clock::duration pause_before_retry(RetryPolicy const& policy, unsigned attempt) {
    if (attempt >= policy.attempts) {
        Problem busy(503, "busy", "Too many are changing the same thing at once; nothing was changed.");
        throw std::move(busy).retry_in(std::chrono::seconds{1});
    }
    std::array<std::uint8_t, 2> random{};
    fill_random(random);
    auto const share = 0.5 + (random[0] * 256 + random[1]) / 131072.0;
    auto const longest = policy.first_pause * (1u << std::min(attempt - 1, 10u));
    return std::chrono::duration_cast<std::chrono::steady_clock::duration>(longest * share);
}

}  // namespace buildplan::postgres::detail
