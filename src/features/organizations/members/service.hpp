// What can be done with the people of an organization. Nobody hands out, changes or takes away a role that has
// permissions they do not hold themselves, and an organization is never without an OWNER, whoever else is at it at the
// same time: changes of one organization's members are made one after another. Each is recorded in the audit log and
// told in the outbox by the statement that makes it, and noted as a revocation (migrations/0007), so that what a member
// could do as what they were is over within a second on every instance. Throws Problem: 404, 412, 403 `role-too-high`,
// 409 `last-owner`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "api/call.hpp"
#include "api/etag.hpp"
#include "api/tx.hpp"
#include "core/principal.hpp"
#include "features/organizations/members/types.hpp"
#include "postgres/pool.hpp"

namespace buildplan::organizations {

struct VersionedMember {
    Member member;
    std::int64_t version = 0;
};

using AfterMember = std::optional<std::tuple<Timestamp, MemberId>>;

task<std::vector<Member>> list_members(postgres::Pool& pool, Principal const& principal, MemberFilter filter,
                                       bool newest_first, AfterMember after, std::int64_t limit);
task<std::optional<VersionedMember>> get_member(postgres::Pool& pool, Principal const& principal, MemberId id);

task<VersionedMember> change_role(api::Tx& tx, api::Call const& call, MemberId id, Role role, api::IfMatch match);
task<> remove_member(api::Tx& tx, api::Call const& call, MemberId id, api::IfMatch match);

// Whoever asks, who needs no permission for it.
task<> leave(api::Tx& tx, api::Call const& call);

// From the OWNER who asks, who becomes ADMIN. 403 `person-required`, 409 `already-owner` for themselves.
task<VersionedMember> transfer_ownership(api::Tx& tx, api::Call const& call, MemberId to);

}  // namespace buildplan::organizations
