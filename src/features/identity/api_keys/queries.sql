-- type: organization_id OrganizationId "core/id.hpp"
-- type: user_id UserId
-- type: created_by UserId
-- type: key_id ApiKeyId
-- type: api_keys.id ApiKeyId
-- type: before_id ApiKeyId
-- type: id ApiKeyId

-- name: find_key :one system !organization_id !id !scopes ?role ?user_id ?expires_at ?revoked_at ?last_used_at !organization_deleted !installation
-- Whose it is, and what a person's key can be worth: their role now.
SELECT k.organization_id, k.id, k.user_id, k.scopes, k.expires_at, k.revoked_at, k.last_used_at, m.role,
       EXISTS (SELECT FROM organizations o WHERE o.id = k.organization_id AND o.deleted_at IS NOT NULL)
           AS organization_deleted,
       k.installation
FROM api_keys k LEFT JOIN organization_members m ON m.organization_id = k.organization_id AND m.user_id = k.user_id
WHERE k.hash = $hash;

-- name: touch_key :run system
-- At most once a minute, whoever asks.
UPDATE api_keys SET last_used_at = now()
WHERE organization_id = $organization_id AND id = $key_id
  AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute');

-- name: create_key :one KeyRow !id !kind !name !prefix !scopes !version !created_at ?user_id ?created_by ?expires_at ?last_used_at ?revoked_at
-- Nothing when the person, or the organization for its services, has as many as there may be.
WITH made AS (
    INSERT INTO api_keys (organization_id, id, kind, user_id, name, prefix, hash, scopes, expires_at, created_by)
    SELECT current_setting('app.current_organization_id')::uuid, $key_id, $kind, $user_id?, $name, $prefix, $hash,
           $scopes, $expires_at?, $created_by?
    WHERE $most > (SELECT count(*) FROM api_keys
                   WHERE user_id IS NOT DISTINCT FROM $user_id? AND revoked_at IS NULL
                     AND (expires_at IS NULL OR expires_at > now()))
    RETURNING *
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT organization_id, 'api_key.created', jsonb_build_object('apiKeyId', id, 'kind', kind, 'name', name) FROM made
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
    SELECT organization_id, 'api_key.created', 'api_key', id::text,
           jsonb_build_object('name', name, 'kind', kind, 'prefix', prefix, 'userId', user_id, 'scopes', scopes,
                              'expiresAt', api_time(expires_at))
    FROM made
)
SELECT id, kind, user_id, name, prefix, scopes, expires_at, last_used_at, revoked_at, created_by, version, created_at
FROM made;

-- name: list_keys :many KeyRow
-- Newest first; without `all` those of the person only.
SELECT id, kind, user_id, name, prefix, scopes, expires_at, last_used_at, revoked_at, created_by, version, created_at
FROM api_keys
WHERE (created_at, id) < ($before, $before_id) AND ($all OR user_id = $user_id?) AND (revoked_at IS NOT NULL) = $revoked
ORDER BY created_at DESC, id DESC LIMIT $limit;

-- name: get_key :one KeyRow
SELECT id, kind, user_id, name, prefix, scopes, expires_at, last_used_at, revoked_at, created_by, version, created_at
FROM api_keys WHERE id = $key_id AND ($all OR user_id = $user_id?);

-- name: revoke_key :one !revoked !id
-- `revoked` false: there is such a key, and it was revoked before or is not in one of the versions that may be changed.
WITH revoked AS (
    UPDATE api_keys SET revoked_at = now(), version = version + 1
    WHERE id = $key_id AND ($all OR user_id = $user_id?) AND revoked_at IS NULL
      AND ($any_version OR version = ANY ($versions::bigint[]))
    RETURNING organization_id, id, kind, name, user_id
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT organization_id, 'api_key.revoked', jsonb_build_object('apiKeyId', id, 'kind', kind, 'name', name)
    FROM revoked
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, before)
    SELECT organization_id, 'api_key.revoked', 'api_key', id::text,
           jsonb_build_object('name', name, 'kind', kind, 'userId', user_id)
    FROM revoked
)
SELECT true AS revoked, id, NULL::timestamptz AS revoked_at FROM revoked
UNION ALL
SELECT false, id, revoked_at FROM api_keys
WHERE id = $key_id AND ($all OR user_id = $user_id?) AND NOT EXISTS (SELECT FROM revoked);
