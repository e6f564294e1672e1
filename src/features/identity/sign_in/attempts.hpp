// Attempts: how often somebody may try. Counted in Redis in fixed windows (redis/rate.hpp), or on the shard while Redis
// is gone; addresses and emails go there as hashes.
//
// A sign-in that fails is counted three times: for its place (an address, or the /64 of one), for the account at that
// place, and for the account over all places where its owner was never signed in. The first lets nobody try many
// accounts, the second stops guessing from one place (5 in a minute, 30 in an hour: the wait grows from seconds to an
// hour), the third stops it from many. One that succeeds is not counted. No account is ever locked: whoever guesses
// from elsewhere cannot keep the owner out of the places they know, a stranger's place is free again when its hour is
// over, and a password that was reset by mail begins with clean counts.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/problem.hpp"
#include "redis/rate.hpp"
#include "runtime/task.hpp"

namespace buildplan::identity {

// So many in each window of that length.
struct AttemptLimit {
    std::string_view name;
    std::int64_t calls;
    std::chrono::seconds length;
};

// 429 `too-many-attempts`.
Problem too_many_attempts(std::chrono::seconds wait);

class Attempts {
public:
    // `redis` may be missing; `beside`: how many shards, of all processes, count together.
    Attempts(redis::Client* redis, unsigned beside, bool counts = true) : counter_(redis, beside), counts_(counts) {}

    // One that was counted: in all of these windows, so that it can be taken back.
    struct Counted {
        std::vector<redis::RateWindow> windows;
        // How long to wait; nothing: go on.
        std::optional<std::chrono::seconds> wait;
    };
    task<Counted> at_place(std::string_view address);
    task<Counted> at_account(std::string_view email_lc, std::string_view address, bool knows_address);
    // It was no failure.
    void take_back(Counted const& counted);
    // Begins anew for that account, at that place and among strangers.
    void forget(std::string_view email_lc, std::string_view address);

    // What is asked for without signing in: accounts and mails from one place, mails to one mailbox, and tokens (of
    // mails, of sessions) that are tried.
    task<Counted> registration(std::string_view address);
    task<Counted> mail_from(std::string_view address);
    task<Counted> mail_to(std::string_view email_lc);
    task<Counted> token_from(std::string_view address);

private:
    task<Counted> count(std::span<AttemptLimit const> limits, std::string subject);
    void forget(std::span<AttemptLimit const> limits, std::string_view subject);

    redis::RateCounter counter_;
    bool counts_;
};

}  // namespace buildplan::identity
