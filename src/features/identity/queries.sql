-- type: organizations.id OrganizationId "core/id.hpp"
-- type: key_id ApiKeyId "features/identity/types.hpp"

-- name: create_service_key :run
WITH made AS (
    INSERT INTO api_keys (organization_id, id, kind, name, prefix, hash, scopes, expires_at)
    VALUES (current_setting('app.current_organization_id')::uuid, $key_id, 'service', $name, $prefix, $hash, $scopes,
            $expires_at?)
    RETURNING organization_id, id, name, kind, prefix, scopes, expires_at
)
INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
SELECT organization_id, 'api_key.created', 'api_key', id::text,
       jsonb_build_object('name', name, 'kind', kind, 'prefix', prefix, 'scopes', scopes,
                          'expiresAt', api_time(expires_at))
FROM made;

-- name: any_organization :one system !found
SELECT EXISTS (SELECT FROM organizations) AS found;

-- name: create_organization :one system
-- The first of an installation, on the highest tier: whoever runs it is held to no plan. Nothing when the slug is taken.
WITH made AS (
    INSERT INTO organizations (name, slug) VALUES ($name, $slug) ON CONFLICT (slug) DO NOTHING RETURNING id, name, slug
), subscription AS (
    INSERT INTO subscriptions (organization_id, tier) SELECT id, 'ENTERPRISE' FROM made
), counts AS (
    INSERT INTO usage (organization_id, period) SELECT id, date_trunc('month', now(), 'UTC') FROM made
), record AS (
    INSERT INTO audit_log (organization_id, actor_kind, action, target_kind, target_id, after)
    SELECT id, 'system', 'organization.created', 'organization', id::text, jsonb_build_object('name', name, 'slug', slug)
    FROM made
)
SELECT id FROM made;

-- name: find_organization :one system
SELECT id FROM organizations WHERE slug = $slug;
