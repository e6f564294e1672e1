-- type: organizations.id OrganizationId "core/id.hpp"
-- type: key_id ApiKeyId "features/identity/types.hpp"

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
