#include "features/identity/people_cache.hpp"

namespace buildplan::identity {
namespace {

constexpr std::size_t time_size = 24;  // what an entry begins with: an RFC 3339 time with milliseconds

// A coroutine of its own, so that what it uses is its own.
task<std::optional<std::string>> load_with_time(PeopleCache::Load load) {
    auto const began = now();
    auto loaded = co_await load();
    if (loaded) loaded->insert(0, to_rfc3339(began));
    co_return loaded;
}

std::string session_key(SessionId session) { return "session:" + session.to_string(); }
std::string organizations_key(UserId user) { return "user:" + user.to_string() + ":orgs"; }

}  // namespace

PeopleCache::PeopleCache(Loop& loop, redis::Cache& cache, Options options)
    : loop_(loop),
      cache_(cache),
      options_(options),
      sessions_(cache.family({.name = "session", .ttl = redis::session_ttl})),
      organizations_(cache.family({.name = "user_orgs", .ttl = redis::data_ttl})),
      // The cache's own numbers: what the shard kept is a hit of the same kind.
      session_hits_(loop.metrics().counter("buildplan_cache_hits_total", "Reads answered without a load.",
                                           {{"cache", "session"}})),
      session_local_hits_(loop.metrics().counter("buildplan_cache_local_hits_total",
                                                 "Hits that did not need Redis, either.", {{"cache", "session"}})) {}

task<std::optional<std::string>> PeopleCache::session(SessionId session, std::vector<Uuid> subjects, Load load) {
    subjects.push_back(session.value);
    return get(sessions_, session_key(session), std::move(subjects), std::move(load));
}

task<std::optional<std::string>> PeopleCache::organizations(UserId user, Load load) {
    return get(organizations_, organizations_key(user), {user.value}, std::move(load));
}

task<std::optional<std::string>> PeopleCache::get(redis::Cache::Family family, std::string key,
                                                  std::vector<Uuid> subjects, Load load) {
    if (!believed_since_) co_return co_await load();
    redis::Cache::Loader const loader = [load] { return load_with_time(load); };
    auto entry = co_await cache_.get(family, key, loader);
    if (!entry) co_return std::nullopt;
    if (is_good(*entry, subjects)) co_return entry->substr(time_size);
    co_await cache_.invalidate(std::move(key));
    co_return co_await load();
}

bool PeopleCache::is_good(std::string_view entry, std::span<Uuid const> subjects) const {
    auto const began = parse_rfc3339(entry.substr(0, std::min(entry.size(), time_size)));
    if (!began || !believed_since_) return false;
    // Began so late that it has seen what was committed before that moment, wherever that was measured.
    auto const is_later = [&](Timestamp moment) { return *began > moment + options_.skew; };
    if (!is_later(*believed_since_)) return false;
    for (auto const& subject : subjects) {
        auto const heard = revoked_.find(subject);
        if (heard != revoked_.end() && !is_later(heard->second)) return false;
    }
    return true;
}

void PeopleCache::session_was_kept() noexcept {
    session_hits_.add();
    session_local_hits_.add();
}

void PeopleCache::forget_session(SessionId session) {
    loop_.spawn("forget session", cache_.invalidate(session_key(session)));
}

void PeopleCache::forget_organizations(UserId user) {
    loop_.spawn("forget organizations", cache_.invalidate(organizations_key(user)));
}

void PeopleCache::hears() noexcept {
    if (!believed_since_) believed_since_ = now();
}

void PeopleCache::revoked(Uuid const& subject) {
    auto const time = now();
    if (revoked_.size() >= options_.most_remembered) {
        // No entry is older than an hour.
        std::erase_if(revoked_,
                      [&](auto const& each) { return each.second + redis::session_ttl + 2 * options_.skew < time; });
        if (revoked_.size() >= options_.most_remembered) everything();
    }
    revoked_[subject] = time;
}

void PeopleCache::everything() noexcept {
    revoked_.clear();
    if (believed_since_) believed_since_ = now();
}

}  // namespace buildplan::identity
