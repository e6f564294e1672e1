// API keys on the wire.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/id.hpp"
#include "core/json/rules.hpp"
#include "core/time.hpp"
#include "features/identity/api_key.hpp"

namespace buildplan::identity {

BOOST_DESCRIBE_ENUM(KeyKind, service, personal)

constexpr auto key_name_rule() { return json::field("name").length(1, 200).line().about("What people call it."); }
constexpr auto key_scopes_rule() {
    return json::field("scopes").items(1, 50).length(1, 100).about(
        "Permissions, like `workspaces.read` or `requests.*`. A person's key never opens more than the person may.");
}

struct ApiKey {
    ApiKeyId id;
    KeyKind kind = KeyKind::service;
    std::string name;
    std::string prefix;
    std::vector<std::string> scopes;
    std::optional<UserId> user_id;
    std::optional<UserId> created_by;
    std::optional<Timestamp> expires_at;
    std::optional<Timestamp> last_used_at;
    std::optional<Timestamp> revoked_at;
    Timestamp created_at;
};
BOOST_DESCRIBE_STRUCT(ApiKey, (),
                      (id, kind, name, prefix, scopes, user_id, created_by, expires_at, last_used_at, revoked_at,
                       created_at))
constexpr auto json_rules(ApiKey const*) {
    return json::fields(key_name_rule(), key_scopes_rule(),
                        json::field("prefix").length(1, 32).about("The beginning of the key, to recognise it by."),
                        json::field("user_id").write_null().about("Whose it is; null for a service's."),
                        json::field("created_by").write_null(), json::field("expires_at").write_null(),
                        json::field("last_used_at").write_null().about("To the minute."),
                        json::field("revoked_at").write_null())
        .about("A key that a program calls the API with.");
}

struct NewApiKey {
    KeyKind kind = KeyKind::personal;
    std::string name;
    std::vector<std::string> scopes;
    std::optional<Timestamp> expires_at;
};
BOOST_DESCRIBE_STRUCT(NewApiKey, (), (kind, name, scopes, expires_at))
constexpr auto json_rules(NewApiKey const*) {
    return json::fields(
        json::field("kind").about("`personal` acts as you and no further; `service` as the organization's program."),
        key_name_rule(), key_scopes_rule(),
        json::field("expires_at")
            .about("Left out: 90 days for a personal key, which lasts at most a year; never for a service's."));
}

struct CreatedApiKey {
    std::string key;
    ApiKey api_key;
};
BOOST_DESCRIBE_STRUCT(CreatedApiKey, (), (key, api_key))
constexpr auto json_rules(CreatedApiKey const*) {
    return json::fields(json::field("key").length(1, 100).about("The key itself. It is shown here and never again."));
}

struct ApiKeyFilter {
    bool revoked = false;
};
BOOST_DESCRIBE_STRUCT(ApiKeyFilter, (), (revoked))
constexpr auto json_rules(ApiKeyFilter const*) {
    return json::fields(
        json::field("revoked").defaulted().about("true lists revoked keys instead of those that are not."));
}

}  // namespace buildplan::identity
