// VerifiedPrincipals: what this shard has found out about tokens and keys that it has seen: the hash of the text and
// the Principal that it makes. Bounded, least recently used first out, each entry until a time of its own. Each is also
// found by what it stands on, the session or key, the user and the organization, and goes when one of them is revoked.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/principal.hpp"
#include "core/uuid.hpp"

namespace buildplan::identity {

class VerifiedPrincipals {
public:
    using Clock = std::chrono::steady_clock;

    explicit VerifiedPrincipals(std::size_t most) : most_(most) {}

    // Nothing when it is unknown or its time is over.
    [[nodiscard]] std::shared_ptr<Principal const> find(std::string_view hash, Clock::time_point now);
    void keep(std::string hash, std::shared_ptr<Principal const> principal, Clock::time_point until);
    // All that stand on the session, key, user or organization of that id.
    void forget(Uuid const& subject);
    void forget_all() noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return by_hash_.size(); }

private:
    struct Entry;
    using Place = std::list<Entry>::iterator;
    using Group = std::list<Place>;
    struct Membership {
        Uuid subject;
        Group::iterator place;
    };
    struct Entry {
        std::string hash;
        std::shared_ptr<Principal const> principal;
        Clock::time_point until;
        std::array<Membership, 3> groups;
        std::size_t group_count = 0;
    };

    void join(Place entry, Uuid const& subject);
    void erase(Place entry);

    std::size_t most_;
    std::list<Entry> by_use_;                              // most recently used first
    std::unordered_map<std::string_view, Place> by_hash_;  // keys are the entries' own
    std::unordered_map<Uuid, Group> by_subject_;
};

}  // namespace buildplan::identity
