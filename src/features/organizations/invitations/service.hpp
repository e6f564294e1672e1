// What can be done with invitations. One lasts seven days; its token is in the event `mail.invitation` of the outbox
// and is kept as a hash, and each mail that is sent again carries a new one. Nobody invites to a role that has
// permissions they do not hold. Each change is recorded in the audit log and told in the outbox by the statement that
// makes it. Throws Problem: 404, 403 `role-too-high`, and what is said below.
#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "api/call.hpp"
#include "api/tx.hpp"
#include "core/principal.hpp"
#include "features/organizations/invitations/types.hpp"
#include "postgres/pool.hpp"

namespace buildplan::organizations {

inline constexpr std::chrono::days invitation_lasts{7};
inline constexpr std::int32_t most_sent = 5;     // mails of one invitation
inline constexpr std::int64_t most_open = 1000;  // invitations of an organization

using AfterInvitation = std::optional<std::tuple<Timestamp, InvitationId>>;

// 409 `already-member`, `already-invited`, `too-many-invitations`.
task<Invitation> invite(api::Tx& tx, api::Call const& call, NewInvitation draft);

task<std::vector<Invitation>> list_invitations(postgres::Pool& pool, Principal const& principal,
                                               InvitationFilter filter, bool newest_first, AfterInvitation after,
                                               std::int64_t limit);
task<std::optional<Invitation>> get_invitation(postgres::Pool& pool, Principal const& principal, InvitationId id);

// 409 `invitation-closed` for one that was accepted or revoked, `sent-too-often`. One that expired is open again.
task<Invitation> resend_invitation(api::Tx& tx, api::Call const& call, InvitationId id);

// Does nothing to one that is revoked already; 409 `invitation-closed` for one that was accepted.
task<> revoke_invitation(api::Tx& tx, api::Call const& call, InvitationId id);

// By the person who asks, and whose verified address it must be made out to; in a transaction of its own, since it is
// another tenant's. 404 for a token that there is not; 403 `person-required`, `email-not-verified`,
// `invitation-for-another-address`, `organization-deleted`; 409 `invitation-used`, `invitation-revoked`,
// `invitation-expired`. Only whoever holds the token is told any of these.
task<Joined> accept_invitation(api::Call const& call, InvitationToken shown);

}  // namespace buildplan::organizations
