// Made by script/gen from queries.sql beside it. Change that, not this.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/id.hpp"
#include "postgres/statement.hpp"
#include "queue/jobs/entry.hpp"

namespace buildplan::queue::jobs::queries {

struct Standing {
    EntryId id;

    static constexpr char sql[] =
        R"sql(SELECT round, done_at IS NOT NULL OR failed_at IS NOT NULL AS settled FROM outbox WHERE id = $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // id
    };
    static constexpr postgres::Statement statement{"queue.jobs.standing", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    struct Row {
        std::int32_t round;
        bool settled;
    };
    void bind(postgres::Parameters& parameters) const { parameters.add(id); }
    static Row read(postgres::RowView row) {
        return {
            .round = row.get<std::int32_t>(0),
            .settled = row.get<bool>(1),
        };
    }
};

// No row: it was done, or has been given up.
struct MarkDone {
    EntryId id;
    std::int32_t round;

    static constexpr char sql[] =
        R"sql(UPDATE outbox SET done_at = now() WHERE id = $1 AND round = $2 AND done_at IS NULL AND failed_at IS NULL)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // id
        postgres::oid::int4,  // round
    };
    static constexpr postgres::Statement statement{"queue.jobs.mark_done", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(id);
        parameters.add(round);
    }
};

struct MarkDead {
    std::string_view error;
    std::int32_t attempts;
    EntryId id;
    std::int32_t round;

    static constexpr char sql[] = R"sql(UPDATE outbox SET failed_at = now(), error = $1, attempts = $2
WHERE id = $3 AND round = $4 AND done_at IS NULL AND failed_at IS NULL)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // error
        postgres::oid::int4,  // attempts
        postgres::oid::uuid,  // id
        postgres::oid::int4,  // round
    };
    static constexpr postgres::Statement statement{"queue.jobs.mark_dead", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(error);
        parameters.add(attempts);
        parameters.add(id);
        parameters.add(round);
    }
};

// By id, with what they pay for.
struct OrganizationsAfter {
    OrganizationId after;
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT o.id AS organization_id, coalesce(s.tier, 'FREE') AS tier, agreed_concurrency(s.custom_limits) AS cap
FROM organizations o LEFT JOIN subscriptions s ON s.organization_id = o.id
WHERE o.id > $1 ORDER BY o.id LIMIT $2)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // after
        postgres::oid::int8,  // limit
    };
    static constexpr postgres::Statement statement{"queue.jobs.organizations_after", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    struct Row {
        OrganizationId organization_id;
        std::string tier;
        std::optional<std::int64_t> cap;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(after);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .organization_id = row.get<OrganizationId>(0),
            .tier = row.get<std::string>(1),
            .cap = row.get<std::optional<std::int64_t>>(2),
        };
    }
};

struct PausedQueues {
    static constexpr char sql[] = R"sql(SELECT queue FROM queue_pauses)sql";
    static constexpr postgres::Statement statement{"queue.jobs.paused_queues", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    struct Row {
        std::string queue;
    };
    void bind(postgres::Parameters&) const {}
    static Row read(postgres::RowView row) {
        return {
            .queue = row.get<std::string>(0),
        };
    }
};

}  // namespace buildplan::queue::jobs::queries
