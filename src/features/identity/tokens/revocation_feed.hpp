// RevocationFeed: how a shard gets to know that something it keeps is not true any more. Redis tells at once;
// PostgreSQL is read several times a second as well, and more often while Redis is gone, so that no message has to
// arrive for a revoked session to be refused within a second. While neither can be heard, `complete` says so, and
// nothing that is kept may be used.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string_view>

#include "core/uuid.hpp"
#include "postgres/pool.hpp"
#include "redis/subscriber.hpp"
#include "runtime/gate.hpp"
#include "runtime/loop.hpp"

namespace buildplan::identity {

// Carries ids as text, separated by spaces.
inline constexpr std::string_view revocations_channel = "buildplan:revoked";

class RevocationFeed {
public:
    struct Options {
        std::chrono::milliseconds every{800};
        std::chrono::milliseconds every_deaf{400};  // while Redis tells nothing
        std::chrono::milliseconds trust{1000};      // how old a reading may be while Redis tells nothing
        std::int64_t most = 1000;                   // notes in one reading; beyond them everything is dropped
    };
    struct Listener {
        std::function<void(Uuid const&)> revoked;
        std::function<void()> everything;  // any number may have been missed
    };

    // Both outlive it.
    RevocationFeed(Loop& loop, postgres::SystemPool& system, Options options, Listener listener);

    void listen(redis::Subscriber& subscriber);
    void stop_listening();
    void start();
    task<> stop();

    // From here on what is revoked gets known: before this has returned for the first time nothing may be kept. Throws
    // what the pool throws.
    task<> begin();
    // Whether all that was revoked more than a second ago is known here.
    [[nodiscard]] bool complete() const noexcept;

private:
    using Clock = std::chrono::steady_clock;

    task<> run(Gate::Pass pass);
    task<> read();

    Loop& loop_;
    postgres::SystemPool& system_;
    Options options_;
    Listener listener_;
    bool live_ = false;
    std::optional<std::int64_t> since_;  // the first transaction that may not have been seen whole
    std::set<std::int64_t> seen_;        // notes of that one and later ones
    Clock::time_point read_at_{};        // when the last reading that succeeded began
    redis::Subscriber::Subscription revoked_, watch_;
    Gate gate_;
    asio::cancellation_signal cancel_;
};

// Removes notes that everybody has read by now; how many.
task<std::uint64_t> sweep_revocations(postgres::SystemPool& system);

}  // namespace buildplan::identity
