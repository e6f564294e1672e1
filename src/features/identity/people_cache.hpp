// PeopleCache: what is known of people beside PostgreSQL, on the contract's keys: `session:{id}` for an hour, what a
// session is good for, and `user:{id}:orgs` for five minutes, the organizations that somebody is in.
//
// An entry in Redis is only believed as far as this shard has heard of everything since that could make it untrue. Each
// carries when its load began; one that is older than a revocation that was heard (of its session, its user or its
// organization), or than the time from which on they are heard here at all, is loaded again. So a message to Redis that
// is lost, or a process that dies before it sends one, lets nobody in: what holds is what PostgreSQL tells every shard
// within a second (tokens/revocation_feed.hpp). The clocks of instances may differ by `skew`.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/id.hpp"
#include "core/metrics.hpp"
#include "core/time.hpp"
#include "redis/cache.hpp"
#include "runtime/loop.hpp"

namespace buildplan::identity {

class PeopleCache {
public:
    struct Options {
        std::chrono::milliseconds skew{5'000};
        std::size_t most_remembered = 20'000;  // revocations; beyond them every older entry is loaded again
    };
    // Owns by value what it uses beside the shard, as redis::Cache::Loader does. Nothing is not kept.
    using Load = std::function<task<std::optional<std::string>>()>;

    // Both outlive it.
    PeopleCache(Loop& loop, redis::Cache& cache) : PeopleCache(loop, cache, Options{}) {}
    PeopleCache(Loop& loop, redis::Cache& cache, Options options);

    // `subjects`: what the answer stands on beside the session.
    task<std::optional<std::string>> session(SessionId session, std::vector<Uuid> subjects, Load load);
    // Somebody's session was found without asking here at all.
    void session_was_kept() noexcept;
    task<std::optional<std::string>> organizations(UserId user, Load load);

    // After a change that only they need to see at once is committed.
    void forget_session(SessionId session);
    void forget_organizations(UserId user);

    // From now on all revocations are heard; called again it does nothing.
    void hears() noexcept;
    void revoked(Uuid const& subject);
    // Any number may have been missed.
    void everything() noexcept;

private:
    task<std::optional<std::string>> get(redis::Cache::Family family, std::string key, std::vector<Uuid> subjects,
                                         Load load);
    [[nodiscard]] bool is_good(std::string_view entry, std::span<Uuid const> subjects) const;

    Loop& loop_;
    redis::Cache& cache_;
    Options options_;
    redis::Cache::Family sessions_, organizations_;
    std::optional<Timestamp> believed_since_;
    std::unordered_map<Uuid, Timestamp> revoked_;  // when it was heard
    metrics::Counter &session_hits_, &session_local_hits_;
};

}  // namespace buildplan::identity
