#include "api/call.hpp"
#include "api/declarations.hpp"
#include "api/page.hpp"
#include "api/response.hpp"
#include "features/organizations/roles.hpp"
#include "features/organizations/routes.hpp"

namespace buildplan::organizations {

struct RoleShown {
    Role role = Role::viewer;
    std::string description;
    std::vector<std::string> permissions;
};
BOOST_DESCRIBE_STRUCT(RoleShown, (), (role, description, permissions))
constexpr auto json_rules(RoleShown const*) {
    return json::fields(json::field("description").length(1, 200),
                        json::field("permissions")
                            .items(0, 200)
                            .length(1, 100)
                            .about("`*` is everything, `requests.*` everything about requests."))
        .named("RoleDescription")
        .about("A role and what it may do, the same in every organization.");
}

namespace {

task<api::Response> list_roles(api::Shard&, api::Call const&) {
    api::Page<RoleShown> page;
    for (auto const& row : roles) {
        page.items.push_back({row.role, std::string(row.description), permission_texts(row.role)});
    }
    co_return api::ok(page);
}

constexpr api::Route table[] = {
    {"GET", "/v1/roles", api::any_principal, api::handle<list_roles>, "List roles and their permissions",
     api::tag("Roles", "What each role may do."),
     api::describe("The most powerful first. They are the same for everybody and change with the version only."),
     api::returns<api::Page<RoleShown>>()},
};

}  // namespace

std::span<api::Route const> role_routes() noexcept { return table; }

}  // namespace buildplan::organizations
