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
    std::string_view body = {};  // {id} stands for what `make` gave
    // Whoever is signed in may ask, and is shown what is theirs alone: without the permission to see more, what is
    // there is not there (404, an empty list), and nothing is made (403).
    bool own_only = false;
    // Only a person may: a key of the organization itself gets 403.
    bool in_person = false;
};

inline constexpr std::string_view make_workspace =
    "INSERT INTO workspaces (organization_id, name, slug) VALUES ($1, 'Secret plans', 'secret-plans-' || "
    "left(md5(random()::text), 8)) "
    "RETURNING id";

inline constexpr std::string_view make_api_key =
    "INSERT INTO api_keys (organization_id, kind, name, prefix, hash, scopes) VALUES ($1, 'service', 'Secret robot', "
    "'bp_svc_Ab12', sha256(convert_to(random()::text, 'UTF8')), '{*}') RETURNING id";

inline constexpr std::string_view make_subscription =
    "INSERT INTO subscriptions (organization_id, tier) VALUES ($1, 'ENTERPRISE') RETURNING id";

// What is told of it is its numbers.
inline constexpr std::string_view make_usage =
    "INSERT INTO usage (organization_id, period, api_calls) "
    "VALUES ($1, date_trunc('month', now(), 'UTC'), 918273645) RETURNING api_calls";

inline constexpr std::string_view make_organization = "SELECT $1::uuid";

inline constexpr std::string_view make_member =
    "WITH person AS (INSERT INTO users (email, name, password_hash) VALUES ('secret-' || md5(random()::text) || "
    "'@example.com', 'Secret person', '-') RETURNING id) "
    "INSERT INTO organization_members (organization_id, user_id, role) SELECT $1::uuid, id, 'MEMBER' FROM person "
    "RETURNING id";

inline constexpr std::string_view make_invitation =
    "INSERT INTO invitations (organization_id, email, token_hash, expires_at) VALUES ($1::uuid, "
    "'secret-' || md5(random()::text) || '@example.com', sha256(convert_to(random()::text, 'UTF8')), "
    "now() + interval '1 day') RETURNING id";

inline constexpr std::string_view make_audit_entry =
    "INSERT INTO audit_log (organization_id, actor_kind, actor_name, action, target_kind) VALUES ($1::uuid, 'system', "
    "'Secret work', 'secret.done', 'secret') RETURNING id";

inline constexpr Case cases[] = {
    {"GET", "/v1/audit-log", Reach::list, make_audit_entry},
    {"GET", "/v1/audit-log/export", Reach::list, make_audit_entry},
    {"GET", "/v1/organizations/{organizationId}", Reach::one, make_organization},
    {"PATCH", "/v1/organizations/{organizationId}", Reach::one, make_organization, R"({"name": "Taken over"})"},
    {"DELETE", "/v1/organizations/{organizationId}", Reach::one, make_organization, R"({"confirm": "{id}"})", false,
     true},
    {"GET", "/v1/members", Reach::list, make_member},
    {"GET", "/v1/members/{memberId}", Reach::one, make_member},
    {"PATCH", "/v1/members/{memberId}", Reach::one, make_member, R"({"role": "VIEWER"})"},
    {"DELETE", "/v1/members/{memberId}", Reach::one, make_member},
    {"POST", "/v1/members/{memberId}/transfer-ownership", Reach::one, make_member, {}, false, true},
    {"GET", "/v1/invitations", Reach::list, make_invitation},
    {"POST", "/v1/invitations", Reach::create, make_invitation, R"({"email": "ours@example.com"})"},
    {"GET", "/v1/invitations/{invitationId}", Reach::one, make_invitation},
    {"POST", "/v1/invitations/{invitationId}/resend", Reach::one, make_invitation},
    {"DELETE", "/v1/invitations/{invitationId}", Reach::one, make_invitation},
    {"GET", "/v1/subscription", Reach::one, make_subscription},
    {"GET", "/v1/usage", Reach::list, make_usage},
    {"GET", "/v1/api-keys", Reach::list, make_api_key, {}, true},
    {"POST", "/v1/api-keys", Reach::create, make_api_key,
     R"({"kind": "service", "name": "Ours", "scopes": ["workspaces.read"]})", true},
    {"GET", "/v1/api-keys/{apiKeyId}", Reach::one, make_api_key, {}, true},
    {"DELETE", "/v1/api-keys/{apiKeyId}", Reach::one, make_api_key, {}, true},
    {"GET", "/v1/workspaces", Reach::list, make_workspace},
    {"POST", "/v1/workspaces", Reach::create, make_workspace, R"({"name": "Ours"})"},
    {"GET", "/v1/workspaces/{workspaceId}", Reach::one, make_workspace},
    {"PATCH", "/v1/workspaces/{workspaceId}", Reach::one, make_workspace, R"({"name": "Taken over"})"},
    {"DELETE", "/v1/workspaces/{workspaceId}", Reach::one, make_workspace},
};

}  // namespace buildplan::isolation
