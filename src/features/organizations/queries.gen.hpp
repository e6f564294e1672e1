// Made by script/gen from queries.sql beside it. Change that, not this.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/id.hpp"
#include "core/time.hpp"
#include "postgres/statement.hpp"

namespace buildplan::organizations::queries {

struct CreatedRow {
    OrganizationId id;
    std::string name;
    std::string slug;
    std::int32_t version;
    Timestamp created_at;
    Timestamp updated_at;
};

// With all that belongs to one. Nothing when the slug is taken.
struct CreateOrganization {
    OrganizationId id;
    std::string_view name;
    std::string_view slug;
    UserId user_id;

    static constexpr char sql[] = R"sql(WITH made AS (
    INSERT INTO organizations (id, name, slug) VALUES ($1, $2, $3)
    ON CONFLICT (slug) DO NOTHING RETURNING id, name, slug, version, created_at, updated_at
), owner AS (
    INSERT INTO organization_members (organization_id, user_id, role) SELECT id, $4, 'OWNER' FROM made
), subscription AS (
    INSERT INTO subscriptions (organization_id) SELECT id FROM made
), counts AS (
    INSERT INTO usage (organization_id, period) SELECT id, date_trunc('month', now(), 'UTC') FROM made
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT id, 'organization.created', jsonb_build_object('organizationId', id, 'name', name, 'userId', $4::uuid)
    FROM made
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
    SELECT id, 'organization.created', 'organization', id::text,
           jsonb_build_object('name', name, 'slug', slug, 'owner', $4::uuid) FROM made
)
SELECT id, name, slug, version, created_at, updated_at FROM made)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // id
        postgres::oid::text,  // name
        postgres::oid::text,  // slug
        postgres::oid::uuid,  // user_id
    };
    static constexpr postgres::Statement statement{"organizations.create_organization", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    using Row = CreatedRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(id);
        parameters.add(name);
        parameters.add(slug);
        parameters.add(user_id);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<OrganizationId>(0),
            .name = row.get<std::string>(1),
            .slug = row.get<std::string>(2),
            .version = row.get<std::int32_t>(3),
            .created_at = row.get<Timestamp>(4),
            .updated_at = row.get<Timestamp>(5),
        };
    }
};

// What the same call has made before, when its answer was lost.
struct FindMade {
    OrganizationId id;
    UserId user_id;

    static constexpr char sql[] =
        R"sql(SELECT o.id, o.name, o.slug, o.version, o.created_at, o.updated_at FROM organizations o
WHERE o.id = $1 AND EXISTS (SELECT FROM organization_members m
                             WHERE m.organization_id = o.id AND m.user_id = $2 AND m.role = 'OWNER'))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // id
        postgres::oid::uuid,  // user_id
    };
    static constexpr postgres::Statement statement{"organizations.find_made", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    using Row = CreatedRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(id);
        parameters.add(user_id);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<OrganizationId>(0),
            .name = row.get<std::string>(1),
            .slug = row.get<std::string>(2),
            .version = row.get<std::int32_t>(3),
            .created_at = row.get<Timestamp>(4),
            .updated_at = row.get<Timestamp>(5),
        };
    }
};

struct CountOwned {
    UserId user_id;

    static constexpr char sql[] =
        R"sql(SELECT count(*) AS count FROM organization_members WHERE user_id = $1 AND role = 'OWNER')sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // user_id
    };
    static constexpr postgres::Statement statement{"organizations.count_owned", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        std::int64_t count;
    };
    void bind(postgres::Parameters& parameters) const { parameters.add(user_id); }
    static Row read(postgres::RowView row) {
        return {
            .count = row.get<std::int64_t>(0),
        };
    }
};

struct MineRow {
    OrganizationId id;
    std::string name;
    std::string slug;
    std::optional<std::string> role;
    std::optional<Timestamp> deleted_at;
    std::optional<Timestamp> delete_after;
    Timestamp created_at;
};

struct ListMine {
    UserId user_id;
    std::string_view after;
    OrganizationId after_id;
    std::int64_t limit;

    static constexpr char sql[] = R"sql(SELECT o.id, o.name, o.slug, m.role, o.deleted_at, o.delete_after, o.created_at
FROM organization_members m JOIN organizations o ON o.id = m.organization_id
WHERE m.user_id = $1 AND (o.name, o.id) > ($2, $3)
ORDER BY o.name, o.id LIMIT $4)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // user_id
        postgres::oid::text,  // after
        postgres::oid::uuid,  // after_id
        postgres::oid::int8,  // limit
    };
    static constexpr postgres::Statement statement{"organizations.list_mine", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    using Row = MineRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(user_id);
        parameters.add(after);
        parameters.add(after_id);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<OrganizationId>(0),
            .name = row.get<std::string>(1),
            .slug = row.get<std::string>(2),
            .role = row.get<std::optional<std::string>>(3),
            .deleted_at = row.get<std::optional<Timestamp>>(4),
            .delete_after = row.get<std::optional<Timestamp>>(5),
            .created_at = row.get<Timestamp>(6),
        };
    }
};

struct OrganizationRow {
    OrganizationId id;
    std::string name;
    std::string slug;
    postgres::Json settings;
    postgres::Json features;
    postgres::Json limits;
    std::optional<Timestamp> deleted_at;
    std::optional<Timestamp> delete_after;
    std::int32_t version;
    Timestamp created_at;
    Timestamp updated_at;
};

struct GetOrganization {
    OrganizationId id;

    static constexpr char sql[] =
        R"sql(SELECT id, name, slug, settings, features, limits, deleted_at, delete_after, version, created_at, updated_at
FROM organizations WHERE id = $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // id
    };
    static constexpr postgres::Statement statement{"organizations.get_organization", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    using Row = OrganizationRow;
    void bind(postgres::Parameters& parameters) const { parameters.add(id); }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<OrganizationId>(0),
            .name = row.get<std::string>(1),
            .slug = row.get<std::string>(2),
            .settings = row.get<postgres::Json>(3),
            .features = row.get<postgres::Json>(4),
            .limits = row.get<postgres::Json>(5),
            .deleted_at = row.get<std::optional<Timestamp>>(6),
            .delete_after = row.get<std::optional<Timestamp>>(7),
            .version = row.get<std::int32_t>(8),
            .created_at = row.get<Timestamp>(9),
            .updated_at = row.get<Timestamp>(10),
        };
    }
};

struct LockOrganization {
    OrganizationId id;

    static constexpr char sql[] =
        R"sql(SELECT id, name, slug, settings, features, limits, deleted_at, delete_after, version, created_at, updated_at
FROM organizations WHERE id = $1 FOR NO KEY UPDATE)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // id
    };
    static constexpr postgres::Statement statement{"organizations.lock_organization", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    using Row = OrganizationRow;
    void bind(postgres::Parameters& parameters) const { parameters.add(id); }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<OrganizationId>(0),
            .name = row.get<std::string>(1),
            .slug = row.get<std::string>(2),
            .settings = row.get<postgres::Json>(3),
            .features = row.get<postgres::Json>(4),
            .limits = row.get<postgres::Json>(5),
            .deleted_at = row.get<std::optional<Timestamp>>(6),
            .delete_after = row.get<std::optional<Timestamp>>(7),
            .version = row.get<std::int32_t>(8),
            .created_at = row.get<Timestamp>(9),
            .updated_at = row.get<Timestamp>(10),
        };
    }
};

// Of what is large, only what changes is recorded.
struct ChangeOrganization {
    OrganizationId id;
    std::string_view name;
    std::string_view slug;
    postgres::JsonView settings;
    postgres::JsonView features;

    static constexpr char sql[] = R"sql(WITH was AS (
    SELECT id, name, slug, settings, features FROM organizations WHERE id = $1
), changed AS (
    UPDATE organizations SET name = $2, slug = $3, settings = $4, features = $5,
                             version = version + 1, updated_at = now()
    WHERE id = $1
    RETURNING id, name, slug, settings, features, limits, deleted_at, delete_after, version, created_at, updated_at
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT id, 'organization.updated', jsonb_build_object('organizationId', id, 'name', name, 'slug', slug) FROM changed
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, before, after)
    SELECT c.id, 'organization.updated', 'organization', c.id::text,
           jsonb_build_object('name', was.name, 'slug', was.slug)
           || CASE WHEN was.settings = c.settings THEN '{}' ELSE jsonb_build_object('settings', was.settings) END
           || CASE WHEN was.features = c.features THEN '{}' ELSE jsonb_build_object('features', was.features) END,
           jsonb_build_object('name', c.name, 'slug', c.slug)
           || CASE WHEN was.settings = c.settings THEN '{}' ELSE jsonb_build_object('settings', c.settings) END
           || CASE WHEN was.features = c.features THEN '{}' ELSE jsonb_build_object('features', c.features) END
    FROM changed c JOIN was ON was.id = c.id
)
SELECT id, name, slug, settings, features, limits, deleted_at, delete_after, version, created_at, updated_at
FROM changed)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,   // id
        postgres::oid::text,   // name
        postgres::oid::text,   // slug
        postgres::oid::jsonb,  // settings
        postgres::oid::jsonb,  // features
    };
    static constexpr postgres::Statement statement{"organizations.change_organization", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    using Row = OrganizationRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(id);
        parameters.add(name);
        parameters.add(slug);
        parameters.add(settings);
        parameters.add(features);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<OrganizationId>(0),
            .name = row.get<std::string>(1),
            .slug = row.get<std::string>(2),
            .settings = row.get<postgres::Json>(3),
            .features = row.get<postgres::Json>(4),
            .limits = row.get<postgres::Json>(5),
            .deleted_at = row.get<std::optional<Timestamp>>(6),
            .delete_after = row.get<std::optional<Timestamp>>(7),
            .version = row.get<std::int32_t>(8),
            .created_at = row.get<Timestamp>(9),
            .updated_at = row.get<Timestamp>(10),
        };
    }
};

// Nothing where it is closed already.
struct CloseOrganization {
    double grace_days;
    OrganizationId id;

    static constexpr char sql[] = R"sql(WITH closed AS (
    UPDATE organizations SET deleted_at = now(), delete_after = now() + $1 * interval '1 day',
                             version = version + 1, updated_at = now()
    WHERE id = $2 AND deleted_at IS NULL
    RETURNING id, name, slug, settings, features, limits, deleted_at, delete_after, version, created_at, updated_at
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT id, 'organization.deleted', jsonb_build_object('organizationId', id, 'name', name, 'deleteAfter', api_time(delete_after))
    FROM closed
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
    SELECT id, 'organization.deleted', 'organization', id::text, jsonb_build_object('deleteAfter', api_time(delete_after))
    FROM closed
)
SELECT id, name, slug, settings, features, limits, deleted_at, delete_after, version, created_at, updated_at
FROM closed)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::float8,  // grace_days
        postgres::oid::uuid,    // id
    };
    static constexpr postgres::Statement statement{"organizations.close_organization", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    using Row = OrganizationRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(grace_days);
        parameters.add(id);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<OrganizationId>(0),
            .name = row.get<std::string>(1),
            .slug = row.get<std::string>(2),
            .settings = row.get<postgres::Json>(3),
            .features = row.get<postgres::Json>(4),
            .limits = row.get<postgres::Json>(5),
            .deleted_at = row.get<std::optional<Timestamp>>(6),
            .delete_after = row.get<std::optional<Timestamp>>(7),
            .version = row.get<std::int32_t>(8),
            .created_at = row.get<Timestamp>(9),
            .updated_at = row.get<Timestamp>(10),
        };
    }
};

// Nothing where it is not closed, or the person is not (any more) an owner.
struct RestoreOrganization {
    OrganizationId id;
    UserId user_id;

    static constexpr char sql[] = R"sql(WITH opened AS (
    UPDATE organizations SET deleted_at = NULL, delete_after = NULL, version = version + 1, updated_at = now()
    WHERE id = $1 AND deleted_at IS NOT NULL
      AND EXISTS (SELECT FROM organization_members m WHERE m.user_id = $2 AND m.role = 'OWNER')
    RETURNING id, name, slug, settings, features, limits, deleted_at, delete_after, version, created_at, updated_at
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT id, 'organization.restored', jsonb_build_object('organizationId', id, 'name', name) FROM opened
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id)
    SELECT id, 'organization.restored', 'organization', id::text FROM opened
)
SELECT id, name, slug, settings, features, limits, deleted_at, delete_after, version, created_at, updated_at
FROM opened)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // id
        postgres::oid::uuid,  // user_id
    };
    static constexpr postgres::Statement statement{"organizations.restore_organization", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    using Row = OrganizationRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(id);
        parameters.add(user_id);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<OrganizationId>(0),
            .name = row.get<std::string>(1),
            .slug = row.get<std::string>(2),
            .settings = row.get<postgres::Json>(3),
            .features = row.get<postgres::Json>(4),
            .limits = row.get<postgres::Json>(5),
            .deleted_at = row.get<std::optional<Timestamp>>(6),
            .delete_after = row.get<std::optional<Timestamp>>(7),
            .version = row.get<std::int32_t>(8),
            .created_at = row.get<Timestamp>(9),
            .updated_at = row.get<Timestamp>(10),
        };
    }
};

// The one that has waited longest. All that it has goes with it; what tells of it stays.
struct PurgeOne {
    static constexpr char sql[] = R"sql(WITH gone AS (
    DELETE FROM organizations WHERE id = (SELECT o.id FROM organizations o WHERE o.delete_after < now()
                                          ORDER BY o.delete_after LIMIT 1)
    RETURNING id, name
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT id, 'organization.purged', jsonb_build_object('organizationId', id, 'name', name) FROM gone
)
SELECT id FROM gone)sql";
    static constexpr postgres::Statement statement{"organizations.purge_one", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        OrganizationId id;
    };
    void bind(postgres::Parameters&) const {}
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<OrganizationId>(0),
        };
    }
};

}  // namespace buildplan::organizations::queries
