// Workspaces: the areas of work inside an organization.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "core/id.hpp"
#include "core/json/patch.hpp"
#include "core/json/rules.hpp"
#include "core/time.hpp"

namespace buildplan::organizations {

using WorkspaceId = Id<struct WorkspaceTag>;

struct Workspace {
    WorkspaceId id;
    std::string name;
    std::string slug;
    std::optional<std::string> description;
    std::optional<Timestamp> archived_at;
    Timestamp created_at;
    Timestamp updated_at;
};
BOOST_DESCRIBE_STRUCT(Workspace, (), (id, name, slug, description, archived_at, created_at, updated_at))
constexpr auto json_rules(Workspace const*) {
    return json::fields(json::field("name").length(1, 200), json::field("slug").slug(),
                        json::field("description").length(0, 10'000).write_null(),
                        json::field("archived_at").write_null().about("When it was archived; null while it is in use."))
        .about("An area of work inside the organization.");
}

struct NewWorkspace {
    std::string name;
    std::optional<std::string> slug;
    std::optional<std::string> description;
};
BOOST_DESCRIBE_STRUCT(NewWorkspace, (), (name, slug, description))
constexpr auto json_rules(NewWorkspace const*) {
    return json::fields(json::field("name").length(1, 200).line().about("What people call it."),
                        json::field("slug").slug().about("Its name in addresses; made from the name when left out."),
                        json::field("description").length(0, 10'000));
}

struct WorkspaceChange {
    json::Patch<std::string> name;
    json::Patch<std::string> slug;
    json::Patch<std::string> description;
    json::Patch<bool> archived;

    [[nodiscard]] bool is_empty() const noexcept {
        return name.is_absent() && slug.is_absent() && description.is_absent() && archived.is_absent();
    }
};
BOOST_DESCRIBE_STRUCT(WorkspaceChange, (), (name, slug, description, archived))
constexpr auto json_rules(WorkspaceChange const*) {
    return json::fields(json::field("name").length(1, 200).line().not_null(), json::field("slug").slug().not_null(),
                        json::field("description").length(0, 10'000).about("null removes it."),
                        json::field("archived").not_null().about("true archives the workspace, false brings it back."));
}

struct WorkspaceFilter {
    bool archived = false;
};
BOOST_DESCRIBE_STRUCT(WorkspaceFilter, (), (archived))
constexpr auto json_rules(WorkspaceFilter const*) {
    return json::fields(
        json::field("archived").defaulted().about("true lists archived workspaces instead of those in use."));
}

}  // namespace buildplan::organizations
