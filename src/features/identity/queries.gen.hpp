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

// The first of an installation, on the highest tier: whoever runs it is held to no plan. Nothing when the slug is taken.
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

// The key of whoever runs the installation; no request can do so.
struct MarkInstallationKey {
    std::string_view hash;

    static constexpr char sql[] =
        R"sql(UPDATE api_keys SET installation = true WHERE hash = $1 AND NOT installation)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::bytea,  // hash
    };
    static constexpr postgres::Statement statement{"identity.mark_installation_key", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const { parameters.add(hash); }
};

// Nothing where nobody has that address.
struct AddInstallationOwner {
    std::string_view email;

    static constexpr char sql[] = R"sql(WITH person AS (
    SELECT id FROM users WHERE email_lc = lower($1)
), added AS (
    INSERT INTO installation_owners (user_id) SELECT id FROM person ON CONFLICT (user_id) DO NOTHING RETURNING user_id
)
SELECT id AS user_id, EXISTS (SELECT FROM added) AS added FROM person)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // email
    };
    static constexpr postgres::Statement statement{"identity.add_installation_owner", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        UserId user_id;
        bool added;
    };
    void bind(postgres::Parameters& parameters) const { parameters.add(email); }
    static Row read(postgres::RowView row) {
        return {
            .user_id = row.get<UserId>(0),
            .added = row.get<bool>(1),
        };
    }
};

struct RemoveInstallationOwner {
    std::string_view email;

    static constexpr char sql[] =
        R"sql(DELETE FROM installation_owners WHERE user_id IN (SELECT id FROM users WHERE email_lc = lower($1)))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // email
    };
    static constexpr postgres::Statement statement{"identity.remove_installation_owner", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const { parameters.add(email); }
};

struct ListInstallationOwners {
    static constexpr char sql[] =
        R"sql(SELECT u.id AS user_id, u.email, u.name, o.created_at FROM installation_owners o JOIN users u ON u.id = o.user_id
ORDER BY o.created_at, u.id)sql";
    static constexpr postgres::Statement statement{"identity.list_installation_owners", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    struct Row {
        UserId user_id;
        std::string email;
        std::string name;
        Timestamp created_at;
    };
    void bind(postgres::Parameters&) const {}
    static Row read(postgres::RowView row) {
        return {
            .user_id = row.get<UserId>(0),
            .email = row.get<std::string>(1),
            .name = row.get<std::string>(2),
            .created_at = row.get<Timestamp>(3),
        };
    }
};

}  // namespace buildplan::identity::queries
