// Cache: what PostgreSQL says, kept in Redis for a while, on the contract's terms ("Caching Strategy"): keys carry a
// schema version, entries expire, a change invalidates them by event on every instance.
//
//     Cache::Family settings = cache.family({.name = "org_settings", .ttl = 5min});
//     auto const json = co_await cache.get(settings, "org:" + id + ":settings", [&shard, id] { return load(shard, id);
//     });
//
// Of N callers that miss on one shard one loads; the load belongs to none of them, so it goes on when callers leave.
// Therefore the loader owns, by value, all it uses that does not live as long as the shard, and it is an ordinary
// lambda that calls a coroutine, not one itself. What was being loaded while its key was invalidated is not kept, here
// or in Redis. Without Redis the loader answers, without an error and without a wait. What a loader throws, its callers
// get.
//
// In Redis an entry is one byte and what follows: V and a value, N for "there is none", or L and a token: the lease of
// those that are loading it. A value is stored only in place of the lease under which its load began; an invalidation
// deletes value and lease alike, so it also stops the loads of every other instance from storing what they read before.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "redis/client.hpp"
#include "redis/subscriber.hpp"

namespace buildplan::redis {

// The contract's times to live.
inline constexpr std::chrono::seconds session_ttl{3600}, data_ttl{300};

class Cache {
public:
    struct Options {
        unsigned schema = 1;  // raise it when the meaning of cached bytes changes: "v1:org:…" becomes "v2:org:…"
        std::string channel = "buildplan:invalidate";
        std::size_t local_bytes = 4uz * 1024 * 1024;  // of all families together, on this shard
        std::chrono::milliseconds patience{100};      // with Redis, before the loader is asked
        std::chrono::milliseconds lease{10'000};      // a load that takes longer is not kept
        std::size_t max_entry = 1024uz * 1024;        // bytes; what is larger is not kept
    };

    // Entries of one kind: one label in the metrics, one set of times.
    struct FamilyOptions {
        std::string name;  // "org_settings"
        std::chrono::milliseconds ttl =
            data_ttl;  // up to a tenth less, so that what was loaded together does not expire together
        std::chrono::milliseconds local_ttl{0};   // in this process; 0: not kept here
        std::chrono::milliseconds absent_ttl{0};  // of "there is none"; 0: not kept
    };
    class Family;

    // Nothing where there is none.
    using Loader = std::function<task<std::optional<std::string>>()>;

    // All three outlive it; so do they outlive the loads it has begun (drain()).
    Cache(Loop& loop, Client& client, Subscriber& subscriber, Options options);
    Cache(Loop& loop, Client& client, Subscriber& subscriber);
    ~Cache();
    Cache(Cache const&) = delete;
    Cache& operator=(Cache const&) = delete;

    // At the start, once for each kind.
    [[nodiscard]] Family family(FamilyOptions options);

    task<std::optional<std::string>> get(Family family, std::string key, Loader loader);

    // After the change is committed. Never throws: what Redis could not be told, it is told when it is back, and until
    // then this shard does not believe its copy.
    task<> invalidate(std::vector<std::string> keys);
    task<> invalidate(std::string key);

    // Waits for loads that have begun; new ones are refused with Unavailable.
    task<> drain();

private:
    struct State;
    std::shared_ptr<State> state_;
};

// A handle, cheap to copy.
class Cache::Family {
private:
    friend class Cache;
    struct Kept;
    explicit Family(Kept* kept) : kept_(kept) {}
    Kept* kept_;
};

}  // namespace buildplan::redis
