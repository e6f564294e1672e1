#include "net/client/retry.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "core/text.hpp"

namespace buildplan::net {

bool is_idempotent_method(std::string_view method) noexcept {
    return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS" ||
           method == "TRACE";
}

bool is_retried_status(int status) noexcept { return status == 429 || status == 502 || status == 503 || status == 504; }

std::optional<RetryPolicy::Duration> retry_wait(RetryPolicy const& policy, unsigned next,
                                                std::optional<std::chrono::seconds> retry_after, double random,
                                                RetryPolicy::Duration remaining) noexcept {
    if (policy.when == RetryPolicy::When::never || next < 2 || next > policy.attempts) return {};
    RetryPolicy::Duration wait;
    if (retry_after) {
        if (*retry_after > policy.max_retry_after) return {};
        wait = *retry_after;
    } else {
        auto const doublings = std::min(next - 2, 20u);
        auto const longest =
            std::min<double>(static_cast<double>(policy.cap.count()),
                             static_cast<double>(policy.base.count()) * static_cast<double>(1u << doublings));
        wait = RetryPolicy::Duration(static_cast<RetryPolicy::Duration::rep>(longest * random));
    }
    if (wait >= remaining) return {};
    return wait;
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, Timestamp at) noexcept {
    using std::chrono::seconds;
    constexpr seconds longest = std::chrono::days{1};
    auto const text = trim(value);
    if (text.empty() || text.size() > 64) return {};
    if (text.find_first_not_of("0123456789") == std::string_view::npos) {
        if (text.size() > 9) return longest;
        std::int64_t count = 0;
        std::from_chars(text.data(), text.data() + text.size(), count);
        return std::min(seconds{count}, longest);
    }
    // All three forms of an HTTP date (RFC 9110 section 5.6.7) begin with the day's name and hold the time of day.
    bool const alpha = (text[0] >= 'A' && text[0] <= 'Z') && text.find(':') != std::string_view::npos;
    if (!alpha) return {};
    auto const date = curl_getdate(std::string(text).c_str(), nullptr);
    if (date < 0) return {};
    auto const wait = std::chrono::ceil<seconds>(std::chrono::sys_seconds{seconds{date}} - at);
    return std::clamp(wait, seconds{0}, longest);
}

}  // namespace buildplan::net
