// Sessions: where somebody is signed in. One lasts 30 days from its last refresh, and half a year at most; its access
// tokens last minutes and are renewed with its refresh token (refresh_token.hpp). Ending one ends its tokens on every
// instance within a second (revocations.hpp).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "api/call.hpp"
#include "features/identity/sign_in/origin.hpp"
#include "features/identity/sign_in/types.hpp"
#include "postgres/transaction.hpp"

namespace buildplan::identity {

constexpr std::chrono::days session_idle{30};
constexpr std::chrono::days session_longest{180};
// Of one person; the ones that were used longest ago make room.
constexpr std::int64_t most_sessions = 100;
// How long the answer of a refresh may be asked for again.
constexpr std::chrono::seconds refresh_again{10};

struct SessionTokens {
    std::string access;
    Timestamp access_ends;
    std::string refresh;
    Timestamp refresh_ends;
};

// A new session in that transaction, and its tokens, which hold once it is committed.
task<SessionTokens> open_session(api::Shard& shard, postgres::SystemTx& tx, UserId user,
                                 std::optional<OrganizationId> organization, Origin origin);

// New tokens for a refresh token. 401 `invalid-refresh-token` for one that is not good (any more). One that was used
// before ends its session.
task<std::expected<SessionTokens, Problem>> refresh(api::Call const& call, std::string_view refresh_token);

using AfterSession = std::optional<std::tuple<Timestamp, SessionId>>;
task<std::vector<SessionShown>> sessions_of(api::Shard& shard, UserId user, SessionId current, AfterSession after,
                                            std::int64_t limit);

// False: the user has no such session, or it has ended. The reason is one word or two: "logout".
task<bool> end_session(api::Call const& call, SessionId session, std::string_view reason);

// Every one of the caller.
task<> end_all_sessions(api::Call const& call);

// All of a user's, but `except`, in that transaction; whoever commits it announces them.
task<std::vector<Uuid>> end_sessions(postgres::SystemTx& tx, UserId user, std::optional<SessionId> except,
                                     std::string_view reason);

// The session that a call is made with. Throws 403 `session-required` for keys, which sign nobody in or out.
struct SignedIn {
    UserId user;
    SessionId session;
};
SignedIn signed_in(api::Call const& call);

}  // namespace buildplan::identity
