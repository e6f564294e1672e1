#include "features/organizations/invitations/service.hpp"

#include "core/crypto.hpp"
#include "core/keyset.hpp"
#include "core/problem.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "features/identity/revocations.hpp"
#include "features/organizations/invitations/queries.gen.hpp"
#include "features/organizations/standing.hpp"

namespace buildplan::organizations {
namespace {

namespace queries = invitations::queries;

constexpr std::string_view token_prefix = "bp_inv_";

std::string make_token() { return std::string(token_prefix) + base64url(random_bytes(32)); }

template <class Row>
InvitationState state_of(Row const& row) {
    if (row.accepted_at) return InvitationState::accepted;
    if (row.revoked_at) return InvitationState::revoked;
    return row.expires_at <= now() ? InvitationState::expired : InvitationState::open;
}

template <class Row>
Invitation to_invitation(Row row) {
    return {.id = row.id,
            .email = std::move(row.email),
            .role = parse_role(row.role).value_or(Role::viewer),
            .state = state_of(row),
            .invited_by = row.invited_by,
            .sent_count = row.sent_count,
            .sent_at = row.sent_at,
            .accepted_at = row.accepted_at,
            .revoked_at = row.revoked_at,
            .created_at = row.created_at,
            .expires_at = row.expires_at};
}

Problem closed() { return problems::conflict("invitation-closed", "The invitation was accepted or revoked."); }

std::string_view why_not(queries::FindByToken::Row const& found) {
    if (found.accepted_at) return "invitation-used";
    if (found.revoked_at) return "invitation-revoked";
    return found.is_expired ? "invitation-expired" : "";
}

}  // namespace

task<Invitation> invite(api::Tx& tx, api::Call const& call, NewInvitation draft) {
    auto const standing = Standing::of(call.principal());
    if (!standing.may_grant(to_string(draft.role))) throw_role_too_high();
    auto const token = make_token();
    auto const hash = sha256(token);
    queries::Invite const query{.actor_role = standing.role,
                                .actor = standing.user,
                                .email = draft.email,
                                .most_open = most_open,
                                .id = InvitationId::make(),
                                .role = to_string(draft.role),
                                .token_hash = hash,
                                .expires_at = now() + invitation_lasts,
                                .token = token};
    std::optional<queries::InvitedRow> row;
    try {
        row = co_await tx.commit_with(query);
    } catch (postgres::Error const& error) {
        if (!error.violates("invitations_open")) throw;
        throw Problem(409, "already-invited", "There is an open invitation for this address.",
                      {{"/email", "taken", "Send that one again, or revoke it."}});
    }
    if (!row) throw std::logic_error("Inviting has no answer.");
    if (row->is_member) throw problems::conflict("already-member", "This person is a member already.");
    if (row->is_full) throw problems::conflict("too-many-invitations", "Too many invitations are open.");
    if (!row->actor_holds) throw_not_any_more();
    if (!row->actor_verified) {
        throw Problem(403, "email-not-verified", "Verify your own email address before you send mail to others.");
    }
    co_return to_invitation(std::move(*row));
}

task<std::vector<Invitation>> list_invitations(postgres::Pool& pool, Principal const& principal,
                                               InvitationFilter filter, bool newest_first, AfterInvitation after,
                                               std::int64_t limit) {
    constexpr std::string_view names[] = {"open", "accepted", "revoked", "expired"};
    std::optional<std::string_view> const state =
        filter.state ? std::optional{names[static_cast<std::size_t>(*filter.state)]} : std::nullopt;
    auto const [time, id] = after.value_or(newest_first ? std::tuple{end_of_time, last_id<InvitationId>()}
                                                        : std::tuple{beginning_of_time, InvitationId{}});
    std::vector<queries::InvitationRow> rows;
    if (newest_first) {
        queries::ListNewest const query{.before = time, .before_id = id, .state = state, .limit = limit};
        rows = co_await pool.all(principal, query);
    } else {
        queries::ListOldest const query{.after = time, .after_id = id, .state = state, .limit = limit};
        rows = co_await pool.all(principal, query);
    }
    std::vector<Invitation> found;
    found.reserve(rows.size());
    for (auto& row : rows) found.push_back(to_invitation(std::move(row)));
    co_return found;
}

task<std::optional<Invitation>> get_invitation(postgres::Pool& pool, Principal const& principal, InvitationId id) {
    queries::GetInvitation const query{.id = id};
    auto row = co_await pool.one(principal, query);
    if (!row) co_return std::nullopt;
    co_return to_invitation(std::move(*row));
}

task<Invitation> resend_invitation(api::Tx& tx, api::Call const& call, InvitationId id) {
    queries::LockInvitation const lock{.id = id};
    auto const now_is = co_await tx.one(lock);
    if (!now_is) throw problems::not_found();
    if (!Standing::of(call.principal()).may_grant(now_is->role)) throw_role_too_high();
    if (now_is->accepted_at || now_is->revoked_at) throw closed();
    auto const token = make_token();
    auto const hash = sha256(token);
    queries::Resend const query{
        .token_hash = hash, .expires_at = now() + invitation_lasts, .id = id, .most_sent = most_sent, .token = token};
    auto row = co_await tx.commit_with(query);
    if (!row) {
        throw problems::conflict("sent-too-often",
                                 fmt::format("An invitation is sent at most {} times; make a new one.", most_sent));
    }
    co_return to_invitation(std::move(*row));
}

task<> revoke_invitation(api::Tx& tx, api::Call const& call, InvitationId id) {
    queries::LockInvitation const lock{.id = id};
    auto const now_is = co_await tx.one(lock);
    if (!now_is) throw problems::not_found();
    if (!Standing::of(call.principal()).may_grant(now_is->role)) throw_role_too_high();
    if (now_is->accepted_at) throw closed();
    queries::Revoke const query{.id = id};
    co_await tx.commit_with(query);
}

task<Joined> accept_invitation(api::Call const& call, InvitationToken shown) {
    auto const person = person_of(call.principal());
    auto const hash = sha256(shown.token);
    auto tx = call.shard().system.begin("accept_invitation", call.actor());
    queries::FindByToken const find{.token_hash = hash};
    queries::FindPerson const find_person{.user_id = person};
    auto const [found, who] = co_await tx.pipeline(find, find_person);
    if (!found || !who) throw problems::not_found();
    if (who->email_lc != found->email_lc) {
        throw Problem(403, "invitation-for-another-address",
                      "The invitation is made out to another address than that of your account.");
    }
    if (!who->email_verified) throw Problem(403, "email-not-verified", "Verify your email address first.");
    auto const reason = why_not(*found);
    if (!reason.empty()) throw problems::conflict(reason, "The invitation is not open any more.");
    if (found->deleted_at) throw Problem(403, "organization-deleted", "The organization is being deleted.");
    queries::Accept const query{.user_id = person, .token_hash = hash, .email_lc = who->email_lc};
    auto joined = co_await tx.one(query);
    if (!joined) throw problems::conflict("invitation-used", "The invitation is not open any more.");
    co_await tx.commit();
    identity::announce_revoked(call.shard(), {person.value});  // what is kept of them knows nothing of this
    co_return Joined{.id = joined->organization_id,
                     .name = std::move(joined->name),
                     .slug = std::move(joined->slug),
                     .role = parse_role(joined->role).value_or(Role::viewer)};
}

}  // namespace buildplan::organizations
