// Made by script/gen from queries.sql beside it. Change that, not this.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/id.hpp"
#include "core/time.hpp"
#include "features/audit/types.hpp"
#include "postgres/statement.hpp"

namespace buildplan::audit::queries {

struct Record {
    std::string_view action;
    std::string_view target_kind;
    std::optional<std::string_view> target_id{};
    std::optional<postgres::JsonView> before{};
    std::optional<postgres::JsonView> after{};

    static constexpr char sql[] =
        R"sql(INSERT INTO audit_log (organization_id, action, target_kind, target_id, before, after)
VALUES (current_setting('app.current_organization_id')::uuid, $1, $2, $3, $4, $5))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,   // action
        postgres::oid::text,   // target_kind
        postgres::oid::text,   // target_id
        postgres::oid::jsonb,  // before
        postgres::oid::jsonb,  // after
    };
    static constexpr postgres::Statement statement{"audit.record", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(action);
        parameters.add(target_kind);
        parameters.add(target_id);
        parameters.add(before);
        parameters.add(after);
    }
};

struct RecordFor {
    OrganizationId organization_id;
    std::string_view action;
    std::string_view target_kind;
    std::optional<std::string_view> target_id{};
    std::optional<postgres::JsonView> before{};
    std::optional<postgres::JsonView> after{};

    static constexpr char sql[] =
        R"sql(INSERT INTO audit_log (organization_id, action, target_kind, target_id, before, after)
VALUES ($1, $2, $3, $4, $5, $6))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,   // organization_id
        postgres::oid::text,   // action
        postgres::oid::text,   // target_kind
        postgres::oid::text,   // target_id
        postgres::oid::jsonb,  // before
        postgres::oid::jsonb,  // after
    };
    static constexpr postgres::Statement statement{"audit.record_for", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(organization_id);
        parameters.add(action);
        parameters.add(target_kind);
        parameters.add(target_id);
        parameters.add(before);
        parameters.add(after);
    }
};

struct AuditRow {
    AuditEntryId id;
    std::int64_t seq;
    Timestamp at;
    std::string actor_kind;
    std::optional<AuditActorId> actor_id;
    std::optional<std::string> actor_name;
    std::string action;
    std::string target_kind;
    std::optional<std::string> target_id;
    std::optional<postgres::Json> before;
    std::optional<postgres::Json> after;
    std::optional<std::string> address;
    std::optional<std::string> request_id;
    std::string hash;
};

// Times never fall while seq grows, so a stretch of time is a stretch of seq, and that is what the key is asked for.
struct ListEntries {
    std::int64_t before_seq;
    std::optional<Timestamp> from{};
    std::optional<Timestamp> to{};
    std::optional<std::string_view> action{};
    std::optional<AuditActorId> actor{};
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT id, seq, at, actor_kind, actor_id, actor_name, action, target_kind, target_id, before, after, address, request_id, hash
FROM audit_log
WHERE seq < $1
  AND seq >= coalesce((SELECT audit_first_since($2)), 1)
  AND seq < coalesce((SELECT audit_first_since($3)), 9223372036854775807)
  AND ($4::text IS NULL OR action = $4)
  AND ($5::uuid IS NULL OR actor_id = $5)
ORDER BY seq DESC LIMIT $6)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::int8,         // before_seq
        postgres::oid::timestamptz,  // from
        postgres::oid::timestamptz,  // to
        postgres::oid::text,         // action
        postgres::oid::uuid,         // actor
        postgres::oid::int8,         // limit
    };
    static constexpr postgres::Statement statement{"audit.list_entries", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    using Row = AuditRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(before_seq);
        parameters.add(from);
        parameters.add(to);
        parameters.add(action);
        parameters.add(actor);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<AuditEntryId>(0),
            .seq = row.get<std::int64_t>(1),
            .at = row.get<Timestamp>(2),
            .actor_kind = row.get<std::string>(3),
            .actor_id = row.get<std::optional<AuditActorId>>(4),
            .actor_name = row.get<std::optional<std::string>>(5),
            .action = row.get<std::string>(6),
            .target_kind = row.get<std::string>(7),
            .target_id = row.get<std::optional<std::string>>(8),
            .before = row.get<std::optional<postgres::Json>>(9),
            .after = row.get<std::optional<postgres::Json>>(10),
            .address = row.get<std::optional<std::string>>(11),
            .request_id = row.get<std::optional<std::string>>(12),
            .hash = row.get<std::string>(13),
        };
    }
};

struct ListEntriesOfTarget {
    std::string_view target;
    std::int64_t before_seq;
    std::optional<Timestamp> from{};
    std::optional<Timestamp> to{};
    std::optional<std::string_view> action{};
    std::optional<AuditActorId> actor{};
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT id, seq, at, actor_kind, actor_id, actor_name, action, target_kind, target_id, before, after, address, request_id, hash
FROM audit_log
WHERE target_id = $1 AND seq < $2
  AND seq >= coalesce((SELECT audit_first_since($3)), 1)
  AND seq < coalesce((SELECT audit_first_since($4)), 9223372036854775807)
  AND ($5::text IS NULL OR action = $5)
  AND ($6::uuid IS NULL OR actor_id = $6)
ORDER BY seq DESC LIMIT $7)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,         // target
        postgres::oid::int8,         // before_seq
        postgres::oid::timestamptz,  // from
        postgres::oid::timestamptz,  // to
        postgres::oid::text,         // action
        postgres::oid::uuid,         // actor
        postgres::oid::int8,         // limit
    };
    static constexpr postgres::Statement statement{"audit.list_entries_of_target", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    using Row = AuditRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(target);
        parameters.add(before_seq);
        parameters.add(from);
        parameters.add(to);
        parameters.add(action);
        parameters.add(actor);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<AuditEntryId>(0),
            .seq = row.get<std::int64_t>(1),
            .at = row.get<Timestamp>(2),
            .actor_kind = row.get<std::string>(3),
            .actor_id = row.get<std::optional<AuditActorId>>(4),
            .actor_name = row.get<std::optional<std::string>>(5),
            .action = row.get<std::string>(6),
            .target_kind = row.get<std::string>(7),
            .target_id = row.get<std::optional<std::string>>(8),
            .before = row.get<std::optional<postgres::Json>>(9),
            .after = row.get<std::optional<postgres::Json>>(10),
            .address = row.get<std::optional<std::string>>(11),
            .request_id = row.get<std::optional<std::string>>(12),
            .hash = row.get<std::string>(13),
        };
    }
};

// The log as it was when the export began, oldest first.
struct ExportEntries {
    std::int64_t after_seq;
    std::int64_t last_seq;
    std::optional<Timestamp> from{};
    std::optional<Timestamp> to{};
    std::optional<std::string_view> action{};
    std::optional<AuditActorId> actor{};
    std::optional<std::string_view> target{};
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT id, seq, at, actor_kind, actor_id, actor_name, action, target_kind, target_id, before, after, address, request_id, hash
FROM audit_log
WHERE seq > $1 AND seq <= $2
  AND seq >= coalesce((SELECT audit_first_since($3)), 1)
  AND seq < coalesce((SELECT audit_first_since($4)), 9223372036854775807)
  AND ($5::text IS NULL OR action = $5)
  AND ($6::uuid IS NULL OR actor_id = $6)
  AND ($7::text IS NULL OR target_id = $7)
ORDER BY seq LIMIT $8)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::int8,         // after_seq
        postgres::oid::int8,         // last_seq
        postgres::oid::timestamptz,  // from
        postgres::oid::timestamptz,  // to
        postgres::oid::text,         // action
        postgres::oid::uuid,         // actor
        postgres::oid::text,         // target
        postgres::oid::int8,         // limit
    };
    static constexpr postgres::Statement statement{"audit.export_entries", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    using Row = AuditRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(after_seq);
        parameters.add(last_seq);
        parameters.add(from);
        parameters.add(to);
        parameters.add(action);
        parameters.add(actor);
        parameters.add(target);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<AuditEntryId>(0),
            .seq = row.get<std::int64_t>(1),
            .at = row.get<Timestamp>(2),
            .actor_kind = row.get<std::string>(3),
            .actor_id = row.get<std::optional<AuditActorId>>(4),
            .actor_name = row.get<std::optional<std::string>>(5),
            .action = row.get<std::string>(6),
            .target_kind = row.get<std::string>(7),
            .target_id = row.get<std::optional<std::string>>(8),
            .before = row.get<std::optional<postgres::Json>>(9),
            .after = row.get<std::optional<postgres::Json>>(10),
            .address = row.get<std::optional<std::string>>(11),
            .request_id = row.get<std::optional<std::string>>(12),
            .hash = row.get<std::string>(13),
        };
    }
};

struct LastSeq {
    static constexpr char sql[] = R"sql(SELECT coalesce((SELECT h.seq FROM audit_heads h), 0) AS seq)sql";
    static constexpr postgres::Statement statement{"audit.last_seq", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::one;
    struct Row {
        std::int64_t seq;
    };
    void bind(postgres::Parameters&) const {}
    static Row read(postgres::RowView row) {
        return {
            .seq = row.get<std::int64_t>(0),
        };
    }
};

struct ChainRow {
    OrganizationId organization_id;
    AuditEntryId id;
    std::int64_t seq;
    Timestamp at;
    std::string actor_kind;
    std::optional<AuditActorId> actor_id;
    std::optional<std::string> actor_name;
    std::string action;
    std::string target_kind;
    std::optional<std::string> target_id;
    std::optional<std::string> before;
    std::optional<std::string> after;
    std::optional<std::string> address;
    std::optional<std::string> request_id;
    std::string previous_hash;
    std::string hash;
};

// As it was hashed: jsonb as its text.
struct Chain {
    std::int64_t after_seq;
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT organization_id, id, seq, at, actor_kind, actor_id, actor_name, action, target_kind, target_id,
       before::text AS before, after::text AS after, address, request_id, previous_hash, hash
FROM audit_log WHERE seq > $1 ORDER BY seq LIMIT $2)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::int8,  // after_seq
        postgres::oid::int8,  // limit
    };
    static constexpr postgres::Statement statement{"audit.chain", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    using Row = ChainRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(after_seq);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .organization_id = row.get<OrganizationId>(0),
            .id = row.get<AuditEntryId>(1),
            .seq = row.get<std::int64_t>(2),
            .at = row.get<Timestamp>(3),
            .actor_kind = row.get<std::string>(4),
            .actor_id = row.get<std::optional<AuditActorId>>(5),
            .actor_name = row.get<std::optional<std::string>>(6),
            .action = row.get<std::string>(7),
            .target_kind = row.get<std::string>(8),
            .target_id = row.get<std::optional<std::string>>(9),
            .before = row.get<std::optional<std::string>>(10),
            .after = row.get<std::optional<std::string>>(11),
            .address = row.get<std::optional<std::string>>(12),
            .request_id = row.get<std::optional<std::string>>(13),
            .previous_hash = row.get<std::string>(14),
            .hash = row.get<std::string>(15),
        };
    }
};

struct ChainHead {
    static constexpr char sql[] = R"sql(SELECT seq, previous_hash, hash FROM audit_heads)sql";
    static constexpr postgres::Statement statement{"audit.chain_head", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::one;
    struct Row {
        std::int64_t seq;
        std::optional<std::string> previous_hash;
        std::string hash;
    };
    void bind(postgres::Parameters&) const {}
    static Row read(postgres::RowView row) {
        return {
            .seq = row.get<std::int64_t>(0),
            .previous_hash = row.get<std::optional<std::string>>(1),
            .hash = row.get<std::string>(2),
        };
    }
};

struct OrganizationRow {
    OrganizationId id;
    std::string slug;
};

struct Organizations {
    OrganizationId after_id;
    std::int64_t limit;

    static constexpr char sql[] = R"sql(SELECT id, slug FROM organizations WHERE id > $1 ORDER BY id LIMIT $2)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // after_id
        postgres::oid::int8,  // limit
    };
    static constexpr postgres::Statement statement{"audit.organizations", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    using Row = OrganizationRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(after_id);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<OrganizationId>(0),
            .slug = row.get<std::string>(1),
        };
    }
};

// A slug may look like anybody's id, so an id goes first.
struct FindOrganization {
    std::string_view name;

    static constexpr char sql[] =
        R"sql(SELECT id, slug FROM organizations WHERE id::text = $1 OR slug = $1 ORDER BY id::text = $1 DESC LIMIT 1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // name
    };
    static constexpr postgres::Statement statement{"audit.find_organization", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    using Row = OrganizationRow;
    void bind(postgres::Parameters& parameters) const { parameters.add(name); }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<OrganizationId>(0),
            .slug = row.get<std::string>(1),
        };
    }
};

}  // namespace buildplan::audit::queries
