-- type: organizations.id OrganizationId "core/id.hpp"
-- type: key_id ApiKeyId "features/identity/types.hpp"

-- type: users.id UserId

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
