-- type: organizations.id OrganizationId "core/id.hpp"
-- type: key_id ApiKeyId "features/identity/types.hpp"

-- type: users.id UserId

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

-- name: mark_installation_key :run system
-- The key of whoever runs the installation; no request can do so.
UPDATE api_keys SET installation = true WHERE hash = $hash AND NOT installation;

-- name: add_installation_owner :one system !user_id !added
-- Nothing where nobody has that address.
WITH person AS (
    SELECT id FROM users WHERE email_lc = lower($email)
), added AS (
    INSERT INTO installation_owners (user_id) SELECT id FROM person ON CONFLICT (user_id) DO NOTHING RETURNING user_id
)
SELECT id AS user_id, EXISTS (SELECT FROM added) AS added FROM person;

-- name: remove_installation_owner :run system
DELETE FROM installation_owners WHERE user_id IN (SELECT id FROM users WHERE email_lc = lower($email));

-- name: list_installation_owners :many system !user_id !email !name !created_at
SELECT u.id AS user_id, u.email, u.name, o.created_at FROM installation_owners o JOIN users u ON u.id = o.user_id
ORDER BY o.created_at, u.id;
