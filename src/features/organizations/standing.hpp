// Standing: what whoever asks may hand out in this organization, as a statement takes it. Authentication may have
// looked them up a second ago, so a statement that hands out rights asks again whether they still are what they were.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/principal.hpp"
#include "features/organizations/roles.hpp"

namespace buildplan::organizations {

struct Standing {
    std::optional<UserId> user;            // nobody for a service's key
    std::optional<std::string_view> role;  // to be asked again; into the principal
    std::vector<std::string> grantable;    // names of the roles that they hold all of

    static Standing of(Principal const& principal);

    [[nodiscard]] bool may_grant(std::string_view role_name) const noexcept;
};

// Names of the roles that somebody of this role could hand out.
std::vector<std::string> grantable_by(Role role);

// Who is signed in, in person. Throws 403 `person-required` for any key: it was given for one organization, and what a
// person does across theirs, or with their own place in one, is not within it.
UserId person_of(Principal const& principal);

// Throws 403 `role-too-high`.
[[noreturn]] void throw_role_too_high();
// Throws 403 `forbidden`: somebody has changed the role of whoever asks since they were looked up.
[[noreturn]] void throw_not_any_more();

}  // namespace buildplan::organizations
