// What can be done with workspaces. Reading takes the pool and whoever asks; changing takes a transaction, and tells
// of it in the outbox and records it in the audit log, in the same statement. Whoever may not see a workspace gets what
// they would get if it did not exist.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "api/etag.hpp"
#include "api/tx.hpp"
#include "core/principal.hpp"
#include "features/organizations/workspaces/types.hpp"
#include "postgres/pool.hpp"

namespace buildplan::organizations {

// A workspace and the version that it is.
struct Versioned {
    Workspace workspace;
    std::int64_t version = 0;
};

// The sort key of the last row of the page before; nothing at the beginning.
using AfterTime = std::optional<std::tuple<Timestamp, WorkspaceId>>;
using AfterName = std::optional<std::tuple<std::string, WorkspaceId>>;

// Throws 409 `slug-taken`.
task<Versioned> create(api::Tx& tx, NewWorkspace draft);

task<std::optional<Versioned>> get(postgres::Pool& pool, Principal const& principal, WorkspaceId id);

task<std::vector<Workspace>> newest_first(postgres::Pool& pool, Principal const& principal, WorkspaceFilter filter,
                                          AfterTime after, std::int64_t limit);
task<std::vector<Workspace>> oldest_first(postgres::Pool& pool, Principal const& principal, WorkspaceFilter filter,
                                          AfterTime after, std::int64_t limit);
task<std::vector<Workspace>> by_name(postgres::Pool& pool, Principal const& principal, WorkspaceFilter filter,
                                     AfterName after, std::int64_t limit);

// Throws 404, 412 where the workspace is another version by now, 409 `slug-taken`.
task<Versioned> change(api::Tx& tx, WorkspaceId id, WorkspaceChange change, api::IfMatch match);

// "Web Shop (new)" becomes "web-shop-new"; "workspace" where nothing is left.
std::string slug_of(std::string_view name);

}  // namespace buildplan::organizations
