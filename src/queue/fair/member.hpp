// Member: one queue of one organization, as the index names it ("ORGANIZATION:queue") and as BullMQ names its keys
// ("buildplan:{ORGANIZATION}:queue:wait"; the braces keep a queue in one slot of a cluster). An organization in a key
// is a UUID in its canonical lower-case form and nothing else, so no key can be made that is another's.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "core/id.hpp"

namespace buildplan::queue::fair {

struct Member {
    OrganizationId organization;
    std::string queue;

    [[nodiscard]] std::string to_string() const;
    // Nothing for what to_string() does not give.
    static std::optional<Member> parse(std::string_view text);

    // "buildplan:{ORGANIZATION}:queue:wait" for "wait".
    [[nodiscard]] std::string key(std::string_view word) const;
    // The member whose key this is, where it ends in `word`.
    static std::optional<Member> of_key(std::string_view key, std::string_view word);

    friend auto operator<=>(Member const&, Member const&) = default;
};

}  // namespace buildplan::queue::fair

template <>
struct std::hash<buildplan::queue::fair::Member> {
    std::size_t operator()(buildplan::queue::fair::Member const& member) const noexcept {
        return std::hash<buildplan::OrganizationId>{}(member.organization) ^ std::hash<std::string>{}(member.queue);
    }
};
