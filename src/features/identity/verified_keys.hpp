// VerifiedKeys: what this shard knows of keys that it has seen: the hash of a key and the Principal that it makes.
// Bounded, least recently used first out, each entry for a short while, so that a key that was revoked is refused soon
// even where the news of it did not arrive.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/principal.hpp"

namespace buildplan::identity {

class VerifiedKeys {
public:
    using Clock = std::chrono::steady_clock;

    explicit VerifiedKeys(std::size_t most) : most_(most) {}

    // Nothing when it is unknown or its time is over.
    [[nodiscard]] std::shared_ptr<Principal const> find(std::string_view hash, Clock::time_point now);
    void keep(std::string hash, std::shared_ptr<Principal const> principal, Clock::time_point until);
    void forget(std::string_view hash);
    void forget_all() noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return by_hash_.size(); }

private:
    struct Entry {
        std::string hash;
        std::shared_ptr<Principal const> principal;
        Clock::time_point until;
    };
    using Place = std::list<Entry>::iterator;

    std::size_t most_;
    std::list<Entry> by_use_;                              // most recently used first
    std::unordered_map<std::string_view, Place> by_hash_;  // keys are the entries' own
};

}  // namespace buildplan::identity
