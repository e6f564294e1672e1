// The audit log: what was done in an organization, by whom, from where, what it was before and what it is since.
//
// A change is recorded in the statement that makes it, as one more CTE: then neither can be without the other, it costs
// no round trip, and `before` is what was really replaced:
//
//     -- name: rename_workspace :one …
//     WITH old AS (
//         SELECT id, name FROM workspaces WHERE id = $id FOR UPDATE
//     ), changed AS (
//         UPDATE workspaces w SET name = $name, … FROM old WHERE w.id = old.id RETURNING w.organization_id, w.id,
//         w.name, …
//     ), audit AS (
//         INSERT INTO audit_log (organization_id, action, target_kind, target_id, before, after)
//         SELECT c.organization_id, 'workspace.renamed', 'workspace', c.id,
//                jsonb_build_object('name', old.name), jsonb_build_object('name', c.name)
//         FROM changed c JOIN old ON old.id = c.id
//     )
//     SELECT … FROM changed;
//
// Nobody says who acts: the transaction carries it (core/actor.hpp). Pool::begin takes it from the Principal, the
// pipeline adds address and request, SystemPool::begin is given `call.actor()`; without any, the insert fails. A system
// statement may say it itself (actor_kind, actor_id, actor_name, address, request_id), as where the person is made by
// the same statement. Time, place in the chain and hash are the database's.
//
// action: `<target kind>.<past participle>` (`member.role_changed`). before and after: objects with the names of the
// API (camelCase), only what the action is about; before NULL for what is new, after NULL for what is gone. Never a
// secret, a hash, a token. At most 256 KiB each. Whoever records holds the organization's chain until the transaction
// ends, so it comes last. features/audit/recorded_test.cpp finds statements that change something and record nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/tx.hpp"
#include "core/principal.hpp"
#include "features/audit/types.hpp"
#include "postgres/pool.hpp"

namespace buildplan::audit {

// For what is not a change of a row: a download, a refused attempt. Borrowed until the call is over.
struct Event {
    std::string_view action;
    std::string_view target_kind;
    std::optional<std::string_view> target_id = {};
    std::optional<std::string_view> before = {};  // JSON
    std::optional<std::string_view> after = {};   // JSON
};
task<> record(api::Tx& tx, Event event);
task<> record(postgres::SystemTx& tx, OrganizationId organization, Event event);

// Newest first, what comes before the entry `before_seq`.
task<std::vector<AuditEntry>> list(postgres::Pool& pool, Principal const& principal, AuditFilter filter,
                                   std::optional<std::int64_t> before_seq, std::int64_t limit);

// The number of the last entry; 0 where there is none.
task<std::int64_t> last_seq(postgres::Pool& pool, Principal const& principal);
// Oldest first, the next after `after_seq` up to `last`; on the connections for slow statements.
task<std::vector<AuditEntry>> next_for_export(postgres::Pool& pool, Principal const& principal,
                                              AuditFilter const& filter, std::int64_t after_seq, std::int64_t last,
                                              std::int64_t limit);

}  // namespace buildplan::audit
