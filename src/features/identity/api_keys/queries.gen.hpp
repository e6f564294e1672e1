// Made by script/gen from queries.sql beside it. Change that, not this.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/id.hpp"
#include "core/time.hpp"
#include "postgres/statement.hpp"

namespace buildplan::identity::api_keys::queries {

// Whose it is, and what a person's key can be worth: their role now.
struct FindKey {
    std::string_view hash;

    static constexpr char sql[] =
        R"sql(SELECT k.organization_id, k.id, k.user_id, k.scopes, k.expires_at, k.revoked_at, k.last_used_at, m.role,
       EXISTS (SELECT FROM organizations o WHERE o.id = k.organization_id AND o.deleted_at IS NOT NULL)
           AS organization_deleted,
       k.installation
FROM api_keys k LEFT JOIN organization_members m ON m.organization_id = k.organization_id AND m.user_id = k.user_id
WHERE k.hash = $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::bytea,  // hash
    };
    static constexpr postgres::Statement statement{"identity.api_keys.find_key", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        OrganizationId organization_id;
        ApiKeyId id;
        std::optional<UserId> user_id;
        std::vector<std::string> scopes;
        std::optional<Timestamp> expires_at;
        std::optional<Timestamp> revoked_at;
        std::optional<Timestamp> last_used_at;
        std::optional<std::string> role;
        bool organization_deleted;
        bool installation;
    };
    void bind(postgres::Parameters& parameters) const { parameters.add(hash); }
    static Row read(postgres::RowView row) {
        return {
            .organization_id = row.get<OrganizationId>(0),
            .id = row.get<ApiKeyId>(1),
            .user_id = row.get<std::optional<UserId>>(2),
            .scopes = row.get<std::vector<std::string>>(3),
            .expires_at = row.get<std::optional<Timestamp>>(4),
            .revoked_at = row.get<std::optional<Timestamp>>(5),
            .last_used_at = row.get<std::optional<Timestamp>>(6),
            .role = row.get<std::optional<std::string>>(7),
            .organization_deleted = row.get<bool>(8),
            .installation = row.get<bool>(9),
        };
    }
};

// At most once a minute, whoever asks.
struct TouchKey {
    OrganizationId organization_id;
    ApiKeyId key_id;

    static constexpr char sql[] = R"sql(UPDATE api_keys SET last_used_at = now()
WHERE organization_id = $1 AND id = $2
  AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute'))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // organization_id
        postgres::oid::uuid,  // key_id
    };
    static constexpr postgres::Statement statement{"identity.api_keys.touch_key", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(organization_id);
        parameters.add(key_id);
    }
};

struct KeyRow {
    ApiKeyId id;
    std::string kind;
    std::optional<UserId> user_id;
    std::string name;
    std::string prefix;
    std::vector<std::string> scopes;
    std::optional<Timestamp> expires_at;
    std::optional<Timestamp> last_used_at;
    std::optional<Timestamp> revoked_at;
    std::optional<UserId> created_by;
    std::int32_t version;
    Timestamp created_at;
};

// Nothing when the person, or the organization for its services, has as many as there may be.
struct CreateKey {
    ApiKeyId key_id;
    std::string_view kind;
    std::optional<UserId> user_id{};
    std::string_view name;
    std::string_view prefix;
    std::string_view hash;
    std::span<std::string const> scopes;
    std::optional<Timestamp> expires_at{};
    std::optional<UserId> created_by{};
    std::int64_t most;

    static constexpr char sql[] = R"sql(WITH made AS (
    INSERT INTO api_keys (organization_id, id, kind, user_id, name, prefix, hash, scopes, expires_at, created_by)
    SELECT current_setting('app.current_organization_id')::uuid, $1, $2, $3, $4, $5, $6,
           $7, $8, $9
    WHERE $10 > (SELECT count(*) FROM api_keys
                   WHERE user_id IS NOT DISTINCT FROM $3 AND revoked_at IS NULL
                     AND (expires_at IS NULL OR expires_at > now()))
    RETURNING *
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT organization_id, 'api_key.created', jsonb_build_object('apiKeyId', id, 'kind', kind, 'name', name) FROM made
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
    SELECT organization_id, 'api_key.created', 'api_key', id::text,
           jsonb_build_object('name', name, 'kind', kind, 'prefix', prefix, 'userId', user_id, 'scopes', scopes,
                              'expiresAt', api_time(expires_at))
    FROM made
)
SELECT id, kind, user_id, name, prefix, scopes, expires_at, last_used_at, revoked_at, created_by, version, created_at
FROM made)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,         // key_id
        postgres::oid::text,         // kind
        postgres::oid::uuid,         // user_id
        postgres::oid::text,         // name
        postgres::oid::text,         // prefix
        postgres::oid::bytea,        // hash
        postgres::oid::text_array,   // scopes
        postgres::oid::timestamptz,  // expires_at
        postgres::oid::uuid,         // created_by
        postgres::oid::int8,         // most
    };
    static constexpr postgres::Statement statement{"identity.api_keys.create_key", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    using Row = KeyRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(key_id);
        parameters.add(kind);
        parameters.add(user_id);
        parameters.add(name);
        parameters.add(prefix);
        parameters.add(hash);
        parameters.add(scopes);
        parameters.add(expires_at);
        parameters.add(created_by);
        parameters.add(most);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<ApiKeyId>(0),
            .kind = row.get<std::string>(1),
            .user_id = row.get<std::optional<UserId>>(2),
            .name = row.get<std::string>(3),
            .prefix = row.get<std::string>(4),
            .scopes = row.get<std::vector<std::string>>(5),
            .expires_at = row.get<std::optional<Timestamp>>(6),
            .last_used_at = row.get<std::optional<Timestamp>>(7),
            .revoked_at = row.get<std::optional<Timestamp>>(8),
            .created_by = row.get<std::optional<UserId>>(9),
            .version = row.get<std::int32_t>(10),
            .created_at = row.get<Timestamp>(11),
        };
    }
};

// Newest first; without `all` those of the person only.
struct ListKeys {
    Timestamp before;
    ApiKeyId before_id;
    bool all;
    std::optional<UserId> user_id{};
    bool revoked;
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT id, kind, user_id, name, prefix, scopes, expires_at, last_used_at, revoked_at, created_by, version, created_at
FROM api_keys
WHERE (created_at, id) < ($1, $2) AND ($3 OR user_id = $4) AND (revoked_at IS NOT NULL) = $5
ORDER BY created_at DESC, id DESC LIMIT $6)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::timestamptz,  // before
        postgres::oid::uuid,         // before_id
        postgres::oid::boolean,      // all
        postgres::oid::uuid,         // user_id
        postgres::oid::boolean,      // revoked
        postgres::oid::int8,         // limit
    };
    static constexpr postgres::Statement statement{"identity.api_keys.list_keys", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    using Row = KeyRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(before);
        parameters.add(before_id);
        parameters.add(all);
        parameters.add(user_id);
        parameters.add(revoked);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<ApiKeyId>(0),
            .kind = row.get<std::string>(1),
            .user_id = row.get<std::optional<UserId>>(2),
            .name = row.get<std::string>(3),
            .prefix = row.get<std::string>(4),
            .scopes = row.get<std::vector<std::string>>(5),
            .expires_at = row.get<std::optional<Timestamp>>(6),
            .last_used_at = row.get<std::optional<Timestamp>>(7),
            .revoked_at = row.get<std::optional<Timestamp>>(8),
            .created_by = row.get<std::optional<UserId>>(9),
            .version = row.get<std::int32_t>(10),
            .created_at = row.get<Timestamp>(11),
        };
    }
};

struct GetKey {
    ApiKeyId key_id;
    bool all;
    std::optional<UserId> user_id{};

    static constexpr char sql[] =
        R"sql(SELECT id, kind, user_id, name, prefix, scopes, expires_at, last_used_at, revoked_at, created_by, version, created_at
FROM api_keys WHERE id = $1 AND ($2 OR user_id = $3))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,     // key_id
        postgres::oid::boolean,  // all
        postgres::oid::uuid,     // user_id
    };
    static constexpr postgres::Statement statement{"identity.api_keys.get_key", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    using Row = KeyRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(key_id);
        parameters.add(all);
        parameters.add(user_id);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<ApiKeyId>(0),
            .kind = row.get<std::string>(1),
            .user_id = row.get<std::optional<UserId>>(2),
            .name = row.get<std::string>(3),
            .prefix = row.get<std::string>(4),
            .scopes = row.get<std::vector<std::string>>(5),
            .expires_at = row.get<std::optional<Timestamp>>(6),
            .last_used_at = row.get<std::optional<Timestamp>>(7),
            .revoked_at = row.get<std::optional<Timestamp>>(8),
            .created_by = row.get<std::optional<UserId>>(9),
            .version = row.get<std::int32_t>(10),
            .created_at = row.get<Timestamp>(11),
        };
    }
};

// `revoked` false: there is such a key, and it was revoked before or is not in one of the versions that may be changed.
struct RevokeKey {
    ApiKeyId key_id;
    bool all;
    std::optional<UserId> user_id{};
    bool any_version;
    std::span<std::int64_t const> versions;

    static constexpr char sql[] = R"sql(WITH revoked AS (
    UPDATE api_keys SET revoked_at = now(), version = version + 1
    WHERE id = $1 AND ($2 OR user_id = $3) AND revoked_at IS NULL
      AND ($4 OR version = ANY ($5::bigint[]))
    RETURNING organization_id, id, kind, name, user_id
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT organization_id, 'api_key.revoked', jsonb_build_object('apiKeyId', id, 'kind', kind, 'name', name)
    FROM revoked
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, before)
    SELECT organization_id, 'api_key.revoked', 'api_key', id::text,
           jsonb_build_object('name', name, 'kind', kind, 'userId', user_id)
    FROM revoked
)
SELECT true AS revoked, id, NULL::timestamptz AS revoked_at FROM revoked
UNION ALL
SELECT false, id, revoked_at FROM api_keys
WHERE id = $1 AND ($2 OR user_id = $3) AND NOT EXISTS (SELECT FROM revoked))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,        // key_id
        postgres::oid::boolean,     // all
        postgres::oid::uuid,        // user_id
        postgres::oid::boolean,     // any_version
        postgres::oid::int8_array,  // versions
    };
    static constexpr postgres::Statement statement{"identity.api_keys.revoke_key", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    struct Row {
        bool revoked;
        ApiKeyId id;
        std::optional<Timestamp> revoked_at;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(key_id);
        parameters.add(all);
        parameters.add(user_id);
        parameters.add(any_version);
        parameters.add(versions);
    }
    static Row read(postgres::RowView row) {
        return {
            .revoked = row.get<bool>(0),
            .id = row.get<ApiKeyId>(1),
            .revoked_at = row.get<std::optional<Timestamp>>(2),
        };
    }
};

}  // namespace buildplan::identity::api_keys::queries
