// Signing in with a password, and choosing the organization to work in.
#pragma once

#include <expected>
#include <vector>

#include "api/call.hpp"
#include "features/identity/sign_in/sessions.hpp"
#include "features/identity/sign_in/types.hpp"

namespace buildplan::identity {

struct SignedInAccount {
    std::vector<Membership> organizations;
    SessionTokens tokens;
};

// 401 `invalid-credentials`: the same answer in the same time, whether there is no such account or it has another
// password. 429 as attempts.hpp says.
task<std::expected<SignedInAccount, Problem>> log_in(api::Call const& call, Login wanted);

struct EnteredOrganization {
    Membership membership;
    std::string access;
    Timestamp access_ends;
};

// Nothing: they are no member, or there is no such organization.
task<std::optional<EnteredOrganization>> enter(api::Call const& call, OrganizationId organization);

// 404 does not happen: whoever has a session has an account.
task<Me> me(api::Call const& call);

}  // namespace buildplan::identity
