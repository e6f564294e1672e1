// What somebody does with their account: another password, a forgotten one, and showing that a mailbox is theirs.
#pragma once

#include <expected>
#include <optional>

#include "api/call.hpp"
#include "features/identity/sign_in/types.hpp"

namespace buildplan::identity {

// Ends the user's other sessions. Something: why not (403 `wrong-password`, 422, 429).
task<std::optional<Problem>> change_password(api::Call const& call, PasswordChange wanted);

// Writes a letter where there is such an account. The answer comes before that is known, so that it is the same, and
// takes as long, where there is none. Something: 429, for the place that asks.
task<std::optional<Problem>> forgot_password(api::Call const& call, ForgottenPassword wanted);

// Ends all sessions of the user. Something: why not (400 `invalid-token`, 422, 429).
task<std::optional<Problem>> reset_password(api::Call const& call, PasswordReset wanted);

// Something: why not (400 `invalid-token`, 429).
task<std::optional<Problem>> verify_email(api::Call const& call, EmailProof proof);

// The letter again. Something: why not (409 `already-verified`, 429).
task<std::optional<Problem>> resend_verification(api::Call const& call);

}  // namespace buildplan::identity
