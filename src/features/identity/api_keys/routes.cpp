#include "features/identity/api_keys/routes.hpp"

#include "api/call.hpp"
#include "api/declarations.hpp"
#include "api/page.hpp"
#include "api/response.hpp"
#include "features/identity/api_keys/service.hpp"
#include "features/identity/revocations.hpp"

namespace buildplan::identity {
namespace {

using api::Call;
using api::Response;
using api::Shard;
using api::Tx;

constexpr std::string_view example = R"({"id": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f", "kind": "service",
    "name": "Deploy robot", "prefix": "bp_svc_Ab12", "scopes": ["workspaces.read"], "userId": null,
    "createdBy": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d70", "expiresAt": null, "lastUsedAt": null, "revokedAt": null,
    "createdAt": "2026-11-23T17:20:46.123Z"})";
constexpr std::string_view created_example = R"({"key": "bp_svc_0123456789ABCDEFGHIJKLMNOPQRSTUV_000000", "apiKey":
   {"id": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f", "kind": "service",
    "name": "Deploy robot", "prefix": "bp_svc_0123", "scopes": ["workspaces.read"], "userId": null,
    "createdBy": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d70", "expiresAt": null, "lastUsedAt": null, "revokedAt": null,
    "createdAt": "2026-11-23T17:20:46.123Z"}})";

// Permissions that routes ask for; some are only in the OWNER's "*".
std::vector<std::string_view> permissions_of_routes(Shard const& shard) {
    std::vector<std::string_view> all;
    for (auto const& entry : shard.constants.router.entries()) {
        if (!entry.route->access.permission.empty()) all.push_back(entry.route->access.permission);
    }
    return all;
}

task<Response> create_api_key(Tx& tx, Call const& call) {
    auto draft = call.json<NewApiKey>();
    auto const known = permissions_of_routes(call.shard());
    auto made = co_await create_key(tx, call.principal(), std::move(draft), known);
    auto const id = made.made.key.id;
    CreatedApiKey const shown{std::move(made.text), std::move(made.made.key)};
    co_return api::with_etag(api::created(shown, "/v1/api-keys/" + id.to_string()), id, made.made.version);
}

task<Response> list_api_keys(Shard& shard, Call const& call) {
    auto const filter = call.query<ApiKeyFilter>();
    auto const limit = api::rows_for(call);
    auto found = co_await list_keys(shard.postgres, call.principal(), filter, call.after<Timestamp, ApiKeyId>(), limit);
    co_return api::ok(api::page_of(
        call, std::move(found), [](VersionedKey&& row) { return std::move(row.key); },
        [](VersionedKey const& row) { return std::tuple{row.key.created_at, row.key.id}; }));
}

task<Response> get_api_key(Shard& shard, Call const& call) {
    auto const found = co_await get_key(shard.postgres, call.principal(), call.path<ApiKeyId>("apiKeyId"));
    if (!found) throw problems::not_found();
    co_return api::with_etag(api::ok(found->key), found->key.id, found->version);
}

task<Response> revoke_api_key(Tx& tx, Call const& call) {
    auto const id = call.path<ApiKeyId>("apiKeyId");
    auto match = call.if_match(id);
    co_await revoke_key(tx, call.principal(), id, std::move(match));
    announce_when_committed(tx, call.shard(), {id.value});
    co_return api::no_content();
}

constexpr auto keys = api::tag("API keys", "Keys for programs: of a person, or of the organization's services.");

constexpr api::Route table[] = {
    {"GET", "/v1/api-keys", api::any_principal, api::handle<list_api_keys>, "List API keys", keys,
     api::describe("Your own, and with the permission `org.api_keys.read` all of the organization."),
     api::query<ApiKeyFilter>, api::paged("-createdAt"), api::returns<api::Page<ApiKey>>()},
    {"POST", "/v1/api-keys", api::any_principal, api::handle<create_api_key>, "Create an API key", keys,
     api::describe("A service's key needs the permission `org.api_keys.create`. Nobody gives what they do not hold."),
     api::body<NewApiKey>.example(R"({"kind": "service", "name": "Deploy robot", "scopes": ["workspaces.read"]})"),
     api::returns<CreatedApiKey>(201).example(created_example), api::versioned, api::shows_secret,
     api::fails(409, "too-many-api-keys", "There are as many keys as there may be.")},
    {"GET", "/v1/api-keys/{apiKeyId}", api::any_principal, api::handle<get_api_key>, "Get an API key", keys,
     api::returns<ApiKey>().example(example), api::versioned},
    {"DELETE", "/v1/api-keys/{apiKeyId}", api::any_principal, api::handle<revoke_api_key>, "Revoke an API key", keys,
     api::describe("From then on it opens nothing. Another person's key needs the permission `org.api_keys.revoke`."),
     api::returns_nothing(), api::versioned},
};

}  // namespace

std::span<api::Route const> api_key_routes() noexcept { return table; }

}  // namespace buildplan::identity
