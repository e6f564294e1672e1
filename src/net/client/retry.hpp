// RetryPolicy: when an outbound request is sent again and after what wait: exponential backoff with full jitter, or
// what the server asked for with Retry-After (RFC 9110 section 10.2.3). Pure functions; nothing here waits or throws.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/time.hpp"

namespace buildplan::net {

struct RetryPolicy {
    using Duration = std::chrono::steady_clock::duration;
    enum class When : std::uint8_t {
        never,
        if_idempotent,  // by its method (RFC 9110 section 9.2.2) or an Idempotency-Key; else only when nothing was sent
        always,         // the caller knows that twice does no harm
    };

    When when = When::if_idempotent;
    unsigned attempts = 3;  // the first among them
    Duration base = std::chrono::milliseconds{200};
    Duration cap = std::chrono::seconds{10};
    // A server that asks for a longer wait is not asked again: its answer goes to the caller.
    Duration max_retry_after = std::chrono::seconds{30};
};

bool is_idempotent_method(std::string_view method) noexcept;

// 429, 502, 503, 504.
bool is_retried_status(int status) noexcept;

// The wait before attempt `next` (2 for the first retry). `random` is in [0, 1). Nothing when there should be no
// further attempt, because they are used up, the server wants more patience than the policy has, or `remaining` is too
// short.
std::optional<RetryPolicy::Duration> retry_wait(RetryPolicy const& policy, unsigned next,
                                                std::optional<std::chrono::seconds> retry_after, double random,
                                                RetryPolicy::Duration remaining) noexcept;

// Retry-After: seconds or an HTTP date, from `at` on; never negative, at most a day. Nothing when it is neither.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, Timestamp at) noexcept;

}  // namespace buildplan::net
