// Made by script/gen from queries.sql beside it. Change that, not this.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/id.hpp"
#include "core/time.hpp"
#include "postgres/statement.hpp"
#include "queue/jobs/entry.hpp"

namespace buildplan::queues::queries {

// A queue of an organization that is owed nothing does not come up.
struct OwedByOrganization {
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT o.organization_id, o.queue, coalesce(s.tier, 'FREE') AS tier, count(*) AS owed, min(o.created_at) AS oldest
FROM outbox o LEFT JOIN subscriptions s ON s.organization_id = o.organization_id
WHERE o.relayed_at IS NOT NULL AND o.queue IS NOT NULL AND o.done_at IS NULL AND o.failed_at IS NULL
GROUP BY 1, 2, 3 LIMIT $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::int8,  // limit
    };
    static constexpr postgres::Statement statement{"queues.owed_by_organization", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    struct Row {
        OrganizationId organization_id;
        std::string queue;
        std::string tier;
        std::int64_t owed;
        Timestamp oldest;
    };
    void bind(postgres::Parameters& parameters) const { parameters.add(limit); }
    static Row read(postgres::RowView row) {
        return {
            .organization_id = row.get<OrganizationId>(0),
            .queue = row.get<std::string>(1),
            .tier = row.get<std::string>(2),
            .owed = row.get<std::int64_t>(3),
            .oldest = row.get<Timestamp>(4),
        };
    }
};

struct DeadByQueue {
    static constexpr char sql[] =
        R"sql(SELECT coalesce(o.queue, '') AS queue, coalesce(s.tier, 'FREE') AS tier, count(*) AS dead
FROM outbox o LEFT JOIN subscriptions s ON s.organization_id = o.organization_id
WHERE o.failed_at IS NOT NULL GROUP BY 1, 2)sql";
    static constexpr postgres::Statement statement{"queues.dead_by_queue", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    struct Row {
        std::string queue;
        std::string tier;
        std::int64_t dead;
    };
    void bind(postgres::Parameters&) const {}
    static Row read(postgres::RowView row) {
        return {
            .queue = row.get<std::string>(0),
            .tier = row.get<std::string>(1),
            .dead = row.get<std::int64_t>(2),
        };
    }
};

// Not yet given to a queue. More than a hundred thousand are as bad as a hundred thousand.
struct WaitingEvents {
    static constexpr char sql[] = R"sql(SELECT count(*) AS waiting, min(w.created_at) AS oldest
FROM (SELECT created_at FROM outbox WHERE relayed_at IS NULL AND NOT (topic ^@ 'mail.') ORDER BY created_at, id
      LIMIT 100000) AS w)sql";
    static constexpr postgres::Statement statement{"queues.waiting_events", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        std::int64_t waiting;
        std::optional<Timestamp> oldest;
    };
    void bind(postgres::Parameters&) const {}
    static Row read(postgres::RowView row) {
        return {
            .waiting = row.get<std::int64_t>(0),
            .oldest = row.get<std::optional<Timestamp>>(1),
        };
    }
};

struct DeadRow {
    OrganizationId organization_id;
    queue::jobs::EntryId id;
    std::string topic;
    postgres::Json payload;
    Timestamp created_at;
    Timestamp failed_at;
    std::optional<std::string> queue;
    std::optional<std::string> job;
    std::optional<std::string> error;
    std::optional<std::int32_t> attempts;
    std::int32_t round;
};

struct ListDead {
    std::string_view queue;
    Timestamp before;
    queue::jobs::EntryId before_id;
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT organization_id, id, topic, payload, created_at, failed_at, queue, job, error, attempts, round FROM outbox
WHERE failed_at IS NOT NULL AND queue = $1 AND (failed_at, id) < ($2, $3)
ORDER BY failed_at DESC, id DESC LIMIT $4)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,         // queue
        postgres::oid::timestamptz,  // before
        postgres::oid::uuid,         // before_id
        postgres::oid::int8,         // limit
    };
    static constexpr postgres::Statement statement{"queues.list_dead", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    using Row = DeadRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(queue);
        parameters.add(before);
        parameters.add(before_id);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .organization_id = row.get<OrganizationId>(0),
            .id = row.get<queue::jobs::EntryId>(1),
            .topic = row.get<std::string>(2),
            .payload = row.get<postgres::Json>(3),
            .created_at = row.get<Timestamp>(4),
            .failed_at = row.get<Timestamp>(5),
            .queue = row.get<std::optional<std::string>>(6),
            .job = row.get<std::optional<std::string>>(7),
            .error = row.get<std::optional<std::string>>(8),
            .attempts = row.get<std::optional<std::int32_t>>(9),
            .round = row.get<std::int32_t>(10),
        };
    }
};

struct FindDead {
    queue::jobs::EntryId id;
    std::string_view queue;

    static constexpr char sql[] =
        R"sql(SELECT organization_id, id, topic, payload, created_at, failed_at, queue, job, error, attempts, round FROM outbox
WHERE id = $1 AND queue = $2 AND failed_at IS NOT NULL ORDER BY failed_at LIMIT 1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // id
        postgres::oid::text,  // queue
    };
    static constexpr postgres::Statement statement{"queues.find_dead", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    using Row = DeadRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(id);
        parameters.add(queue);
    }
    static Row read(postgres::RowView row) {
        return {
            .organization_id = row.get<OrganizationId>(0),
            .id = row.get<queue::jobs::EntryId>(1),
            .topic = row.get<std::string>(2),
            .payload = row.get<postgres::Json>(3),
            .created_at = row.get<Timestamp>(4),
            .failed_at = row.get<Timestamp>(5),
            .queue = row.get<std::optional<std::string>>(6),
            .job = row.get<std::optional<std::string>>(7),
            .error = row.get<std::optional<std::string>>(8),
            .attempts = row.get<std::optional<std::int32_t>>(9),
            .round = row.get<std::int32_t>(10),
        };
    }
};

// Another round: the relay gives it to the queue like a new one.
struct RetryDead {
    OrganizationId organization_id;
    queue::jobs::EntryId id;

    static constexpr char sql[] = R"sql(WITH again AS (
    UPDATE outbox SET failed_at = NULL, error = NULL, attempts = NULL, relayed_at = NULL, epoch = NULL, round = round + 1
    WHERE organization_id = $1 AND id = $2 AND failed_at IS NOT NULL
    RETURNING organization_id, id, queue, job, topic, round
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
    SELECT again.organization_id, 'job.retried', 'job', again.id::text,
           jsonb_build_object('queue', queue, 'job', job, 'topic', topic, 'round', round)
    FROM again JOIN organizations g ON g.id = again.organization_id
)
SELECT organization_id, id FROM again)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // organization_id
        postgres::oid::uuid,  // id
    };
    static constexpr postgres::Statement statement{"queues.retry_dead", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        OrganizationId organization_id;
        queue::jobs::EntryId id;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(organization_id);
        parameters.add(id);
    }
    static Row read(postgres::RowView row) {
        return {
            .organization_id = row.get<OrganizationId>(0),
            .id = row.get<queue::jobs::EntryId>(1),
        };
    }
};

// Those of one queue that died before; a bounded number.
struct RetryAllDead {
    std::string_view queue;
    Timestamp before;
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(UPDATE outbox SET failed_at = NULL, error = NULL, attempts = NULL, relayed_at = NULL, epoch = NULL, round = round + 1
WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM outbox WHERE failed_at IS NOT NULL AND queue = $1 AND failed_at <= $2
    ORDER BY failed_at LIMIT $3))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,         // queue
        postgres::oid::timestamptz,  // before
        postgres::oid::int8,         // limit
    };
    static constexpr postgres::Statement statement{"queues.retry_all_dead", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(queue);
        parameters.add(before);
        parameters.add(limit);
    }
};

// By id, from one on.
struct OrganizationsOwed {
    std::string_view queue;
    std::int64_t limit;

    static constexpr char sql[] = R"sql(SELECT DISTINCT organization_id FROM outbox
WHERE relayed_at IS NOT NULL AND queue = $1 AND queue IS NOT NULL AND done_at IS NULL AND failed_at IS NULL
ORDER BY organization_id LIMIT $2)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // queue
        postgres::oid::int8,  // limit
    };
    static constexpr postgres::Statement statement{"queues.organizations_owed", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    struct Row {
        OrganizationId organization_id;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(queue);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .organization_id = row.get<OrganizationId>(0),
        };
    }
};

struct OwedOfQueue {
    std::string_view queue;
    Timestamp after;
    queue::jobs::EntryId after_id;
    std::int64_t limit;

    static constexpr char sql[] = R"sql(SELECT organization_id, id, round, created_at FROM outbox
WHERE relayed_at IS NOT NULL AND queue = $1 AND queue IS NOT NULL AND done_at IS NULL AND failed_at IS NULL
  AND (created_at, id) > ($2, $3)
ORDER BY created_at, id LIMIT $4)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,         // queue
        postgres::oid::timestamptz,  // after
        postgres::oid::uuid,         // after_id
        postgres::oid::int8,         // limit
    };
    static constexpr postgres::Statement statement{"queues.owed_of_queue", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    struct Row {
        OrganizationId organization_id;
        queue::jobs::EntryId id;
        std::int32_t round;
        Timestamp created_at;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(queue);
        parameters.add(after);
        parameters.add(after_id);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .organization_id = row.get<OrganizationId>(0),
            .id = row.get<queue::jobs::EntryId>(1),
            .round = row.get<std::int32_t>(2),
            .created_at = row.get<Timestamp>(3),
        };
    }
};

struct GiveUp {
    std::string_view error;
    std::span<OrganizationId const> organizations;
    std::span<queue::jobs::EntryId const> ids;

    static constexpr char sql[] = R"sql(UPDATE outbox o SET failed_at = now(), error = $1, attempts = 0
FROM unnest($2::uuid[], $3::uuid[]) AS m (organization_id, id)
WHERE o.organization_id = m.organization_id AND o.id = m.id AND o.done_at IS NULL AND o.failed_at IS NULL)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,        // error
        postgres::oid::uuid_array,  // organizations
        postgres::oid::uuid_array,  // ids
    };
    static constexpr postgres::Statement statement{"queues.give_up", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(error);
        parameters.add(organizations);
        parameters.add(ids);
    }
};

struct PauseQueue {
    std::string_view queue;

    static constexpr char sql[] =
        R"sql(INSERT INTO queue_pauses (queue) VALUES ($1) ON CONFLICT (queue) DO NOTHING)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // queue
    };
    static constexpr postgres::Statement statement{"queues.pause_queue", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const { parameters.add(queue); }
};

struct ResumeQueue {
    std::string_view queue;

    static constexpr char sql[] = R"sql(DELETE FROM queue_pauses WHERE queue = $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // queue
    };
    static constexpr postgres::Statement statement{"queues.resume_queue", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const { parameters.add(queue); }
};

struct ListPauses {
    static constexpr char sql[] = R"sql(SELECT queue, paused_at FROM queue_pauses ORDER BY queue)sql";
    static constexpr postgres::Statement statement{"queues.list_pauses", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    struct Row {
        std::string queue;
        Timestamp paused_at;
    };
    void bind(postgres::Parameters&) const {}
    static Row read(postgres::RowView row) {
        return {
            .queue = row.get<std::string>(0),
            .paused_at = row.get<Timestamp>(1),
        };
    }
};

}  // namespace buildplan::queues::queries
