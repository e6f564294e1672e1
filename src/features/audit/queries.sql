-- type: audit_log.id AuditEntryId "features/audit/types.hpp"
-- type: audit_log.actor_id AuditActorId
-- type: actor AuditActorId
-- type: organization_id OrganizationId "core/id.hpp"
-- type: organizations.id OrganizationId
-- type: after_id OrganizationId

-- name: record :run
INSERT INTO audit_log (organization_id, action, target_kind, target_id, before, after)
VALUES (current_setting('app.current_organization_id')::uuid, $action, $target_kind, $target_id?, $before?, $after?);

-- name: record_for :run system
INSERT INTO audit_log (organization_id, action, target_kind, target_id, before, after)
VALUES ($organization_id, $action, $target_kind, $target_id?, $before?, $after?);

-- name: list_entries :many AuditRow
-- Times never fall while seq grows, so a stretch of time is a stretch of seq, and that is what the key is asked for.
SELECT id, seq, at, actor_kind, actor_id, actor_name, action, target_kind, target_id, before, after, address, request_id, hash
FROM audit_log
WHERE seq < $before_seq
  AND seq >= coalesce((SELECT audit_first_since($from?)), 1)
  AND seq < coalesce((SELECT audit_first_since($to?)), 9223372036854775807)
  AND ($action?::text IS NULL OR action = $action?)
  AND ($actor?::uuid IS NULL OR actor_id = $actor?)
ORDER BY seq DESC LIMIT $limit;

-- name: list_entries_of_target :many AuditRow
SELECT id, seq, at, actor_kind, actor_id, actor_name, action, target_kind, target_id, before, after, address, request_id, hash
FROM audit_log
WHERE target_id = $target AND seq < $before_seq
  AND seq >= coalesce((SELECT audit_first_since($from?)), 1)
  AND seq < coalesce((SELECT audit_first_since($to?)), 9223372036854775807)
  AND ($action?::text IS NULL OR action = $action?)
  AND ($actor?::uuid IS NULL OR actor_id = $actor?)
ORDER BY seq DESC LIMIT $limit;

-- name: export_entries :many AuditRow
-- The log as it was when the export began, oldest first.
SELECT id, seq, at, actor_kind, actor_id, actor_name, action, target_kind, target_id, before, after, address, request_id, hash
FROM audit_log
WHERE seq > $after_seq AND seq <= $last_seq
  AND seq >= coalesce((SELECT audit_first_since($from?)), 1)
  AND seq < coalesce((SELECT audit_first_since($to?)), 9223372036854775807)
  AND ($action?::text IS NULL OR action = $action?)
  AND ($actor?::uuid IS NULL OR actor_id = $actor?)
  AND ($target?::text IS NULL OR target_id = $target?)
ORDER BY seq LIMIT $limit;

-- name: last_seq :one !seq
SELECT coalesce((SELECT h.seq FROM audit_heads h), 0) AS seq;

-- name: chain :many ChainRow ?before ?after
-- As it was hashed: jsonb as its text.
SELECT organization_id, id, seq, at, actor_kind, actor_id, actor_name, action, target_kind, target_id,
       before::text AS before, after::text AS after, address, request_id, previous_hash, hash
FROM audit_log WHERE seq > $after_seq ORDER BY seq LIMIT $limit;

-- name: chain_head :one
SELECT seq, previous_hash, hash FROM audit_heads;

-- name: organizations :many OrganizationRow system
SELECT id, slug FROM organizations WHERE id > $after_id ORDER BY id LIMIT $limit;

-- name: find_organization :one OrganizationRow system
-- A slug may look like anybody's id, so an id goes first.
SELECT id, slug FROM organizations WHERE id::text = $name OR slug = $name ORDER BY id::text = $name DESC LIMIT 1;
