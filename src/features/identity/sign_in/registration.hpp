// Registration: a person, their organization and all that belongs to one, in one transaction.
#pragma once

#include <expected>

#include "api/call.hpp"
#include "features/identity/sign_in/sessions.hpp"
#include "features/identity/sign_in/types.hpp"

namespace buildplan::identity {

struct NewAccount {
    User user;
    OrganizationName organization;
    SessionTokens tokens;
};

// 422 for a password that is refused, 409 `email-taken`, 429 from a place that made many.
task<std::expected<NewAccount, Problem>> register_account(api::Call const& call, Registration wanted);

}  // namespace buildplan::identity
