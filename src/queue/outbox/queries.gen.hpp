// Made by script/gen from queries.sql beside it. Change that, not this.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/id.hpp"
#include "core/time.hpp"
#include "postgres/statement.hpp"
#include "queue/jobs/entry.hpp"

namespace buildplan::queue::outbox::queries {

struct JobRow {
    OrganizationId organization_id;
    jobs::EntryId id;
    std::string topic;
    postgres::Json payload;
    std::int32_t round;
    Timestamp created_at;
    std::optional<std::string> queue;
    std::optional<std::string> job;
    std::string tier;
    std::optional<std::int64_t> cap;
};

// Oldest first, those that another relay has in its hands left out.
struct TakeWaiting {
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT o.organization_id, o.id, o.topic, o.payload, o.round, o.created_at, o.queue, o.job,
       coalesce(s.tier, 'FREE') AS tier, agreed_concurrency(s.custom_limits) AS cap
FROM outbox o LEFT JOIN subscriptions s ON s.organization_id = o.organization_id
WHERE o.relayed_at IS NULL AND NOT (o.topic ^@ 'mail.')
ORDER BY o.created_at, o.id LIMIT $1 FOR UPDATE OF o SKIP LOCKED)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::int8,  // limit
    };
    static constexpr postgres::Statement statement{"queue.outbox.take_waiting", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    using Row = JobRow;
    void bind(postgres::Parameters& parameters) const { parameters.add(limit); }
    static Row read(postgres::RowView row) {
        return {
            .organization_id = row.get<OrganizationId>(0),
            .id = row.get<jobs::EntryId>(1),
            .topic = row.get<std::string>(2),
            .payload = row.get<postgres::Json>(3),
            .round = row.get<std::int32_t>(4),
            .created_at = row.get<Timestamp>(5),
            .queue = row.get<std::optional<std::string>>(6),
            .job = row.get<std::optional<std::string>>(7),
            .tier = row.get<std::string>(8),
            .cap = row.get<std::optional<std::int64_t>>(9),
        };
    }
};

// An empty queue: an event that nobody waits for. An error: it cannot be a job, and is dead.
struct MarkRelayed {
    std::int64_t epoch;
    std::span<OrganizationId const> organizations;
    std::span<jobs::EntryId const> ids;
    std::span<std::string const> queues;
    std::span<std::string const> jobs;
    std::span<std::string const> errors;

    static constexpr char sql[] = R"sql(UPDATE outbox o
SET relayed_at = now(), epoch = $1, queue = nullif(m.queue, ''), job = nullif(m.job, ''),
    failed_at = CASE WHEN m.error <> '' THEN now() END, error = nullif(m.error, '')
FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[])
    AS m (organization_id, id, queue, job, error)
WHERE o.organization_id = m.organization_id AND o.id = m.id)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::int8,        // epoch
        postgres::oid::uuid_array,  // organizations
        postgres::oid::uuid_array,  // ids
        postgres::oid::text_array,  // queues
        postgres::oid::text_array,  // jobs
        postgres::oid::text_array,  // errors
    };
    static constexpr postgres::Statement statement{"queue.outbox.mark_relayed", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(epoch);
        parameters.add(organizations);
        parameters.add(ids);
        parameters.add(queues);
        parameters.add(jobs);
        parameters.add(errors);
    }
};

// What is owed and was put into another memory than the present one: epochs from … to, each end included.
struct TakeForgotten {
    std::int64_t from;
    std::int64_t to;
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT o.organization_id, o.id, o.topic, o.payload, o.round, o.created_at, o.queue, o.job,
       coalesce(s.tier, 'FREE') AS tier, agreed_concurrency(s.custom_limits) AS cap
FROM outbox o LEFT JOIN subscriptions s ON s.organization_id = o.organization_id
WHERE o.relayed_at IS NOT NULL AND o.queue IS NOT NULL AND o.done_at IS NULL AND o.failed_at IS NULL
  AND o.epoch BETWEEN $1 AND $2
ORDER BY o.epoch, o.created_at, o.id LIMIT $3 FOR UPDATE OF o SKIP LOCKED)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::int8,  // from
        postgres::oid::int8,  // to
        postgres::oid::int8,  // limit
    };
    static constexpr postgres::Statement statement{"queue.outbox.take_forgotten", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    using Row = JobRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(from);
        parameters.add(to);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .organization_id = row.get<OrganizationId>(0),
            .id = row.get<jobs::EntryId>(1),
            .topic = row.get<std::string>(2),
            .payload = row.get<postgres::Json>(3),
            .round = row.get<std::int32_t>(4),
            .created_at = row.get<Timestamp>(5),
            .queue = row.get<std::optional<std::string>>(6),
            .job = row.get<std::optional<std::string>>(7),
            .tier = row.get<std::string>(8),
            .cap = row.get<std::optional<std::int64_t>>(9),
        };
    }
};

// Owed for more than a minute, from one keyset on.
struct OwedPage {
    std::int64_t epoch;
    Timestamp after;
    jobs::EntryId after_id;
    double older_than;
    std::int64_t limit;

    static constexpr char sql[] = R"sql(SELECT o.organization_id, o.id, o.queue, o.round, o.created_at FROM outbox o
WHERE o.relayed_at IS NOT NULL AND o.queue IS NOT NULL AND o.done_at IS NULL AND o.failed_at IS NULL
  AND o.epoch = $1 AND (o.created_at, o.id) > ($2, $3)
  AND o.relayed_at < now() - make_interval(secs => $4)
ORDER BY o.created_at, o.id LIMIT $5)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::int8,         // epoch
        postgres::oid::timestamptz,  // after
        postgres::oid::uuid,         // after_id
        postgres::oid::float8,       // older_than
        postgres::oid::int8,         // limit
    };
    static constexpr postgres::Statement statement{"queue.outbox.owed_page", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    struct Row {
        OrganizationId organization_id;
        jobs::EntryId id;
        std::string queue;
        std::int32_t round;
        Timestamp created_at;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(epoch);
        parameters.add(after);
        parameters.add(after_id);
        parameters.add(older_than);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .organization_id = row.get<OrganizationId>(0),
            .id = row.get<jobs::EntryId>(1),
            .queue = row.get<std::string>(2),
            .round = row.get<std::int32_t>(3),
            .created_at = row.get<Timestamp>(4),
        };
    }
};

// Those of them that are owed still.
struct TakeLost {
    std::span<OrganizationId const> organizations;
    std::span<jobs::EntryId const> ids;

    static constexpr char sql[] =
        R"sql(SELECT o.organization_id, o.id, o.topic, o.payload, o.round, o.created_at, o.queue, o.job,
       coalesce(s.tier, 'FREE') AS tier, agreed_concurrency(s.custom_limits) AS cap
FROM unnest($1::uuid[], $2::uuid[]) AS m (organization_id, id)
JOIN outbox o ON o.organization_id = m.organization_id AND o.id = m.id
LEFT JOIN subscriptions s ON s.organization_id = o.organization_id
WHERE o.relayed_at IS NOT NULL AND o.queue IS NOT NULL AND o.done_at IS NULL AND o.failed_at IS NULL
FOR UPDATE OF o SKIP LOCKED)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid_array,  // organizations
        postgres::oid::uuid_array,  // ids
    };
    static constexpr postgres::Statement statement{"queue.outbox.take_lost", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    using Row = JobRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(organizations);
        parameters.add(ids);
    }
    static Row read(postgres::RowView row) {
        return {
            .organization_id = row.get<OrganizationId>(0),
            .id = row.get<jobs::EntryId>(1),
            .topic = row.get<std::string>(2),
            .payload = row.get<postgres::Json>(3),
            .round = row.get<std::int32_t>(4),
            .created_at = row.get<Timestamp>(5),
            .queue = row.get<std::optional<std::string>>(6),
            .job = row.get<std::optional<std::string>>(7),
            .tier = row.get<std::string>(8),
            .cap = row.get<std::optional<std::int64_t>>(9),
        };
    }
};

struct MarkQueuedAgain {
    std::int64_t epoch;
    std::span<OrganizationId const> organizations;
    std::span<jobs::EntryId const> ids;

    static constexpr char sql[] = R"sql(UPDATE outbox o SET epoch = $1
FROM unnest($2::uuid[], $3::uuid[]) AS m (organization_id, id)
WHERE o.organization_id = m.organization_id AND o.id = m.id)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::int8,        // epoch
        postgres::oid::uuid_array,  // organizations
        postgres::oid::uuid_array,  // ids
    };
    static constexpr postgres::Statement statement{"queue.outbox.mark_queued_again", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(epoch);
        parameters.add(organizations);
        parameters.add(ids);
    }
};

// Finished in the queue by a worker that is not ours and does not know this ledger. An empty error: completed.
struct SettleElsewhere {
    std::span<OrganizationId const> organizations;
    std::span<jobs::EntryId const> ids;
    std::span<std::int32_t const> rounds;
    std::span<std::string const> errors;

    static constexpr char sql[] = R"sql(UPDATE outbox o
SET done_at = CASE WHEN m.error = '' THEN now() END, failed_at = CASE WHEN m.error <> '' THEN now() END,
    error = nullif(m.error, '')
FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[])
    AS m (organization_id, id, round, error)
WHERE o.organization_id = m.organization_id AND o.id = m.id AND o.round = m.round
  AND o.done_at IS NULL AND o.failed_at IS NULL)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid_array,  // organizations
        postgres::oid::uuid_array,  // ids
        postgres::oid::int4_array,  // rounds
        postgres::oid::text_array,  // errors
    };
    static constexpr postgres::Statement statement{"queue.outbox.settle_elsewhere", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(organizations);
        parameters.add(ids);
        parameters.add(rounds);
        parameters.add(errors);
    }
};

// A week after they were given to the queue, those that died three months after; a bounded number at once.
struct SweepSettled {
    std::int64_t limit;

    static constexpr char sql[] = R"sql(DELETE FROM outbox WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM outbox
    WHERE relayed_at < now() - interval '7 days'
      AND (queue IS NULL OR done_at IS NOT NULL OR failed_at < now() - interval '90 days')
      AND relayed_at IS NOT NULL AND (queue IS NULL OR done_at IS NOT NULL OR failed_at IS NOT NULL)
    ORDER BY relayed_at LIMIT $1))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::int8,  // limit
    };
    static constexpr postgres::Statement statement{"queue.outbox.sweep_settled", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const { parameters.add(limit); }
};

}  // namespace buildplan::queue::outbox::queries
