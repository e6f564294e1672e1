#include "features/organizations/members/service.hpp"

#include <algorithm>

#include "core/keyset.hpp"
#include "core/problem.hpp"
#include "core/text.hpp"
#include "features/identity/revocations.hpp"
#include "features/organizations/members/queries.gen.hpp"
#include "features/organizations/standing.hpp"

namespace buildplan::organizations {
namespace {

namespace queries = members::queries;

Role role_of(std::string_view name) {
    auto const role = parse_role(name);
    if (!role) throw std::logic_error("The database has a role that the program does not know.");
    return *role;
}

template <class Row>
Member to_member(Row&& row) {
    return {.id = row.id,
            .user_id = row.user_id,
            .name = std::move(row.name),
            .email = std::move(row.email),
            .role = role_of(row.role),
            .created_at = row.created_at,
            .updated_at = row.updated_at};
}

template <class Row>
VersionedMember to_versioned(Row row) {
    auto const version = row.version;
    return {to_member(std::move(row)), version};
}

void check_version(api::IfMatch const& match, std::int64_t version) {
    if (match.anything || std::ranges::find(match.versions, version) != match.versions.end()) return;
    throw problems::precondition_failed("The member has changed since the version that If-Match names.");
}

Problem last_owner() {
    return {409, "last-owner", "An organization keeps an OWNER: make somebody else one first, or delete it."};
}
bool is_last_owner(postgres::Error const& error) noexcept {
    return error.violates("organization_members_keep_an_owner");
}

task<> lock_members(api::Tx& tx) {
    queries::LockMembers const lock;
    co_await tx.one(lock);
}

// The end of the transaction that takes an owner away finds out whether there is another one.
template <class Query>
task<postgres::Result<Query>> commit_keeping_an_owner(api::Tx& tx, Query const& query) {
    try {
        co_return co_await tx.commit_with(query);
    } catch (postgres::Error const& error) {
        if (!is_last_owner(error)) throw;
    }
    throw last_owner();
}

}  // namespace

task<std::vector<Member>> list_members(postgres::Pool& pool, Principal const& principal, MemberFilter filter,
                                       bool newest_first, AfterMember after, std::int64_t limit) {
    std::optional<std::string_view> const role = filter.role ? std::optional{to_string(*filter.role)} : std::nullopt;
    std::optional<std::string> const lowered = filter.q ? std::optional{ascii_lower(*filter.q)} : std::nullopt;
    std::optional<std::string_view> const prefix = lowered ? std::optional<std::string_view>{*lowered} : std::nullopt;
    // A prefix that nobody has looks at every member.
    auto const lane = prefix ? postgres::Lane::heavy : postgres::Lane::shared;
    auto const [time, id] = after.value_or(newest_first ? std::tuple{end_of_time, last_id<MemberId>()}
                                                        : std::tuple{beginning_of_time, MemberId{}});
    std::vector<queries::MemberRow> rows;
    if (newest_first) {
        queries::ListNewest const query{
            .before = time, .before_id = id, .role = role, .prefix = prefix, .limit = limit};
        rows = co_await pool.all(principal, query, lane);
    } else {
        queries::ListOldest const query{.after = time, .after_id = id, .role = role, .prefix = prefix, .limit = limit};
        rows = co_await pool.all(principal, query, lane);
    }
    std::vector<Member> found;
    found.reserve(rows.size());
    for (auto& row : rows) found.push_back(to_member(std::move(row)));
    co_return found;
}

task<std::optional<VersionedMember>> get_member(postgres::Pool& pool, Principal const& principal, MemberId id) {
    queries::GetMember const query{.id = id};
    auto row = co_await pool.one(principal, query);
    if (!row) co_return std::nullopt;
    co_return to_versioned(std::move(*row));
}

task<VersionedMember> change_role(api::Tx& tx, api::Call const& call, MemberId id, Role role, api::IfMatch match) {
    auto const standing = Standing::of(call.principal());
    // A role that is out of reach leaves the member as it was, and is refused below.
    auto const grantable = standing.may_grant(to_string(role)) ? standing.grantable : std::vector<std::string>{};
    auto const still_grants = grantable_by(role);
    co_await lock_members(tx);
    queries::ChangeRole const query{.actor_role = standing.role,
                                    .actor = standing.user,
                                    .id = id,
                                    .role = to_string(role),
                                    .grantable = grantable,
                                    .any_version = match.anything,
                                    .versions = match.versions,
                                    .still_grants = still_grants};
    auto row = co_await commit_keeping_an_owner(tx, query);
    if (!row) throw problems::not_found();
    if (!row->changed) {
        if (!standing.may_grant(to_string(role)) || !standing.may_grant(row->role)) throw_role_too_high();
        if (!row->actor_holds) throw_not_any_more();
        check_version(match, row->version);
    } else {
        identity::announce_when_committed(tx, call.shard(), {row->user_id.value});
    }
    co_return to_versioned(std::move(*row));
}

task<> remove_member(api::Tx& tx, api::Call const& call, MemberId id, api::IfMatch match) {
    auto const standing = Standing::of(call.principal());
    co_await lock_members(tx);
    queries::RemoveMember const query{.actor_role = standing.role,
                                      .actor = standing.user,
                                      .id = id,
                                      .grantable = standing.grantable,
                                      .any_version = match.anything,
                                      .versions = match.versions};
    auto const row = co_await commit_keeping_an_owner(tx, query);
    if (!row) throw problems::not_found();
    if (row->removed) {
        identity::announce_when_committed(tx, call.shard(), {row->user_id.value});
        co_return;
    }
    if (!standing.may_grant(row->role)) throw_role_too_high();
    if (!row->actor_holds) throw_not_any_more();
    check_version(match, row->version);
    throw problems::not_found();  // somebody else was quicker
}

task<> leave(api::Tx& tx, api::Call const& call) {
    auto const person = person_of(call.principal());
    co_await lock_members(tx);
    queries::Leave const query{.user_id = person};
    auto const gone = co_await commit_keeping_an_owner(tx, query);
    if (!gone) throw problems::not_found();
    identity::announce_when_committed(tx, call.shard(), {person.value});
}

task<VersionedMember> transfer_ownership(api::Tx& tx, api::Call const& call, MemberId to) {
    co_await lock_members(tx);
    queries::GetMember const get{.id = to};
    auto const target = co_await tx.one(get);
    if (!target) throw problems::not_found();
    auto const giver = person_of(call.principal());
    if (target->user_id == giver) throw problems::conflict("already-owner", "You own the organization already.");
    queries::TransferOwnership const query{.actor = giver, .id = to};
    auto row = co_await tx.commit_with(query);
    if (!row) throw_not_any_more();
    identity::announce_when_committed(tx, call.shard(), {giver.value, row->user_id.value});
    co_return to_versioned(std::move(*row));
}

}  // namespace buildplan::organizations
