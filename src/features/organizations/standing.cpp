#include "features/organizations/standing.hpp"

#include <algorithm>

#include "core/problem.hpp"

namespace buildplan::organizations {

Standing Standing::of(Principal const& principal) {
    Standing standing{.user = principal.user(), .role = std::nullopt, .grantable = {}};
    if (!principal.role().empty()) standing.role = principal.role();
    for (auto const& row : roles) {
        if (holds_all_of(principal, row.role)) standing.grantable.emplace_back(row.name);
    }
    return standing;
}

bool Standing::may_grant(std::string_view role_name) const noexcept {
    return std::ranges::find(grantable, role_name) != grantable.end();
}

std::vector<std::string> grantable_by(Role role) {
    std::vector<std::string> names;
    if (!may(role, "org.members.invite")) return names;
    for (auto const& row : roles) {
        if (holds_all_of(role, row.role)) names.emplace_back(row.name);
    }
    return names;
}

UserId person_of(Principal const& principal) {
    auto const user = principal.user();
    if (!user || principal.api_key())
        throw Problem(403, "person-required", "This is done by a person who is signed in, not with a key.");
    return *user;
}

void throw_role_too_high() { throw Problem(403, "role-too-high", "That role has permissions that you do not have."); }

void throw_not_any_more() { throw problems::forbidden("Your own role has changed meanwhile."); }

}  // namespace buildplan::organizations
