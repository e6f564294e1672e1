-- type: revocations.subject Uuid "core/uuid.hpp"
-- type: user_id UserId "core/id.hpp"
-- type: organization_id OrganizationId
-- type: session_id SessionId

-- name: find_session :one system !user_id !expires_at ?role !organization_deleted !owns_installation
-- Who it is, and what they are in the organization that the token speaks for. Nothing when the session is over.
SELECT s.user_id, s.expires_at, m.role,
       EXISTS (SELECT FROM organizations o WHERE o.id = m.organization_id AND o.deleted_at IS NOT NULL)
           AS organization_deleted,
       EXISTS (SELECT FROM installation_owners i WHERE i.user_id = s.user_id) AS owns_installation
FROM sessions s LEFT JOIN organization_members m ON m.organization_id = $organization_id? AND m.user_id = s.user_id
WHERE s.id = $session_id AND s.revoked_at IS NULL AND s.expires_at > now();

-- name: revocations_since :many system !xmin ?id ?subject
-- One row with nothing but xmin when there is none. xmin: where to go on next time.
SELECT oldest.xmin, r.id, r.subject
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin) oldest
LEFT JOIN revocations r ON r.xact >= $since
ORDER BY r.id LIMIT $limit;

-- name: sweep_revocations :run system
DELETE FROM revocations WHERE created_at < now() - interval '1 hour';

-- name: load_keys :many system
SELECT kid, public_key, sealed_private_key, created_at, active_from, retired_at, expires_at FROM signing_keys
WHERE expires_at IS NULL OR expires_at > now() ORDER BY active_from, kid;

-- name: lock_keys :one system !locked
-- Whoever makes a key makes it alone.
SELECT true AS locked FROM pg_advisory_xact_lock(hashtextextended('signing_keys', 0));

-- name: add_key :run system
INSERT INTO signing_keys (kid, public_key, sealed_private_key, active_from)
VALUES ($kid, $public_key, $sealed_private_key, $active_from);

-- name: retire_other_keys :run system
-- They sign until the new one does, and verify until the last of their tokens is over.
UPDATE signing_keys SET retired_at = $retired_at, expires_at = $expires_at
WHERE kid <> $kid AND (retired_at IS NULL OR retired_at > $retired_at);

-- name: sweep_keys :run system
DELETE FROM signing_keys WHERE expires_at < now();
