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
#include "gen/example/types.hpp"
#include "postgres/statement.hpp"

namespace buildplan::gen::example::queries {

struct CreateOrganization {
    OrganizationId organization_id;
    std::string_view name;
    std::string_view slug;

    static constexpr char sql[] = R"sql(INSERT INTO organizations (id, name, slug) VALUES ($1, $2, $3))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // organization_id
        postgres::oid::text,  // name
        postgres::oid::text,  // slug
    };
    static constexpr postgres::Statement statement{"gen.example.create_organization", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(organization_id);
        parameters.add(name);
        parameters.add(slug);
    }
};

struct SetTenant {
    std::string_view organization;

    static constexpr char sql[] =
        R"sql(SELECT set_config('app.current_organization_id', $1, false) IS NOT NULL AS was_set)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // organization
    };
    static constexpr postgres::Statement statement{"gen.example.set_tenant", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    struct Row {
        bool was_set;
    };
    void bind(postgres::Parameters& parameters) const { parameters.add(organization); }
    static Row read(postgres::RowView row) {
        return {
            .was_set = row.get<bool>(0),
        };
    }
};

struct WorkspaceRow {
    WorkspaceId id;
    std::string name;
    std::optional<std::string> description;
    std::int32_t version;
    std::optional<Timestamp> archived_at;
    Timestamp created_at;
};

struct CreateWorkspace {
    OrganizationId organization_id;
    WorkspaceId id;
    std::string_view name;
    std::string_view slug;
    std::optional<std::string_view> description{};

    static constexpr char sql[] = R"sql(INSERT INTO workspaces (organization_id, id, name, slug, description)
VALUES ($1, $2, $3, $4, $5)
RETURNING id, name, description, version, archived_at, created_at)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // organization_id
        postgres::oid::uuid,  // id
        postgres::oid::text,  // name
        postgres::oid::text,  // slug
        postgres::oid::text,  // description
    };
    static constexpr postgres::Statement statement{"gen.example.create_workspace", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    using Row = WorkspaceRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(organization_id);
        parameters.add(id);
        parameters.add(name);
        parameters.add(slug);
        parameters.add(description);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<WorkspaceId>(0),
            .name = row.get<std::string>(1),
            .description = row.get<std::optional<std::string>>(2),
            .version = row.get<std::int32_t>(3),
            .archived_at = row.get<std::optional<Timestamp>>(4),
            .created_at = row.get<Timestamp>(5),
        };
    }
};

// Newest first; behind the last one of the page before.
struct ListWorkspaces {
    Timestamp last_created_at;
    WorkspaceId last_id;
    std::optional<std::string_view> name{};
    std::int64_t limit;

    static constexpr char sql[] = R"sql(SELECT id, name, description, version, archived_at, created_at
FROM workspaces
WHERE (created_at, id) < ($1, $2)
  AND ($3::text IS NULL OR name = $3)
ORDER BY created_at DESC, id DESC
LIMIT $4)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::timestamptz,  // last_created_at
        postgres::oid::uuid,         // last_id
        postgres::oid::text,         // name
        postgres::oid::int8,         // limit
    };
    static constexpr postgres::Statement statement{"gen.example.list_workspaces", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    using Row = WorkspaceRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(last_created_at);
        parameters.add(last_id);
        parameters.add(name);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<WorkspaceId>(0),
            .name = row.get<std::string>(1),
            .description = row.get<std::optional<std::string>>(2),
            .version = row.get<std::int32_t>(3),
            .archived_at = row.get<std::optional<Timestamp>>(4),
            .created_at = row.get<Timestamp>(5),
        };
    }
};

struct CountWorkspaces {
    std::span<WorkspaceId const> ids;

    static constexpr char sql[] =
        R"sql(SELECT count(*) AS total, array_agg(slug ORDER BY slug) AS slugs, max(archived_at) AS last_archived_at
FROM workspaces
WHERE id = ANY ($1))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid_array,  // ids
    };
    static constexpr postgres::Statement statement{"gen.example.count_workspaces", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    struct Row {
        std::int64_t total;
        std::optional<std::vector<std::string>> slugs;
        std::optional<Timestamp> last_archived_at;
    };
    void bind(postgres::Parameters& parameters) const { parameters.add(ids); }
    static Row read(postgres::RowView row) {
        return {
            .total = row.get<std::int64_t>(0),
            .slugs = row.get<std::optional<std::vector<std::string>>>(1),
            .last_archived_at = row.get<std::optional<Timestamp>>(2),
        };
    }
};

// The outer join makes NULLs of api_keys.name, which has none.
struct WorkspacesWithKeys {
    static constexpr char sql[] = R"sql(SELECT w.id AS workspace_id, k.name AS key_name
FROM workspaces w
LEFT JOIN api_keys k ON k.name = w.name)sql";
    static constexpr postgres::Statement statement{"gen.example.workspaces_with_keys", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::many;
    struct Row {
        WorkspaceId workspace_id;
        std::optional<std::string> key_name;
    };
    void bind(postgres::Parameters&) const {}
    static Row read(postgres::RowView row) {
        return {
            .workspace_id = row.get<WorkspaceId>(0),
            .key_name = row.get<std::optional<std::string>>(1),
        };
    }
};

struct AllTypes {
    bool flag;
    std::int16_t small;
    double real;
    postgres::JsonView document;
    std::span<std::string const> names;
    std::span<std::int64_t const> numbers;
    std::string_view bytes;
    std::span<Timestamp const> at_times;

    static constexpr char sql[] =
        R"sql(SELECT $1::bool AS flag, $2::int2 AS small, $3::float8 AS real, $4::jsonb AS document,
       $5::text[] AS names, $6::int8[] AS numbers, $7::bytea AS bytes, $8::timestamptz[] AS at_times,
       '$5 isn''t a parameter; nor is $this' || $$, nor $that$$ || E'\'$other' AS quoted)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::boolean,            // flag
        postgres::oid::int2,               // small
        postgres::oid::float8,             // real
        postgres::oid::jsonb,              // document
        postgres::oid::text_array,         // names
        postgres::oid::int8_array,         // numbers
        postgres::oid::bytea,              // bytes
        postgres::oid::timestamptz_array,  // at_times
    };
    static constexpr postgres::Statement statement{"gen.example.all_types", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    struct Row {
        bool flag;
        std::int16_t small;
        double real;
        postgres::Json document;
        std::vector<std::string> names;
        std::vector<std::int64_t> numbers;
        std::string bytes;
        std::vector<Timestamp> at_times;
        std::optional<std::string> quoted;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(flag);
        parameters.add(small);
        parameters.add(real);
        parameters.add(document);
        parameters.add(names);
        parameters.add(numbers);
        parameters.add(bytes);
        parameters.add(at_times);
    }
    static Row read(postgres::RowView row) {
        return {
            .flag = row.get<bool>(0),
            .small = row.get<std::int16_t>(1),
            .real = row.get<double>(2),
            .document = row.get<postgres::Json>(3),
            .names = row.get<std::vector<std::string>>(4),
            .numbers = row.get<std::vector<std::int64_t>>(5),
            .bytes = row.get<std::string>(6),
            .at_times = row.get<std::vector<Timestamp>>(7),
            .quoted = row.get<std::optional<std::string>>(8),
        };
    }
};

struct ArchiveWorkspace {
    WorkspaceId id;

    static constexpr char sql[] =
        R"sql(UPDATE workspaces SET archived_at = now(), version = version + 1 WHERE id = $1 AND archived_at IS NULL)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // id
    };
    static constexpr postgres::Statement statement{"gen.example.archive_workspace", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    using Row = void;
    void bind(postgres::Parameters& parameters) const { parameters.add(id); }
};

}  // namespace buildplan::gen::example::queries
