-- type: organization_id OrganizationId "core/id.hpp"
-- type: organizations OrganizationId
-- type: subscriptions.id SubscriptionId "features/billing/types.hpp"
-- type: meter_id Uuid "core/uuid.hpp"

-- name: organization_settings :one !settings !features ?tier ?status ?custom_limits
SELECT o.settings, o.features, s.tier, s.status, s.custom_limits
FROM organizations o LEFT JOIN subscriptions s ON s.organization_id = o.id;

-- name: get_subscription :one !period_start !period_end
-- Without Stripe nobody moves the period on: it is the calendar month.
SELECT id, tier, status, custom_limits, version,
       usage_period(current_period_start, current_period_end, now()) AS period_start,
       CASE WHEN now() < current_period_end THEN current_period_end
            ELSE (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC'
       END AS period_end
FROM subscriptions;

-- name: list_usage :many
SELECT period, requests_created, agent_minutes, storage_gb, api_calls, github_operations FROM usage
ORDER BY period DESC LIMIT $limit;

-- name: current_period :one !period
SELECT coalesce(usage_period(s.current_period_start, s.current_period_end, now()),
                date_trunc('month', now(), 'UTC')) AS period
FROM organizations o LEFT JOIN subscriptions s ON s.organization_id = o.id;

-- name: add_usage :run
INSERT INTO usage AS u (organization_id, period, requests_created, agent_minutes, storage_gb, github_operations)
SELECT o.id, usage_period(s.current_period_start, s.current_period_end, now()),
       $requests_created, $agent_minutes, $storage_gb, $github_operations
FROM organizations o LEFT JOIN subscriptions s ON s.organization_id = o.id
ON CONFLICT (organization_id, period) DO UPDATE SET
    requests_created = u.requests_created + excluded.requests_created,
    agent_minutes = u.agent_minutes + excluded.agent_minutes,
    storage_gb = u.storage_gb + excluded.storage_gb,
    github_operations = u.github_operations + excluded.github_operations,
    updated_at = now();

-- name: fold_usage :one system !folded
-- Once for each number of a meter, however often it is sent. In the order of organizations, so that two shards that
-- fold at the same time wait for each other instead of blocking each other; organizations that are gone are left out.
WITH fold AS (
    INSERT INTO usage_meters AS m (id, folds) VALUES ($meter_id, $fold)
    ON CONFLICT (id) DO UPDATE SET folds = excluded.folds, updated_at = now() WHERE m.folds < excluded.folds
    RETURNING m.id
), counted AS (
    SELECT o.id AS organization_id, usage_period(s.current_period_start, s.current_period_end, c.moment) AS period,
           sum(c.calls)::bigint AS calls
    FROM fold, unnest($organizations::uuid[], $moments::timestamptz[], $calls::bigint[]) AS c (organization_id, moment, calls)
    JOIN organizations o ON o.id = c.organization_id LEFT JOIN subscriptions s ON s.organization_id = o.id
    GROUP BY 1, 2
), added AS (
    INSERT INTO usage AS u (organization_id, period, api_calls)
    SELECT organization_id, period, calls FROM counted ORDER BY organization_id, period
    ON CONFLICT (organization_id, period) DO UPDATE SET api_calls = u.api_calls + excluded.api_calls, updated_at = now()
    RETURNING u.id
)
SELECT count(*) AS folded FROM added;

-- name: sweep_meters :run system
-- So long after its last fold no counter sends one again.
DELETE FROM usage_meters WHERE updated_at < now() - interval '7 days';

-- name: change_subscription :one system
WITH was AS (
    SELECT organization_id, id, tier, status, custom_limits FROM subscriptions WHERE organization_id = $organization_id
    FOR NO KEY UPDATE
), changed AS (
    UPDATE subscriptions s
    SET tier = coalesce($tier?, s.tier), status = coalesce($status?, s.status),
        custom_limits = CASE WHEN $sets_custom_limits THEN $custom_limits? ELSE s.custom_limits END,
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
SELECT version FROM changed;
