// Access tokens as the rest of identity makes them: fifteen minutes for a session, signed by this installation's
// current key. What the session may do is not in the token: it is looked up when the token is first seen and again
// after each change, so that a removed member or a changed role does not wait for the token to expire.
#pragma once

#include <optional>
#include <string>

#include "api/shard.hpp"
#include "core/id.hpp"
#include "core/time.hpp"

namespace buildplan::identity {

struct IssuedToken {
    std::string text;
    Timestamp expires_at;
};

// `organization`: the one that the token speaks for; nothing for somebody who has not chosen one. The session must be
// committed before the token is used, not before it is made. Throws Problem 503 while there is no key to sign with.
task<IssuedToken> issue_access_token(api::Shard& shard, SessionId session, UserId user,
                                     std::optional<OrganizationId> organization);

}  // namespace buildplan::identity
