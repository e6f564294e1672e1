-- type: organization_id OrganizationId "core/id.hpp"
-- type: user_id UserId
-- type: organizations.id OrganizationId
-- type: api_keys.id ApiKeyId "features/identity/types.hpp"
-- type: key_id ApiKeyId

-- name: find_key :one system
SELECT organization_id, id, user_id, scopes, expires_at, revoked_at, last_used_at FROM api_keys WHERE hash = $hash;

-- name: touch_key :run system
-- At most once a minute, whoever asks.
UPDATE api_keys SET last_used_at = now()
WHERE organization_id = $organization_id AND id = $key_id
  AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute');

-- name: create_service_key :run
INSERT INTO api_keys (organization_id, id, kind, name, prefix, hash, scopes, expires_at)
VALUES (current_setting('app.current_organization_id')::uuid, $key_id, 'service', $name, $prefix, $hash, $scopes, $expires_at?);

-- name: any_organization :one system !found
SELECT EXISTS (SELECT FROM organizations) AS found;

-- name: create_organization :one system
-- Nothing when the slug is taken.
INSERT INTO organizations (name, slug) VALUES ($name, $slug) ON CONFLICT (slug) DO NOTHING RETURNING id;

-- name: find_organization :one system
SELECT id FROM organizations WHERE slug = $slug;
