-- What operators see and do of the queues of all organizations; see service.hpp. What the states of a row are is said in
-- migrations/0010.
-- type: organization_id OrganizationId "core/id.hpp"
-- type: outbox.id queue::jobs::EntryId "queue/jobs/entry.hpp"
-- type: id queue::jobs::EntryId
-- type: before_id queue::jobs::EntryId
-- type: after_id queue::jobs::EntryId
-- type: ids queue::jobs::EntryId
-- type: organizations OrganizationId

-- name: owed_by_organization :many system !organization_id !queue !tier !owed !oldest
-- A queue of an organization that is owed nothing does not come up.
SELECT o.organization_id, o.queue, coalesce(s.tier, 'FREE') AS tier, count(*) AS owed, min(o.created_at) AS oldest
FROM outbox o LEFT JOIN subscriptions s ON s.organization_id = o.organization_id
WHERE o.relayed_at IS NOT NULL AND o.queue IS NOT NULL AND o.done_at IS NULL AND o.failed_at IS NULL
GROUP BY 1, 2, 3 LIMIT $limit;

-- name: dead_by_queue :many system !queue !tier !dead
SELECT coalesce(o.queue, '') AS queue, coalesce(s.tier, 'FREE') AS tier, count(*) AS dead
FROM outbox o LEFT JOIN subscriptions s ON s.organization_id = o.organization_id
WHERE o.failed_at IS NOT NULL GROUP BY 1, 2;

-- name: waiting_events :one system !waiting ?oldest
-- Not yet given to a queue. More than a hundred thousand are as bad as a hundred thousand.
SELECT count(*) AS waiting, min(w.created_at) AS oldest
FROM (SELECT created_at FROM outbox WHERE relayed_at IS NULL AND NOT (topic ^@ 'mail.') ORDER BY created_at, id
      LIMIT 100000) AS w;

-- name: list_dead :many system DeadRow !organization_id !id !topic !payload !created_at !failed_at ?queue ?job ?error ?attempts !round
SELECT organization_id, id, topic, payload, created_at, failed_at, queue, job, error, attempts, round FROM outbox
WHERE failed_at IS NOT NULL AND queue = $queue AND (failed_at, id) < ($before, $before_id)
ORDER BY failed_at DESC, id DESC LIMIT $limit;

-- name: find_dead :one system DeadRow !organization_id !id !topic !payload !created_at !failed_at ?queue ?job ?error ?attempts !round
SELECT organization_id, id, topic, payload, created_at, failed_at, queue, job, error, attempts, round FROM outbox
WHERE id = $id AND queue = $queue AND failed_at IS NOT NULL ORDER BY failed_at LIMIT 1;

-- name: retry_dead :one system !organization_id !id
-- Another round: the relay gives it to the queue like a new one.
WITH again AS (
    UPDATE outbox SET failed_at = NULL, error = NULL, attempts = NULL, relayed_at = NULL, epoch = NULL, round = round + 1
    WHERE organization_id = $organization_id AND id = $id AND failed_at IS NOT NULL
    RETURNING organization_id, id, queue, job, topic, round
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
    SELECT again.organization_id, 'job.retried', 'job', again.id::text,
           jsonb_build_object('queue', queue, 'job', job, 'topic', topic, 'round', round)
    FROM again JOIN organizations g ON g.id = again.organization_id
)
SELECT organization_id, id FROM again;

-- name: retry_all_dead :run system
-- Those of one queue that died before; a bounded number.
UPDATE outbox SET failed_at = NULL, error = NULL, attempts = NULL, relayed_at = NULL, epoch = NULL, round = round + 1
WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM outbox WHERE failed_at IS NOT NULL AND queue = $queue AND failed_at <= $before
    ORDER BY failed_at LIMIT $limit);

-- name: organizations_owed :many system
-- By id, from one on.
SELECT DISTINCT organization_id FROM outbox
WHERE relayed_at IS NOT NULL AND queue = $queue AND queue IS NOT NULL AND done_at IS NULL AND failed_at IS NULL
ORDER BY organization_id LIMIT $limit;

-- name: owed_of_queue :many system
SELECT organization_id, id, round, created_at FROM outbox
WHERE relayed_at IS NOT NULL AND queue = $queue AND queue IS NOT NULL AND done_at IS NULL AND failed_at IS NULL
  AND (created_at, id) > ($after, $after_id)
ORDER BY created_at, id LIMIT $limit;

-- name: give_up :run system
UPDATE outbox o SET failed_at = now(), error = $error, attempts = 0
FROM unnest($organizations::uuid[], $ids::uuid[]) AS m (organization_id, id)
WHERE o.organization_id = m.organization_id AND o.id = m.id AND o.done_at IS NULL AND o.failed_at IS NULL;

-- name: pause_queue :run system
INSERT INTO queue_pauses (queue) VALUES ($queue) ON CONFLICT (queue) DO NOTHING;

-- name: resume_queue :run system
DELETE FROM queue_pauses WHERE queue = $queue;

-- name: list_pauses :many system
SELECT queue, paused_at FROM queue_pauses ORDER BY queue;
