// Made by script/gen from queries.sql beside it. Change that, not this.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/id.hpp"
#include "core/time.hpp"
#include "core/uuid.hpp"
#include "features/billing/types.hpp"
#include "postgres/statement.hpp"

namespace buildplan::billing::queries {

struct OrganizationSettings {
    static constexpr char sql[] = R"sql(SELECT o.settings, o.features, s.tier, s.status, s.custom_limits
FROM organizations o LEFT JOIN subscriptions s ON s.organization_id = o.id)sql";
    static constexpr postgres::Statement statement{"billing.organization_settings", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::one;
    struct Row {
        postgres::Json settings;
        postgres::Json features;
        std::optional<std::string> tier;
        std::optional<std::string> status;
        std::optional<postgres::Json> custom_limits;
    };
    void bind(postgres::Parameters&) const {}
    static Row read(postgres::RowView row) {
        return {
            .settings = row.get<postgres::Json>(0),
            .features = row.get<postgres::Json>(1),
            .tier = row.get<std::optional<std::string>>(2),
            .status = row.get<std::optional<std::string>>(3),
            .custom_limits = row.get<std::optional<postgres::Json>>(4),
        };
    }
};

// Without Stripe nobody moves the period on: it is the calendar month.
struct GetSubscription {
    static constexpr char sql[] = R"sql(SELECT id, tier, status, custom_limits, version,
       usage_period(current_period_start, current_period_end, now()) AS period_start,
       CASE WHEN now() < current_period_end THEN current_period_end
            ELSE (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC'
       END AS period_end
FROM subscriptions)sql";
    static constexpr postgres::Statement statement{"billing.get_subscription", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::one;
    struct Row {
        SubscriptionId id;
        std::string tier;
        std::string status;
        std::optional<postgres::Json> custom_limits;
        std::int32_t version;
        Timestamp period_start;
        Timestamp period_end;
    };
    void bind(postgres::Parameters&) const {}
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<SubscriptionId>(0),
            .tier = row.get<std::string>(1),
            .status = row.get<std::string>(2),
            .custom_limits = row.get<std::optional<postgres::Json>>(3),
            .version = row.get<std::int32_t>(4),
            .period_start = row.get<Timestamp>(5),
            .period_end = row.get<Timestamp>(6),
        };
    }
};

struct ListUsage {
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT period, requests_created, agent_minutes, storage_gb, api_calls, github_operations FROM usage
ORDER BY period DESC LIMIT $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::int8,  // limit
    };
    static constexpr postgres::Statement statement{"billing.list_usage", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    struct Row {
        Timestamp period;
        std::int64_t requests_created;
        std::int64_t agent_minutes;
        double storage_gb;
        std::int64_t api_calls;
        std::int64_t github_operations;
    };
    void bind(postgres::Parameters& parameters) const { parameters.add(limit); }
    static Row read(postgres::RowView row) {
        return {
            .period = row.get<Timestamp>(0),
            .requests_created = row.get<std::int64_t>(1),
            .agent_minutes = row.get<std::int64_t>(2),
            .storage_gb = row.get<double>(3),
            .api_calls = row.get<std::int64_t>(4),
            .github_operations = row.get<std::int64_t>(5),
        };
    }
};

struct CurrentPeriod {
    static constexpr char sql[] =
        R"sql(SELECT coalesce(usage_period(s.current_period_start, s.current_period_end, now()),
                date_trunc('month', now(), 'UTC')) AS period
FROM organizations o LEFT JOIN subscriptions s ON s.organization_id = o.id)sql";
    static constexpr postgres::Statement statement{"billing.current_period", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::one;
    struct Row {
        Timestamp period;
    };
    void bind(postgres::Parameters&) const {}
    static Row read(postgres::RowView row) {
        return {
            .period = row.get<Timestamp>(0),
        };
    }
};

struct AddUsage {
    std::int64_t requests_created;
    std::int64_t agent_minutes;
    double storage_gb;
    std::int64_t github_operations;

    static constexpr char sql[] =
        R"sql(INSERT INTO usage AS u (organization_id, period, requests_created, agent_minutes, storage_gb, github_operations)
SELECT o.id, usage_period(s.current_period_start, s.current_period_end, now()),
       $1, $2, $3, $4
FROM organizations o LEFT JOIN subscriptions s ON s.organization_id = o.id
ON CONFLICT (organization_id, period) DO UPDATE SET
    requests_created = u.requests_created + excluded.requests_created,
    agent_minutes = u.agent_minutes + excluded.agent_minutes,
    storage_gb = u.storage_gb + excluded.storage_gb,
    github_operations = u.github_operations + excluded.github_operations,
    updated_at = now())sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::int8,    // requests_created
        postgres::oid::int8,    // agent_minutes
        postgres::oid::float8,  // storage_gb
        postgres::oid::int8,    // github_operations
    };
    static constexpr postgres::Statement statement{"billing.add_usage", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(requests_created);
        parameters.add(agent_minutes);
        parameters.add(storage_gb);
        parameters.add(github_operations);
    }
};

// Once for each number of a meter, however often it is sent. In the order of organizations, so that two shards that
// fold at the same time wait for each other instead of blocking each other; organizations that are gone are left out.
struct FoldUsage {
    Uuid meter_id;
    std::int64_t fold;
    std::span<OrganizationId const> organizations;
    std::span<Timestamp const> moments;
    std::span<std::int64_t const> calls;

    static constexpr char sql[] = R"sql(WITH fold AS (
    INSERT INTO usage_meters AS m (id, folds) VALUES ($1, $2)
    ON CONFLICT (id) DO UPDATE SET folds = excluded.folds, updated_at = now() WHERE m.folds < excluded.folds
    RETURNING m.id
), counted AS (
    SELECT o.id AS organization_id, usage_period(s.current_period_start, s.current_period_end, c.moment) AS period,
           sum(c.calls)::bigint AS calls
    FROM fold, unnest($3::uuid[], $4::timestamptz[], $5::bigint[]) AS c (organization_id, moment, calls)
    JOIN organizations o ON o.id = c.organization_id LEFT JOIN subscriptions s ON s.organization_id = o.id
    GROUP BY 1, 2
), added AS (
    INSERT INTO usage AS u (organization_id, period, api_calls)
    SELECT organization_id, period, calls FROM counted ORDER BY organization_id, period
    ON CONFLICT (organization_id, period) DO UPDATE SET api_calls = u.api_calls + excluded.api_calls, updated_at = now()
    RETURNING u.id
)
SELECT count(*) AS folded FROM added)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,               // meter_id
        postgres::oid::int8,               // fold
        postgres::oid::uuid_array,         // organizations
        postgres::oid::timestamptz_array,  // moments
        postgres::oid::int8_array,         // calls
    };
    static constexpr postgres::Statement statement{"billing.fold_usage", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        std::int64_t folded;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(meter_id);
        parameters.add(fold);
        parameters.add(organizations);
        parameters.add(moments);
        parameters.add(calls);
    }
    static Row read(postgres::RowView row) {
        return {
            .folded = row.get<std::int64_t>(0),
        };
    }
};

// So long after its last fold no counter sends one again.
struct SweepMeters {
    static constexpr char sql[] = R"sql(DELETE FROM usage_meters WHERE updated_at < now() - interval '7 days')sql";
    static constexpr postgres::Statement statement{"billing.sweep_meters", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters&) const {}
};

struct ChangeSubscription {
    OrganizationId organization_id;
    std::optional<std::string_view> tier{};
    std::optional<std::string_view> status{};
    bool sets_custom_limits;
    std::optional<postgres::JsonView> custom_limits{};

    static constexpr char sql[] = R"sql(WITH was AS (
    SELECT organization_id, id, tier, status, custom_limits FROM subscriptions WHERE organization_id = $1
    FOR NO KEY UPDATE
), changed AS (
    UPDATE subscriptions s
    SET tier = coalesce($2, s.tier), status = coalesce($3, s.status),
        custom_limits = CASE WHEN $4 THEN $5 ELSE s.custom_limits END,
        version = s.version + 1, updated_at = now()
    FROM was WHERE s.organization_id = was.organization_id
    RETURNING s.organization_id, s.id, s.tier, s.status, s.custom_limits, s.version
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT organization_id, 'subscription.changed', jsonb_build_object('tier', tier, 'status', status) FROM changed
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, before, after)
    SELECT c.organization_id, 'subscription.changed', 'subscription', c.id::text,
           jsonb_build_object('tier', was.tier, 'status', was.status, 'customLimits', was.custom_limits),
           jsonb_build_object('tier', c.tier, 'status', c.status, 'customLimits', c.custom_limits)
    FROM changed c JOIN was ON was.organization_id = c.organization_id
)
SELECT version FROM changed)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,     // organization_id
        postgres::oid::text,     // tier
        postgres::oid::text,     // status
        postgres::oid::boolean,  // sets_custom_limits
        postgres::oid::jsonb,    // custom_limits
    };
    static constexpr postgres::Statement statement{"billing.change_subscription", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        std::int32_t version;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(organization_id);
        parameters.add(tier);
        parameters.add(status);
        parameters.add(sets_custom_limits);
        parameters.add(custom_limits);
    }
    static Row read(postgres::RowView row) {
        return {
            .version = row.get<std::int32_t>(0),
        };
    }
};

}  // namespace buildplan::billing::queries
