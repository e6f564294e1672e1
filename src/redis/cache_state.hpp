// The inside of Cache, shared by its two halves: reading (cache.cpp) and invalidating (cache_invalidate.cpp).
#pragma once

#include <deque>
#include <unordered_map>
#include <vector>

#include "redis/cache.hpp"
#include "redis/local_copies.hpp"
#include "runtime/completion.hpp"
#include "runtime/gate.hpp"

namespace buildplan::redis {

using Answer = std::optional<std::string>;

struct Cache::Family::Kept {
    Kept(metrics::Registry& registry, FamilyOptions options_);
    FamilyOptions options;
    metrics::Counter &hits, &local_hits, &misses;
    metrics::Histogram& load_time;
};

// One load and those who wait for it.
struct Load {
    std::vector<Completion<Answer>> waiting;
    bool stale = false;  // its key was, or may have been, invalidated since it began: no copy of it is kept here
    bool done = false;
    Answer answer;
    std::exception_ptr error;
};

struct Cache::State : std::enable_shared_from_this<State> {
    State(Loop& loop_, Client& client_, Subscriber& subscriber_, Options options_);

    // What Redis was not told yet: the keys, each with the number of its latest invalidation.
    using Owed = std::unordered_map<std::string, std::uint64_t>;

    static task<> load(std::shared_ptr<State> self, Family::Kept& family, std::string key, std::shared_ptr<Load> load,
                       Loader loader, Gate::Pass pass);
    task<Answer> fetch(Family::Kept& family, std::string const& key, Loader const& loader);
    struct Found {
        bool hit = false;
        Answer answer;
        std::string lease;  // to store under
    };
    task<Found> ask_redis(std::string const& key);
    void store(Family::Kept const& family, std::string const& key, std::string const& lease, Answer const& answer);
    [[nodiscard]] bool believes_redis(std::string const& key) const;
    [[nodiscard]] std::string new_lease();

    void forget(std::string const& key);  // here
    void forget_all();
    void heard(std::string_view message);
    void owe(std::string const& key);
    task<bool> tell(Owed keys);  // Redis and everybody
    void pay_later();
    static task<> pay(std::shared_ptr<State> self);

    Loop& loop;
    Client& client;
    Subscriber& subscriber;
    Options options;
    std::string prefix;   // "v1:"
    std::string self_id;  // begins our own messages
    std::deque<Family::Kept> families;
    std::unordered_map<std::string, std::shared_ptr<Load>> loads;
    LocalCopies copies;
    std::uint64_t leases = 0, invalidations = 0;
    Owed owed;
    std::chrono::steady_clock::time_point distrust_until;  // more was owed than we can remember
    bool paying = false, closed = false;
    Gate gate;
    metrics::Counter& invalidated;
    metrics::Gauge &owed_count, &copied_bytes;
    Subscriber::Subscription messages, gaps;
};

}  // namespace buildplan::redis
