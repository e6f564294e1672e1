// UsageMeter: counts the calls of organizations on one shard, in memory, and folds them into their usage every two
// seconds with one statement for all of them (named work `fold_usage`). Each fold has a number and counts once, however
// often it is sent: one whose answer was lost is sent again (migrations/0008).
//
// What can be lost: a process that is killed (kill -9, power) takes along what it counted since its last fold began: at
// most two seconds of its own calls and what a fold takes, while PostgreSQL answers. While it does not, counts wait in
// memory until it does, and are lost only if the process is killed meanwhile. Stopping in order loses nothing, and
// Redis has no part in it. A call belongs to the billing period in which it was made.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/id.hpp"
#include "core/metrics.hpp"
#include "core/time.hpp"
#include "runtime/gate.hpp"
#include "runtime/loop.hpp"

namespace buildplan::postgres {
class SystemPool;
}

namespace buildplan::billing {

class UsageMeter {
public:
    struct Options {
        std::chrono::steady_clock::duration every = std::chrono::seconds{2};
        std::size_t most_in_fold = 2'000;  // organizations; more go into several
    };

    // Both outlive it.
    UsageMeter(Loop& loop, postgres::SystemPool& system) : UsageMeter(loop, system, {}) {}
    UsageMeter(Loop& loop, postgres::SystemPool& system, Options options);

    // One call, made at that time.
    void add(OrganizationId organization, Timestamp time);

    void start();
    // The last fold, before the pool goes.
    task<> close();

    // All that was counted before. Throws what the pool throws; then the rest is folded next time.
    task<> fold();

private:
    struct Key {
        OrganizationId organization;
        std::chrono::sys_time<std::chrono::hours> hour;
        bool operator==(Key const&) const = default;
    };
    struct Hash {
        std::size_t operator()(Key const& key) const noexcept {
            return std::hash<OrganizationId>{}(key.organization) ^
                   static_cast<std::size_t>(key.hour.time_since_epoch().count());
        }
    };
    struct Calls {
        std::int64_t count = 0;
        Timestamp last;
    };
    // What is under way, until it is known to have arrived.
    struct Batch {
        std::vector<OrganizationId> organizations;
        std::vector<Timestamp> moments;
        std::vector<std::int64_t> calls;
    };

    task<> run(Gate::Pass pass);
    void cut();

    Loop& loop_;
    postgres::SystemPool& system_;
    Options options_;
    Uuid const id_ = Uuid::v7();
    std::int64_t folds_ = 0;
    std::unordered_map<Key, Calls, Hash> counted_;
    std::optional<Batch> batch_;
    bool folding_ = false, failing_ = false;
    Gate gate_;
    asio::cancellation_signal cancel_;
    metrics::Counter &calls_counted_, &calls_folded_;
};

// Forgets counters that are long gone; how many.
task<std::uint64_t> sweep_usage_meters(postgres::SystemPool& system);

}  // namespace buildplan::billing
