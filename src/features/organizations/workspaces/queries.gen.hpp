// Made by script/gen from queries.sql beside it. Change that, not this.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "features/organizations/workspaces/types.hpp"
#include "postgres/statement.hpp"

namespace buildplan::organizations::workspaces::queries {

struct WorkspaceRow {
    WorkspaceId id;
    std::string name;
    std::string slug;
    std::optional<std::string> description;
    std::optional<Timestamp> archived_at;
    std::int32_t version;
    Timestamp created_at;
    Timestamp updated_at;
};

// Nothing when the slug is taken. With `suffix` the slug was made from the name, and gives way instead.
struct CreateWorkspace {
    WorkspaceId id;
    std::string_view name;
    std::string_view slug;
    std::optional<std::string_view> description{};
    std::optional<std::string_view> suffix{};

    static constexpr char sql[] = R"sql(WITH wanted AS (
    INSERT INTO workspaces (organization_id, id, name, slug, description)
    VALUES (current_setting('app.current_organization_id')::uuid, $1, $2, $3, $4)
    ON CONFLICT (organization_id, slug) DO NOTHING
    RETURNING organization_id, id, name, slug, description, archived_at, version, created_at, updated_at
), other AS (
    INSERT INTO workspaces (organization_id, id, name, slug, description)
    SELECT current_setting('app.current_organization_id')::uuid, $1, $2, $3 || '-' || $5, $4
    WHERE $5 IS NOT NULL AND NOT EXISTS (SELECT FROM wanted)
    RETURNING organization_id, id, name, slug, description, archived_at, version, created_at, updated_at
), made AS (
    SELECT * FROM wanted UNION ALL SELECT * FROM other
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT organization_id, 'workspace.created', jsonb_build_object('workspaceId', id, 'name', name) FROM made
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
    SELECT organization_id, 'workspace.created', 'workspace', id::text,
           jsonb_build_object('name', name, 'slug', slug, 'description', description) FROM made
)
SELECT id, name, slug, description, archived_at, version, created_at, updated_at FROM made)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // id
        postgres::oid::text,  // name
        postgres::oid::text,  // slug
        postgres::oid::text,  // description
        postgres::oid::text,  // suffix
    };
    static constexpr postgres::Statement statement{"organizations.workspaces.create_workspace", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    using Row = WorkspaceRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(id);
        parameters.add(name);
        parameters.add(slug);
        parameters.add(description);
        parameters.add(suffix);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<WorkspaceId>(0),
            .name = row.get<std::string>(1),
            .slug = row.get<std::string>(2),
            .description = row.get<std::optional<std::string>>(3),
            .archived_at = row.get<std::optional<Timestamp>>(4),
            .version = row.get<std::int32_t>(5),
            .created_at = row.get<Timestamp>(6),
            .updated_at = row.get<Timestamp>(7),
        };
    }
};

struct GetWorkspace {
    WorkspaceId id;

    static constexpr char sql[] =
        R"sql(SELECT id, name, slug, description, archived_at, version, created_at, updated_at FROM workspaces WHERE id = $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // id
    };
    static constexpr postgres::Statement statement{"organizations.workspaces.get_workspace", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    using Row = WorkspaceRow;
    void bind(postgres::Parameters& parameters) const { parameters.add(id); }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<WorkspaceId>(0),
            .name = row.get<std::string>(1),
            .slug = row.get<std::string>(2),
            .description = row.get<std::optional<std::string>>(3),
            .archived_at = row.get<std::optional<Timestamp>>(4),
            .version = row.get<std::int32_t>(5),
            .created_at = row.get<Timestamp>(6),
            .updated_at = row.get<Timestamp>(7),
        };
    }
};

struct ListNewest {
    Timestamp before;
    WorkspaceId before_id;
    bool archived;
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT id, name, slug, description, archived_at, version, created_at, updated_at FROM workspaces
WHERE (created_at, id) < ($1, $2) AND (archived_at IS NOT NULL) = $3
ORDER BY created_at DESC, id DESC LIMIT $4)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::timestamptz,  // before
        postgres::oid::uuid,         // before_id
        postgres::oid::boolean,      // archived
        postgres::oid::int8,         // limit
    };
    static constexpr postgres::Statement statement{"organizations.workspaces.list_newest", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    using Row = WorkspaceRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(before);
        parameters.add(before_id);
        parameters.add(archived);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<WorkspaceId>(0),
            .name = row.get<std::string>(1),
            .slug = row.get<std::string>(2),
            .description = row.get<std::optional<std::string>>(3),
            .archived_at = row.get<std::optional<Timestamp>>(4),
            .version = row.get<std::int32_t>(5),
            .created_at = row.get<Timestamp>(6),
            .updated_at = row.get<Timestamp>(7),
        };
    }
};

struct ListOldest {
    Timestamp after;
    WorkspaceId after_id;
    bool archived;
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT id, name, slug, description, archived_at, version, created_at, updated_at FROM workspaces
WHERE (created_at, id) > ($1, $2) AND (archived_at IS NOT NULL) = $3
ORDER BY created_at, id LIMIT $4)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::timestamptz,  // after
        postgres::oid::uuid,         // after_id
        postgres::oid::boolean,      // archived
        postgres::oid::int8,         // limit
    };
    static constexpr postgres::Statement statement{"organizations.workspaces.list_oldest", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    using Row = WorkspaceRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(after);
        parameters.add(after_id);
        parameters.add(archived);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<WorkspaceId>(0),
            .name = row.get<std::string>(1),
            .slug = row.get<std::string>(2),
            .description = row.get<std::optional<std::string>>(3),
            .archived_at = row.get<std::optional<Timestamp>>(4),
            .version = row.get<std::int32_t>(5),
            .created_at = row.get<Timestamp>(6),
            .updated_at = row.get<Timestamp>(7),
        };
    }
};

struct ListByName {
    std::string_view after;
    WorkspaceId after_id;
    bool archived;
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT id, name, slug, description, archived_at, version, created_at, updated_at FROM workspaces
WHERE (name, id) > ($1, $2) AND (archived_at IS NOT NULL) = $3
ORDER BY name, id LIMIT $4)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,     // after
        postgres::oid::uuid,     // after_id
        postgres::oid::boolean,  // archived
        postgres::oid::int8,     // limit
    };
    static constexpr postgres::Statement statement{"organizations.workspaces.list_by_name", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    using Row = WorkspaceRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(after);
        parameters.add(after_id);
        parameters.add(archived);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<WorkspaceId>(0),
            .name = row.get<std::string>(1),
            .slug = row.get<std::string>(2),
            .description = row.get<std::optional<std::string>>(3),
            .archived_at = row.get<std::optional<Timestamp>>(4),
            .version = row.get<std::int32_t>(5),
            .created_at = row.get<Timestamp>(6),
            .updated_at = row.get<Timestamp>(7),
        };
    }
};

struct ChangedRow {
    bool changed;
    WorkspaceId id;
    std::string name;
    std::string slug;
    std::optional<std::string> description;
    std::optional<Timestamp> archived_at;
    std::int32_t version;
    Timestamp created_at;
    Timestamp updated_at;
};

// `changed` false: there is such a workspace, but not in one of the versions that may be changed; it is as it was. To
// archive what is archived, or bring back what is there, changes nothing and is no new version.
struct ChangeWorkspace {
    bool any_version;
    std::span<std::int64_t const> versions;
    std::optional<std::string_view> name{};
    std::optional<std::string_view> slug{};
    bool sets_description;
    std::optional<bool> archived{};
    WorkspaceId id;
    std::optional<std::string_view> description{};
    std::string_view topic;

    static constexpr char sql[] = R"sql(WITH was AS (
    SELECT id, name, slug, description, archived_at, version, $1 OR version = ANY ($2::bigint[]) AS fits,
           $3::text IS NULL AND $4::text IS NULL AND NOT $5
           AND (archived_at IS NOT NULL) = $6::boolean AS so_already
    FROM workspaces WHERE id = $7 FOR NO KEY UPDATE
), changed AS (
    UPDATE workspaces w
    SET name = coalesce($3, w.name), slug = coalesce($4, w.slug),
        description = CASE WHEN $5 THEN $8 ELSE w.description END,
        archived_at = CASE WHEN $6::boolean IS NULL THEN w.archived_at
                           WHEN $6 THEN coalesce(w.archived_at, now()) END,
        version = w.version + 1, updated_at = now()
    FROM was WHERE w.id = was.id AND was.fits AND was.so_already IS NOT TRUE
    RETURNING w.organization_id, w.id, w.name, w.slug, w.description, w.archived_at, w.version, w.created_at,
              w.updated_at
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT organization_id, $9, jsonb_build_object('workspaceId', id, 'name', name) FROM changed
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, before, after)
    SELECT c.organization_id, $9, 'workspace', c.id::text,
           jsonb_build_object('name', was.name, 'slug', was.slug, 'description', was.description,
                              'archivedAt', api_time(was.archived_at)),
           jsonb_build_object('name', c.name, 'slug', c.slug, 'description', c.description,
                              'archivedAt', api_time(c.archived_at))
    FROM changed c JOIN was ON was.id = c.id
)
SELECT true AS changed, id, name, slug, description, archived_at, version, created_at, updated_at FROM changed
UNION ALL
SELECT was.fits, w.id, w.name, w.slug, w.description, w.archived_at, w.version, w.created_at, w.updated_at
FROM workspaces w JOIN was ON was.id = w.id WHERE NOT EXISTS (SELECT FROM changed))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::boolean,     // any_version
        postgres::oid::int8_array,  // versions
        postgres::oid::text,        // name
        postgres::oid::text,        // slug
        postgres::oid::boolean,     // sets_description
        postgres::oid::boolean,     // archived
        postgres::oid::uuid,        // id
        postgres::oid::text,        // description
        postgres::oid::text,        // topic
    };
    static constexpr postgres::Statement statement{"organizations.workspaces.change_workspace", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    using Row = ChangedRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(any_version);
        parameters.add(versions);
        parameters.add(name);
        parameters.add(slug);
        parameters.add(sets_description);
        parameters.add(archived);
        parameters.add(id);
        parameters.add(description);
        parameters.add(topic);
    }
    static Row read(postgres::RowView row) {
        return {
            .changed = row.get<bool>(0),
            .id = row.get<WorkspaceId>(1),
            .name = row.get<std::string>(2),
            .slug = row.get<std::string>(3),
            .description = row.get<std::optional<std::string>>(4),
            .archived_at = row.get<std::optional<Timestamp>>(5),
            .version = row.get<std::int32_t>(6),
            .created_at = row.get<Timestamp>(7),
            .updated_at = row.get<Timestamp>(8),
        };
    }
};

}  // namespace buildplan::organizations::workspaces::queries
