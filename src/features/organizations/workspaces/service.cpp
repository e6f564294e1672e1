#include "features/organizations/workspaces/service.hpp"

#include <algorithm>

#include "core/keyset.hpp"
#include "core/problem.hpp"
#include "core/slug.hpp"
#include "features/organizations/workspaces/queries.gen.hpp"

namespace buildplan::organizations {
namespace {

namespace queries = workspaces::queries;

template <class Row>
Workspace to_workspace(Row&& row) {
    return {.id = row.id,
            .name = std::move(row.name),
            .slug = std::move(row.slug),
            .description = std::move(row.description),
            .archived_at = row.archived_at,
            .created_at = row.created_at,
            .updated_at = row.updated_at};
}

template <class Row>
Versioned to_versioned(Row row) {
    auto const version = row.version;
    return {to_workspace(std::move(row)), version};
}

std::vector<Workspace> to_workspaces(std::vector<queries::WorkspaceRow> rows) {
    std::vector<Workspace> all;
    all.reserve(rows.size());
    for (auto& row : rows) all.push_back(to_workspace(std::move(row)));
    return all;
}

template <class T>
std::optional<std::string_view> view(T const& value) {
    if constexpr (requires { value.is_absent(); }) {
        return value.has_value() ? std::optional<std::string_view>{value.value()} : std::nullopt;
    } else {
        return value ? std::optional<std::string_view>{*value} : std::nullopt;
    }
}

std::string_view topic_of(WorkspaceChange const& change) {
    if (!change.archived.has_value()) return "workspace.updated";
    return change.archived.value() ? "workspace.archived" : "workspace.restored";
}

[[noreturn]] void throw_slug_taken() {
    throw Problem(409, "slug-taken", "Another workspace of the organization has this slug.",
                  {{"/slug", "taken", "Choose another one."}});
}

[[noreturn]] void throw_changed() {
    throw problems::precondition_failed("The workspace has changed since the version that If-Match names.");
}

bool is_slug_taken(postgres::Error const& error) noexcept {
    return error.violates("workspaces_organization_id_slug_key");
}

// A change of nothing is no new version and no event.
task<Versioned> unchanged(api::Tx& tx, WorkspaceId id, api::IfMatch match) {
    queries::GetWorkspace const query{.id = id};
    auto row = co_await tx.commit_with(query);
    if (!row) throw problems::not_found();
    if (!match.anything && std::ranges::find(match.versions, row->version) == match.versions.end()) throw_changed();
    co_return to_versioned(std::move(*row));
}

}  // namespace

std::string slug_of(std::string_view name) {
    auto slug = slug_from(name);
    return slug.empty() ? "workspace" : slug;
}

task<Versioned> create(api::Tx& tx, NewWorkspace draft) {
    auto const id = WorkspaceId::make();
    auto const slug = draft.slug ? *draft.slug : slug_of(draft.name);
    auto const suffix = id.to_string().substr(28);  // of the random part
    queries::CreateWorkspace const query{.id = id,
                                         .name = draft.name,
                                         .slug = slug,
                                         .description = view(draft.description),
                                         .suffix = draft.slug ? std::nullopt : std::optional<std::string_view>{suffix}};
    auto row = co_await tx.commit_with(query);
    if (!row) throw_slug_taken();
    co_return to_versioned(std::move(*row));
}

task<std::optional<Versioned>> get(postgres::Pool& pool, Principal const& principal, WorkspaceId id) {
    queries::GetWorkspace const query{.id = id};
    auto row = co_await pool.one(principal, query);
    if (!row) co_return std::nullopt;
    co_return to_versioned(std::move(*row));
}

task<std::vector<Workspace>> newest_first(postgres::Pool& pool, Principal const& principal, WorkspaceFilter filter,
                                          AfterTime after, std::int64_t limit) {
    auto const [before, before_id] = after.value_or(std::tuple{end_of_time, last_id<WorkspaceId>()});
    queries::ListNewest const query{
        .before = before, .before_id = before_id, .archived = filter.archived, .limit = limit};
    auto rows = co_await pool.all(principal, query);
    co_return to_workspaces(std::move(rows));
}

task<std::vector<Workspace>> oldest_first(postgres::Pool& pool, Principal const& principal, WorkspaceFilter filter,
                                          AfterTime after, std::int64_t limit) {
    auto const [time, id] = after.value_or(std::tuple{beginning_of_time, WorkspaceId{}});
    queries::ListOldest const query{.after = time, .after_id = id, .archived = filter.archived, .limit = limit};
    auto rows = co_await pool.all(principal, query);
    co_return to_workspaces(std::move(rows));
}

task<std::vector<Workspace>> by_name(postgres::Pool& pool, Principal const& principal, WorkspaceFilter filter,
                                     AfterName after, std::int64_t limit) {
    auto const [name, id] = after.value_or(std::tuple{std::string{}, WorkspaceId{}});
    queries::ListByName const query{.after = name, .after_id = id, .archived = filter.archived, .limit = limit};
    auto rows = co_await pool.all(principal, query);
    co_return to_workspaces(std::move(rows));
}

task<Versioned> change(api::Tx& tx, WorkspaceId id, WorkspaceChange change, api::IfMatch match) {
    if (change.is_empty()) co_return co_await unchanged(tx, id, std::move(match));
    queries::ChangeWorkspace const query{
        .any_version = match.anything,
        .versions = match.versions,
        .name = view(change.name),
        .slug = view(change.slug),
        .sets_description = !change.description.is_absent(),
        .archived = change.archived.has_value() ? std::optional{change.archived.value()} : std::nullopt,
        .id = id,
        .description = view(change.description),
        .topic = topic_of(change)};
    std::optional<queries::ChangedRow> row;
    try {
        row = co_await tx.commit_with(query);
    } catch (postgres::Error const& error) {
        if (!is_slug_taken(error)) throw;
        throw_slug_taken();
    }
    if (!row) throw problems::not_found();
    if (!row->changed) throw_changed();
    co_return to_versioned(std::move(*row));
}

}  // namespace buildplan::organizations
