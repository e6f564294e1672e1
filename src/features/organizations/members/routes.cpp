#include "features/organizations/routes.hpp"
#include "api/declarations.hpp"
#include "api/page.hpp"
#include "api/response.hpp"
#include "features/organizations/members/service.hpp"

namespace buildplan::organizations {
namespace {

using api::Call;
using api::Response;
using api::Shard;
using api::Tx;

constexpr std::string_view example = R"({"id": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f",
    "userId": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d70", "name": "Ada Lovelace", "email": "ada@example.com",
    "role": "MANAGER", "createdAt": "2026-11-23T17:20:46.123Z", "updatedAt": "2026-11-23T17:20:46.123Z"})";

Response shown(VersionedMember const& found) {
    return api::with_etag(api::ok(found.member), found.member.id, found.version);
}

task<Response> show_members(Shard& shard, Call const& call) {
    auto filter = call.query<MemberFilter>();
    auto const limit = api::rows_for(call);
    bool const newest_first = call.sort() == "-createdAt";
    auto found = co_await list_members(shard.postgres, call.principal(), std::move(filter), newest_first,
                                       call.after<Timestamp, MemberId>(), limit);
    co_return api::ok(api::page_of(
        call, std::move(found), [](Member&& member) { return std::move(member); },
        [](Member const& member) { return std::tuple{member.created_at, member.id}; }));
}

task<Response> show_member(Shard& shard, Call const& call) {
    auto const found = co_await get_member(shard.postgres, call.principal(), call.path<MemberId>("memberId"));
    if (!found) throw problems::not_found();
    co_return shown(*found);
}

task<Response> update_member(Tx& tx, Call const& call) {
    auto const id = call.path<MemberId>("memberId");
    auto const wanted = call.json<MemberChange>();
    auto match = call.if_match(id);
    auto const now_is = co_await change_role(tx, call, id, wanted.role, std::move(match));
    co_return shown(now_is);
}

task<Response> delete_member(Tx& tx, Call const& call) {
    auto const id = call.path<MemberId>("memberId");
    auto match = call.if_match(id);
    co_await remove_member(tx, call, id, std::move(match));
    co_return api::no_content();
}

task<Response> leave_organization(Tx& tx, Call const& call) {
    co_await leave(tx, call);
    co_return api::no_content();
}

task<Response> make_owner(Tx& tx, Call const& call) {
    auto const now_is = co_await transfer_ownership(tx, call, call.path<MemberId>("memberId"));
    co_return shown(now_is);
}

constexpr auto members = api::tag("Members", "The people of the organization and their roles.");
constexpr auto too_high = api::fails(403, "role-too-high", "The role has permissions that you do not have.");
constexpr auto last_owner = api::fails(409, "last-owner", "An organization keeps an OWNER.");
constexpr auto in_person = api::fails(403, "person-required", "A person who is signed in does this, not a key.");

constexpr api::Route table[] = {
    {"GET", "/v1/members", "org.members.read", api::handle<show_members>, "List members", members,
     api::query<MemberFilter>, api::paged("-createdAt", "createdAt"), api::returns<api::Page<Member>>()},
    {"GET", "/v1/members/{memberId}", "org.members.read", api::handle<show_member>, "Get a member", members,
     api::returns<Member>().example(example), api::versioned},
    {"PATCH", "/v1/members/{memberId}", "org.members.update", api::handle<update_member>, "Change a member's role",
     members,
     api::describe("Neither the role that the member has nor the new one may have permissions that you do not. "
                   "Invitations that the member could not send any more are revoked."),
     api::body<MemberChange>.example(R"({"role": "MANAGER"})"), api::returns<Member>().example(example), api::versioned,
     too_high, last_owner},
    {"DELETE", "/v1/members/{memberId}", "org.members.remove", api::handle<delete_member>, "Remove a member", members,
     api::describe("Whatever they are signed in with loses this organization within a second; their keys for it and "
                   "their open invitations go, too."),
     api::returns_nothing(), api::versioned, too_high, last_owner},
    {"DELETE", "/v1/members/me", api::any_principal, api::handle<leave_organization>, "Leave the organization", members,
     api::returns_nothing(), last_owner, in_person},
    {"POST", "/v1/members/{memberId}/transfer-ownership", "org.transfer", api::handle<make_owner>,
     "Transfer the ownership", members, api::describe("The member becomes an OWNER and you become an ADMIN."),
     api::returns<Member>().example(example), api::versioned, in_person,
     api::fails(409, "already-owner", "You own the organization already.")},
};

}  // namespace

std::span<api::Route const> member_routes() noexcept { return table; }

}  // namespace buildplan::organizations
