// Member: one queue of one organization, as the index names it: "ORGANIZATION:queue". The organization is a UUID in its
// canonical lower-case form and nothing else, so nobody can name what is another's. Its keys are bullmq::QueueKeys'.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "core/id.hpp"
#include "queue/bullmq/keys.hpp"

namespace buildplan::queue::fair {

struct Member {
    OrganizationId organization;
    std::string queue;

    [[nodiscard]] std::string to_string() const;
    // Nothing for what to_string() does not give.
    static std::optional<Member> parse(std::string_view text);

    [[nodiscard]] bullmq::QueueKeys keys() const { return {organization, queue}; }
    // The member whose marker this key is ("buildplan:{ORGANIZATION}:queue:marker").
    static std::optional<Member> of_marker(std::string_view key);

    friend auto operator<=>(Member const&, Member const&) = default;
};

}  // namespace buildplan::queue::fair

template <>
struct std::hash<buildplan::queue::fair::Member> {
    std::size_t operator()(buildplan::queue::fair::Member const& member) const noexcept {
        return std::hash<buildplan::OrganizationId>{}(member.organization) ^ std::hash<std::string>{}(member.queue);
    }
};
