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
#include "features/identity/types.hpp"
#include "postgres/statement.hpp"

namespace buildplan::identity::queries {

struct FindKey {
    std::string_view hash;

    static constexpr char sql[] =
        R"sql(SELECT organization_id, id, user_id, scopes, expires_at, revoked_at, last_used_at FROM api_keys WHERE hash = $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::bytea,  // hash
    };
    static constexpr postgres::Statement statement{"identity.find_key", sql, parameter_types};
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
    static constexpr postgres::Statement statement{"identity.touch_key", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(organization_id);
        parameters.add(key_id);
    }
};

struct CreateServiceKey {
    ApiKeyId key_id;
    std::string_view name;
    std::string_view prefix;
    std::string_view hash;
    std::span<std::string const> scopes;
    std::optional<Timestamp> expires_at{};

    static constexpr char sql[] =
        R"sql(INSERT INTO api_keys (organization_id, id, kind, name, prefix, hash, scopes, expires_at)
VALUES (current_setting('app.current_organization_id')::uuid, $1, 'service', $2, $3, $4, $5, $6))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,         // key_id
        postgres::oid::text,         // name
        postgres::oid::text,         // prefix
        postgres::oid::bytea,        // hash
        postgres::oid::text_array,   // scopes
        postgres::oid::timestamptz,  // expires_at
    };
    static constexpr postgres::Statement statement{"identity.create_service_key", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(key_id);
        parameters.add(name);
        parameters.add(prefix);
        parameters.add(hash);
        parameters.add(scopes);
        parameters.add(expires_at);
    }
};

struct AnyOrganization {
    static constexpr char sql[] = R"sql(SELECT EXISTS (SELECT FROM organizations) AS found)sql";
    static constexpr postgres::Statement statement{"identity.any_organization", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        bool found;
    };
    void bind(postgres::Parameters&) const {}
    static Row read(postgres::RowView row) {
        return {
            .found = row.get<bool>(0),
        };
    }
};

// Nothing when the slug is taken.
struct CreateOrganization {
    std::string_view name;
    std::string_view slug;

    static constexpr char sql[] =
        R"sql(INSERT INTO organizations (name, slug) VALUES ($1, $2) ON CONFLICT (slug) DO NOTHING RETURNING id)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // name
        postgres::oid::text,  // slug
    };
    static constexpr postgres::Statement statement{"identity.create_organization", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        OrganizationId id;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(name);
        parameters.add(slug);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<OrganizationId>(0),
        };
    }
};

struct FindOrganization {
    std::string_view slug;

    static constexpr char sql[] = R"sql(SELECT id FROM organizations WHERE slug = $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // slug
    };
    static constexpr postgres::Statement statement{"identity.find_organization", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        OrganizationId id;
    };
    void bind(postgres::Parameters& parameters) const { parameters.add(slug); }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<OrganizationId>(0),
        };
    }
};

}  // namespace buildplan::identity::queries
