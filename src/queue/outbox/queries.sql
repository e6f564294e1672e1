-- The relay's side of the outbox; see relay.hpp. What the states of a row are is said in migrations/0010. Who asks here
-- asks for all organizations.
-- type: organization_id OrganizationId "core/id.hpp"
-- type: organizations OrganizationId
-- type: outbox.id jobs::EntryId "queue/jobs/entry.hpp"
-- type: ids jobs::EntryId
-- type: after_id jobs::EntryId

-- name: take_waiting :many system JobRow !organization_id !id !topic !payload !round !created_at !tier ?queue ?job ?cap
-- Oldest first, those that another relay has in its hands left out.
SELECT o.organization_id, o.id, o.topic, o.payload, o.round, o.created_at, o.queue, o.job,
       coalesce(s.tier, 'FREE') AS tier, agreed_concurrency(s.custom_limits) AS cap
FROM outbox o LEFT JOIN subscriptions s ON s.organization_id = o.organization_id
WHERE o.relayed_at IS NULL AND NOT (o.topic ^@ 'mail.')
ORDER BY o.created_at, o.id LIMIT $limit FOR UPDATE OF o SKIP LOCKED;

-- name: mark_relayed :run system
-- An empty queue: an event that nobody waits for. An error: it cannot be a job, and is dead.
UPDATE outbox o
SET relayed_at = now(), epoch = $epoch, queue = nullif(m.queue, ''), job = nullif(m.job, ''),
    failed_at = CASE WHEN m.error <> '' THEN now() END, error = nullif(m.error, '')
FROM unnest($organizations::uuid[], $ids::uuid[], $queues::text[], $jobs::text[], $errors::text[])
    AS m (organization_id, id, queue, job, error)
WHERE o.organization_id = m.organization_id AND o.id = m.id;

-- name: take_forgotten :many system JobRow !organization_id !id !topic !payload !round !created_at !tier ?queue ?job ?cap
-- What is owed and was put into another memory than the present one: epochs from … to, each end included.
SELECT o.organization_id, o.id, o.topic, o.payload, o.round, o.created_at, o.queue, o.job,
       coalesce(s.tier, 'FREE') AS tier, agreed_concurrency(s.custom_limits) AS cap
FROM outbox o LEFT JOIN subscriptions s ON s.organization_id = o.organization_id
WHERE o.relayed_at IS NOT NULL AND o.queue IS NOT NULL AND o.done_at IS NULL AND o.failed_at IS NULL
  AND o.epoch BETWEEN $from AND $to
ORDER BY o.epoch, o.created_at, o.id LIMIT $limit FOR UPDATE OF o SKIP LOCKED;

-- name: owed_page :many system !queue
-- Owed for more than a minute, from one keyset on.
SELECT o.organization_id, o.id, o.queue, o.round, o.created_at FROM outbox o
WHERE o.relayed_at IS NOT NULL AND o.queue IS NOT NULL AND o.done_at IS NULL AND o.failed_at IS NULL
  AND o.epoch = $epoch AND (o.created_at, o.id) > ($after, $after_id)
  AND o.relayed_at < now() - make_interval(secs => $older_than)
ORDER BY o.created_at, o.id LIMIT $limit;

-- name: take_lost :many system JobRow !organization_id !id !topic !payload !round !created_at !tier ?queue ?job ?cap
-- Those of them that are owed still.
SELECT o.organization_id, o.id, o.topic, o.payload, o.round, o.created_at, o.queue, o.job,
       coalesce(s.tier, 'FREE') AS tier, agreed_concurrency(s.custom_limits) AS cap
FROM unnest($organizations::uuid[], $ids::uuid[]) AS m (organization_id, id)
JOIN outbox o ON o.organization_id = m.organization_id AND o.id = m.id
LEFT JOIN subscriptions s ON s.organization_id = o.organization_id
WHERE o.relayed_at IS NOT NULL AND o.queue IS NOT NULL AND o.done_at IS NULL AND o.failed_at IS NULL
FOR UPDATE OF o SKIP LOCKED;

-- name: mark_queued_again :run system
UPDATE outbox o SET epoch = $epoch
FROM unnest($organizations::uuid[], $ids::uuid[]) AS m (organization_id, id)
WHERE o.organization_id = m.organization_id AND o.id = m.id;

-- name: settle_elsewhere :run system
-- Finished in the queue by a worker that is not ours and does not know this ledger. An empty error: completed.
UPDATE outbox o
SET done_at = CASE WHEN m.error = '' THEN now() END, failed_at = CASE WHEN m.error <> '' THEN now() END,
    error = nullif(m.error, '')
FROM unnest($organizations::uuid[], $ids::uuid[], $rounds::integer[], $errors::text[])
    AS m (organization_id, id, round, error)
WHERE o.organization_id = m.organization_id AND o.id = m.id AND o.round = m.round
  AND o.done_at IS NULL AND o.failed_at IS NULL;

-- name: sweep_settled :run system
-- A week after they were given to the queue, those that died three months after; a bounded number at once.
DELETE FROM outbox WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM outbox
    WHERE relayed_at < now() - interval '7 days'
      AND (queue IS NULL OR done_at IS NOT NULL OR failed_at < now() - interval '90 days')
      AND relayed_at IS NOT NULL AND (queue IS NULL OR done_at IS NOT NULL OR failed_at IS NOT NULL)
    ORDER BY relayed_at LIMIT $limit);
