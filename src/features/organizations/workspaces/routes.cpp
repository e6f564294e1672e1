#include "features/organizations/routes.hpp"

#include "api/call.hpp"
#include "api/declarations.hpp"
#include "api/page.hpp"
#include "api/response.hpp"
#include "features/organizations/workspaces/service.hpp"

namespace buildplan::organizations {
namespace {

using api::Call;
using api::Response;
using api::Shard;
using api::Tx;

constexpr std::string_view example = R"({"id": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f", "name": "Web shop",
    "slug": "web-shop", "description": null, "archivedAt": null,
    "createdAt": "2026-11-23T17:20:46.123Z", "updatedAt": "2026-11-23T17:20:46.123Z"})";

Response shown(Response response, Versioned const& found) {
    return api::with_etag(std::move(response), found.workspace.id, found.version);
}

api::Page<Workspace> page(Call const& call, std::vector<Workspace> found) {
    bool const by_name = call.sort() == "name";
    auto const item = [](Workspace&& workspace) { return std::move(workspace); };
    if (by_name)
        return api::page_of(call, std::move(found), item, [](auto const& w) { return std::tuple{w.name, w.id}; });
    return api::page_of(call, std::move(found), item, [](auto const& w) { return std::tuple{w.created_at, w.id}; });
}

task<Response> create_workspace(Tx& tx, Call const& call) {
    auto draft = call.json<NewWorkspace>();
    auto const made = co_await create(tx, std::move(draft));
    co_return shown(api::created(made.workspace, "/v1/workspaces/" + made.workspace.id.to_string()), made);
}

task<Response> list_workspaces(Shard& shard, Call const& call) {
    auto const filter = call.query<WorkspaceFilter>();
    auto const& who = call.principal();
    auto const limit = api::rows_for(call);
    std::vector<Workspace> found;
    if (call.sort() == "name") {
        found = co_await by_name(shard.postgres, who, filter, call.after<std::string, WorkspaceId>(), limit);
    } else if (call.sort() == "createdAt") {
        found = co_await oldest_first(shard.postgres, who, filter, call.after<Timestamp, WorkspaceId>(), limit);
    } else {
        found = co_await newest_first(shard.postgres, who, filter, call.after<Timestamp, WorkspaceId>(), limit);
    }
    co_return api::ok(page(call, std::move(found)));
}

task<Response> get_workspace(Shard& shard, Call const& call) {
    auto const found = co_await get(shard.postgres, call.principal(), call.path<WorkspaceId>("workspaceId"));
    if (!found) throw problems::not_found();
    co_return shown(api::ok(found->workspace), *found);
}

task<Response> update_workspace(Tx& tx, Call const& call) {
    auto const id = call.path<WorkspaceId>("workspaceId");
    auto wanted = call.json<WorkspaceChange>();
    auto match = call.if_match(id);
    auto const now_is = co_await change(tx, id, std::move(wanted), std::move(match));
    co_return shown(api::ok(now_is.workspace), now_is);
}

task<Response> archive_workspace(Tx& tx, Call const& call) {
    auto const id = call.path<WorkspaceId>("workspaceId");
    WorkspaceChange wanted;
    wanted.archived.emplace() = true;
    auto match = call.if_match(id);
    co_await change(tx, id, std::move(wanted), std::move(match));
    co_return api::no_content();
}

constexpr auto workspaces = api::tag("Workspaces", "The areas of work inside an organization.");
constexpr auto slug_taken = api::fails(409, "slug-taken", "Another one of its kind has this slug.");

constexpr api::Route table[] = {
    {"GET", "/v1/workspaces", "workspaces.read", api::handle<list_workspaces>, "List workspaces", workspaces,
     api::query<WorkspaceFilter>, api::paged("-createdAt", "createdAt", "name"), api::returns<api::Page<Workspace>>()},
    {"POST", "/v1/workspaces", "workspaces.create", api::handle<create_workspace>, "Create a workspace", workspaces,
     api::body<NewWorkspace>.example(R"({"name": "Web shop", "description": "Everything that customers see."})"),
     api::returns<Workspace>(201).example(example), api::versioned, slug_taken},
    {"GET", "/v1/workspaces/{workspaceId}", "workspaces.read", api::handle<get_workspace>, "Get a workspace",
     workspaces, api::returns<Workspace>().example(example), api::versioned},
    {"PATCH", "/v1/workspaces/{workspaceId}", "workspaces.update", api::handle<update_workspace>, "Change a workspace",
     workspaces, api::describe("Renames it, describes it, archives it or brings it back."),
     api::body<WorkspaceChange>.example(R"({"name": "Web shop and app", "description": null})"),
     api::returns<Workspace>().example(example), api::versioned, slug_taken},
    {"DELETE", "/v1/workspaces/{workspaceId}", "workspaces.archive", api::handle<archive_workspace>,
     "Archive a workspace", workspaces,
     api::describe("It stays as it is and leaves the list; PATCH with `archived` false brings it back."),
     api::returns_nothing(), api::versioned},
};

}  // namespace

std::span<api::Route const> workspace_routes() noexcept { return table; }

}  // namespace buildplan::organizations
