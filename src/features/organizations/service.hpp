// What can be done with an organization itself. Each change is recorded in the audit log and told in the outbox by the
// statement that makes it. Throws Problem: 404 for an organization that is not the caller's own, 409 `slug-taken`, 412
// for another version than If-Match names, and what is said below.
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
#include "features/organizations/types.hpp"
#include "postgres/pool.hpp"

namespace buildplan::organizations {

inline constexpr std::int32_t grace_days = 30;
inline constexpr std::int64_t most_owned = 100;  // organizations by one person

struct VersionedOrganization {
    Organization organization;
    std::int64_t version = 0;
};

// Another one for the person who asks, who becomes its OWNER. It belongs to another tenant than the call's, so it is
// committed by itself; a call that is repeated under its Idempotency-Key finds what the first one made, even when that
// one's answer was lost. Throws 403 `person-required`, 409 `too-many-organizations`, 422 for a reserved slug.
task<VersionedOrganization> create_organization(api::Call const& call, NewOrganization draft);

// By name, from `after` on: all of a person's own; for a key only the one that it opens.
using AfterOrganization = std::optional<std::tuple<std::string, OrganizationId>>;
task<std::vector<MyOrganization>> my_organizations(api::Call const& call, AfterOrganization after, std::int64_t limit);

task<std::optional<VersionedOrganization>> get_organization(postgres::Pool& pool, Principal const& principal,
                                                            OrganizationId id);

// 422 for settings or features that are too long after the merge, and for a reserved slug.
task<VersionedOrganization> change_organization(api::Tx& tx, OrganizationId id, OrganizationChange change,
                                                api::IfMatch match);

// Notes that it is to be deleted, `grace_days` from now. 422 when `confirm` is not its slug.
task<VersionedOrganization> delete_organization(api::Tx& tx, OrganizationId id, Deletion deletion, api::IfMatch match);

// By an OWNER, while it is still there. 409 `not-deleted`.
task<VersionedOrganization> restore_organization(api::Tx& tx, UserId owner, OrganizationId id);

// For whoever sweeps: deletes those whose time is over, with all that they have; how many.
task<std::uint64_t> purge_deleted_organizations(postgres::SystemPool& system);

}  // namespace buildplan::organizations
