#include "features/organizations/routes.hpp"
#include "api/declarations.hpp"
#include "api/page.hpp"
#include "api/response.hpp"
#include "features/organizations/invitations/service.hpp"

namespace buildplan::organizations {
namespace {

using api::Call;
using api::Response;
using api::Shard;
using api::Tx;

constexpr std::string_view example = R"({"id": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f", "email": "ada@example.com",
    "role": "MEMBER", "state": "open", "invitedBy": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d70", "sentCount": 1,
    "sentAt": "2026-11-23T17:20:46.123Z", "acceptedAt": null, "revokedAt": null,
    "createdAt": "2026-11-23T17:20:46.123Z", "expiresAt": "2026-11-30T17:20:46.123Z"})";

task<Response> create_invitation(Tx& tx, Call const& call) {
    auto draft = call.json<NewInvitation>();
    auto const made = co_await invite(tx, call, std::move(draft));
    co_return api::created(made, "/v1/invitations/" + made.id.to_string());
}

task<Response> show_invitations(Shard& shard, Call const& call) {
    auto const filter = call.query<InvitationFilter>();
    auto const limit = api::rows_for(call);
    bool const newest_first = call.sort() == "-createdAt";
    auto found = co_await list_invitations(shard.postgres, call.principal(), filter, newest_first,
                                           call.after<Timestamp, InvitationId>(), limit);
    co_return api::ok(api::page_of(
        call, std::move(found), [](Invitation&& one) { return std::move(one); },
        [](Invitation const& one) { return std::tuple{one.created_at, one.id}; }));
}

task<Response> show_invitation(Shard& shard, Call const& call) {
    auto const id = call.path<InvitationId>("invitationId");
    auto const found = co_await get_invitation(shard.postgres, call.principal(), id);
    if (!found) throw problems::not_found();
    co_return api::ok(*found);
}

task<Response> send_invitation_again(Tx& tx, Call const& call) {
    auto const sent = co_await resend_invitation(tx, call, call.path<InvitationId>("invitationId"));
    co_return api::ok(sent);
}

task<Response> delete_invitation(Tx& tx, Call const& call) {
    co_await revoke_invitation(tx, call, call.path<InvitationId>("invitationId"));
    co_return api::no_content();
}

// Its own transaction does the work; the one that it is given keeps the answer for the Idempotency-Key.
task<Response> join_organization(Tx&, Call const& call) {
    auto shown = call.json<InvitationToken>();
    auto const joined = co_await accept_invitation(call, std::move(shown));
    co_return api::ok(joined);
}

constexpr auto invitations = api::tag("Invitations", "How somebody becomes a member.");
constexpr auto too_high = api::fails(403, "role-too-high", "The role has permissions that you do not have.");
constexpr auto closed = api::fails(409, "invitation-closed", "The invitation was accepted or revoked.");

constexpr api::Route table[] = {
    {"GET", "/v1/invitations", "org.members.read", api::handle<show_invitations>, "List invitations", invitations,
     api::query<InvitationFilter>, api::paged("-createdAt", "createdAt"), api::returns<api::Page<Invitation>>()},
    {"POST", "/v1/invitations", "org.members.invite", api::handle<create_invitation>, "Invite somebody", invitations,
     api::describe("They get a mail with a token that is good for 7 days. One invitation is open for an address."),
     api::body<NewInvitation>.example(R"({"email": "ada@example.com", "role": "MANAGER"})"),
     api::returns<Invitation>(201).example(example), too_high,
     api::fails(409, "already-member", "The person is a member of the organization already."),
     api::fails(409, "already-invited", "There is an open invitation for this address."),
     api::fails(409, "too-many-invitations", "At most 1000 invitations of an organization are open.")},
    {"GET", "/v1/invitations/{invitationId}", "org.members.read", api::handle<show_invitation>, "Get an invitation",
     invitations, api::returns<Invitation>().example(example)},
    {"POST", "/v1/invitations/{invitationId}/resend", "org.members.invite", api::handle<send_invitation_again>,
     "Send an invitation again", invitations,
     api::describe("With a new token, good for another 7 days; the one before it opens nothing any more."),
     api::returns<Invitation>().example(example), too_high, closed,
     api::fails(409, "sent-too-often", "An invitation is sent at most 5 times.")},
    {"DELETE", "/v1/invitations/{invitationId}", "org.members.invite", api::handle<delete_invitation>,
     "Revoke an invitation", invitations, api::returns_nothing(), too_high, closed},
    {"POST", "/v1/invitations/accept", api::any_principal, api::handle<join_organization>, "Accept an invitation",
     invitations, api::describe("By the person whose verified address it is made out to. A token opens once."),
     api::body<InvitationToken>.example(R"({"token": "bp_inv_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE"})"),
     api::returns<Joined>(), api::fails(403, "person-required", "A person who is signed in does this, not a key."),
     api::fails(403, "email-not-verified", "The address of the account is not verified."),
     api::fails(403, "invitation-for-another-address", "The invitation is made out to another address."),
     api::fails(409, "invitation-used", "The invitation was accepted before."),
     api::fails(409, "invitation-revoked", "The invitation was taken back."),
     api::fails(409, "invitation-expired", "The invitation is older than 7 days.")},
};

}  // namespace

std::span<api::Route const> invitation_routes() noexcept { return table; }

}  // namespace buildplan::organizations
