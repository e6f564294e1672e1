-- type: id EntryId "queue/jobs/entry.hpp"
-- type: organizations.id OrganizationId "core/id.hpp"
-- type: after OrganizationId
-- A job's own row in the ledger, as its organization; see ledger.hpp.

-- name: standing :one !settled
SELECT round, done_at IS NOT NULL OR failed_at IS NOT NULL AS settled FROM outbox WHERE id = $id;

-- name: mark_done :run
-- No row: it was done, or has been given up.
UPDATE outbox SET done_at = now() WHERE id = $id AND round = $round AND done_at IS NULL AND failed_at IS NULL;

-- name: mark_dead :run
UPDATE outbox SET failed_at = now(), error = $error, attempts = $attempts
WHERE id = $id AND round = $round AND done_at IS NULL AND failed_at IS NULL;

-- name: organizations_after :many system !organization_id !tier ?cap
-- By id, with what they pay for.
SELECT o.id AS organization_id, coalesce(s.tier, 'FREE') AS tier, agreed_concurrency(s.custom_limits) AS cap
FROM organizations o LEFT JOIN subscriptions s ON s.organization_id = o.id
WHERE o.id > $after ORDER BY o.id LIMIT $limit;

-- name: paused_queues :many system
SELECT queue FROM queue_pauses;
