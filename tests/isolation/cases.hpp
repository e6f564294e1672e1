// One cross-tenant case for every route that needs a permission; src/features/route_table_test.cpp fails for a route
// that has none, src/features/isolation_test.cpp plays them all: the resource is made for one organization and asked
// for by another one, by a key without the permission, and by nobody.
#pragma once

#include <string_view>

namespace buildplan::isolation {

enum class Reach {
    one,     // names a resource of the first organization in its path: the other one gets 404
    list,    // answers with a list: nothing of the first organization is in it
    create,  // makes something: for the caller's organization, whatever the body says
};

struct Case {
    std::string_view method;
    std::string_view path;  // as in the route table
    Reach reach;
    // SQL, run as the superuser: makes a resource for the organization $1 (a uuid) and gives its id. It stands for
    // every parameter of the path.
    std::string_view make;
    std::string_view body = {};
};

inline constexpr std::string_view make_workspace =
    "INSERT INTO workspaces (organization_id, name, slug) VALUES ($1, 'Secret plans', 'secret-plans-' || "
    "left(md5(random()::text), 8)) "
    "RETURNING id";

inline constexpr std::string_view make_subscription =
    "INSERT INTO subscriptions (organization_id, tier) VALUES ($1, 'ENTERPRISE') RETURNING id";

// What is told of it is its numbers.
inline constexpr std::string_view make_usage =
    "INSERT INTO usage (organization_id, period, api_calls) "
    "VALUES ($1, date_trunc('month', now(), 'UTC'), 918273645) RETURNING api_calls";

inline constexpr Case cases[] = {
    {"GET", "/v1/subscription", Reach::one, make_subscription},
    {"GET", "/v1/usage", Reach::list, make_usage},
    {"GET", "/v1/workspaces", Reach::list, make_workspace},
    {"POST", "/v1/workspaces", Reach::create, make_workspace, R"({"name": "Ours"})"},
    {"GET", "/v1/workspaces/{workspaceId}", Reach::one, make_workspace},
    {"PATCH", "/v1/workspaces/{workspaceId}", Reach::one, make_workspace, R"({"name": "Taken over"})"},
    {"DELETE", "/v1/workspaces/{workspaceId}", Reach::one, make_workspace},
};

}  // namespace buildplan::isolation
