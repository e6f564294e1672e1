// Roles: what each of them may do, in one table. The permissions before a row's line are the contract's matrix, word
// for word. Those after it are for nouns that the matrix does not know, or that a role's one-line description gives it
// beyond them:
//
//   OWNER    "*", so also what nobody else has: org.delete, org.transfer, org.billing.*.
//   ADMIN    "all features": every noun but those three.
//   MANAGER  "view all": reads whatever can be read but billing and the audit log, which are for who runs the
//            organization; works with workspaces, documents and comments, as its requests need it.
//   MEMBER   "view assigned work": work.* is one's own list of tasks, not tasks.read, which is everybody's. Comments,
//            because questions about one's request are answered there; not plans, and not the list of members.
//   VIEWER   "read-only": reads what MANAGER reads but usage, which says what the organization pays for.
//
// What is one's own (profile, sessions, personal keys, notifications) needs no permission. A new noun is one line for
// each role that has it. Nobody hands out what they do not hold: holds_all_of. Needs nothing but core, so that whoever
// turns a session into a Principal can include it.
#pragma once

#include <algorithm>
#include <array>
#include <boost/describe/enum.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json/describe.hpp"
#include "core/principal.hpp"

namespace buildplan::organizations {

enum class Role : std::uint8_t { owner, admin, manager, member, viewer };
BOOST_DESCRIBE_ENUM(Role, owner, admin, manager, member, viewer)
constexpr json::Letters json_letters(Role const*) { return json::Letters::capital; }

struct RoleRow {
    Role role;
    std::string_view name;  // on the wire and in the database
    std::string_view description;
    std::size_t of_contract;  // so many of the permissions, from the first, are the contract's own
    std::span<std::string_view const> permissions;
};

namespace detail {

inline constexpr auto owner_permissions = std::to_array<std::string_view>({"*"});
inline constexpr auto admin_permissions = std::to_array<std::string_view>(
    {"org.settings.*", "org.members.*", "requests.*", "plans.*", "agents.*",
     // ---
     "org.read", "org.audit.*", "org.usage.*", "org.api_keys.*", "org.webhooks.*", "org.sso.*", "org.export",
     "workspaces.*", "tasks.*", "work.*", "documents.*", "comments.*", "repositories.*"});
inline constexpr auto manager_permissions = std::to_array<std::string_view>(
    {"requests.*", "plans.read", "plans.update", "tasks.read",
     // ---
     "org.read", "org.settings.read", "org.members.read", "org.usage.read", "agents.read", "workspaces.*", "work.*",
     "documents.*", "comments.*", "repositories.read"});
inline constexpr auto member_permissions = std::to_array<std::string_view>(
    {"requests.create", "requests.read", "tasks.update",
     // ---
     "org.read", "workspaces.read", "work.*", "documents.read", "comments.read", "comments.create"});
inline constexpr auto viewer_permissions = std::to_array<std::string_view>(
    {"requests.read", "plans.read", "tasks.read",
     // ---
     "org.read", "org.settings.read", "org.members.read", "agents.read", "workspaces.read", "work.read",
     "documents.read", "comments.read", "repositories.read"});

}  // namespace detail

// In the order of the enumerators, which is also how much they may.
inline constexpr auto roles = std::to_array<RoleRow>({
    {Role::owner, "OWNER", "Full control, billing, delete org", 1, detail::owner_permissions},
    {Role::admin, "ADMIN", "Manage members, settings, all features", 5, detail::admin_permissions},
    {Role::manager, "MANAGER", "Create requests, manage plans, view all", 4, detail::manager_permissions},
    {Role::member, "MEMBER", "Create requests, view assigned work", 3, detail::member_permissions},
    {Role::viewer, "VIEWER", "Read-only access", 3, detail::viewer_permissions},
});

constexpr RoleRow const& row_of(Role role) noexcept { return roles[static_cast<std::size_t>(role)]; }
constexpr std::string_view to_string(Role role) noexcept { return row_of(role).name; }
constexpr std::span<std::string_view const> permissions_of(Role role) noexcept { return row_of(role).permissions; }

// Of the text on the wire: nothing for what is not one of the five.
constexpr std::optional<Role> parse_role(std::string_view name) noexcept {
    for (auto const& row : roles) {
        if (row.name == name) return row.role;
    }
    return std::nullopt;
}

constexpr bool may(Role role, std::string_view permission) noexcept {
    return std::ranges::any_of(permissions_of(role),
                               [&](auto granted) { return permission_covers(granted, permission); });
}
// Whether everything that `granted` may is something that `granter` may.
constexpr bool holds_all_of(Role granter, Role granted) noexcept {
    return std::ranges::all_of(permissions_of(granted), [&](auto wanted) { return may(granter, wanted); });
}
// The same for whoever asks, whose key may hold less than their role.
inline bool holds_all_of(Principal const& granter, Role granted) noexcept {
    return std::ranges::all_of(permissions_of(granted), [&](auto wanted) { return granter.may(wanted); });
}

// As a Principal is given them.
inline std::vector<std::string> permission_texts(Role role) {
    auto const permissions = permissions_of(role);
    return {permissions.begin(), permissions.end()};
}

static_assert(std::ranges::all_of(roles, [](auto const& row) { return &row == &row_of(row.role); }));
static_assert(holds_all_of(Role::owner, Role::owner) && holds_all_of(Role::admin, Role::admin));
static_assert(!holds_all_of(Role::admin, Role::owner) && holds_all_of(Role::admin, Role::manager));

}  // namespace buildplan::organizations
