// Made by script/gen from queries.sql beside it. Change that, not this.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/id.hpp"
#include "core/time.hpp"
#include "features/identity/types.hpp"
#include "postgres/statement.hpp"

namespace buildplan::identity::queries {

struct CreateServiceKey {
    ApiKeyId key_id;
    std::string_view name;
    std::string_view prefix;
    std::string_view hash;
    std::span<std::string const> scopes;
    std::optional<Timestamp> expires_at{};

    static constexpr char sql[] = R"sql(WITH made AS (
    INSERT INTO api_keys (organization_id, id, kind, name, prefix, hash, scopes, expires_at)
    VALUES (current_setting('app.current_organization_id')::uuid, $1, 'service', $2, $3, $4, $5,
            $6)
    RETURNING organization_id, id, name, kind, prefix, scopes, expires_at
)
INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
SELECT organization_id, 'api_key.created', 'api_key', id::text,
       jsonb_build_object('name', name, 'kind', kind, 'prefix', prefix, 'scopes', scopes,
                          'expiresAt', api_time(expires_at))
FROM made)sql";
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

// The first of an installation, on the highest tier: whoever runs it is held to no plan. Nothing when the slug is
// taken.
struct CreateOrganization {
    std::string_view name;
    std::string_view slug;

    static constexpr char sql[] = R"sql(WITH made AS (
    INSERT INTO organizations (name, slug) VALUES ($1, $2) ON CONFLICT (slug) DO NOTHING RETURNING id, name, slug
), subscription AS (
    INSERT INTO subscriptions (organization_id, tier) SELECT id, 'ENTERPRISE' FROM made
), counts AS (
    INSERT INTO usage (organization_id, period) SELECT id, date_trunc('month', now(), 'UTC') FROM made
), record AS (
    INSERT INTO audit_log (organization_id, actor_kind, action, target_kind, target_id, after)
    SELECT id, 'system', 'organization.created', 'organization', id::text, jsonb_build_object('name', name, 'slug', slug)
    FROM made
)
SELECT id FROM made)sql";
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
