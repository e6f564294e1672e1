#include "net/client/retry.hpp"

#include <gtest/gtest.h>

namespace buildplan::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr RetryPolicy policy{
    .attempts = 5, .base = milliseconds{100}, .cap = seconds{1}, .max_retry_after = seconds{10}};

TEST(Retry, WaitIsARandomShareOfAnExponentialBoundedByTheCap) {
    EXPECT_EQ(retry_wait(policy, 2, {}, 0.5, seconds{60}), milliseconds{50});
    EXPECT_EQ(retry_wait(policy, 3, {}, 0.5, seconds{60}), milliseconds{100});
    EXPECT_EQ(retry_wait(policy, 4, {}, 0.5, seconds{60}), milliseconds{200});
    EXPECT_EQ(retry_wait(policy, 5, {}, 0.0, seconds{60}), milliseconds{0});
    auto many = policy;
    many.attempts = 1000;
    EXPECT_EQ(retry_wait(many, 900, {}, 0.5, seconds{60}), milliseconds{500});
}

TEST(Retry, EndsWithAttemptsPatienceOrTime) {
    EXPECT_EQ(retry_wait(policy, 6, {}, 0.5, seconds{60}), std::nullopt);
    EXPECT_EQ(retry_wait(policy, 2, seconds{11}, 0.5, seconds{60}), std::nullopt);
    EXPECT_EQ(retry_wait(policy, 2, seconds{10}, 0.5, seconds{60}), seconds{10});
    EXPECT_EQ(retry_wait(policy, 2, seconds{10}, 0.5, seconds{10}), std::nullopt);
    EXPECT_EQ(retry_wait(policy, 2, {}, 0.0, seconds{0}), std::nullopt);
    auto never = policy;
    never.when = RetryPolicy::When::never;
    EXPECT_EQ(retry_wait(never, 2, {}, 0.5, seconds{60}), std::nullopt);
}

TEST(Retry, ReadsRetryAfterAsSecondsOrDate) {
    auto const at = *parse_rfc3339("1994-11-06T08:49:00Z");
    EXPECT_EQ(parse_retry_after("120", at), seconds{120});
    EXPECT_EQ(parse_retry_after(" 0 ", at), seconds{0});
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", at), seconds{37});
    EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", at), seconds{37});
    EXPECT_EQ(parse_retry_after("Sun Nov  6 08:49:37 1994", at), seconds{37});
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", at), seconds{0});
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 2094 08:00:00 GMT", at), seconds{86400});
    EXPECT_EQ(parse_retry_after("99999999999999999999", at), seconds{86400});
    for (auto const* bad : {"", "-1", "1.5", "soon", "1 minute", "Sun, 99 Nov 1994 99:49:37 GMT", "Xyz:"}) {
        EXPECT_EQ(parse_retry_after(bad, at), std::nullopt) << bad;
    }
}

}  // namespace
}  // namespace buildplan::net
