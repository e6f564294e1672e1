-- type: id OrganizationId "core/id.hpp"
-- type: after_id OrganizationId
-- type: user_id UserId

-- name: create_organization :one CreatedRow system !id !name !slug !version !created_at !updated_at
-- With all that belongs to one. Nothing when the slug is taken.
WITH made AS (
    INSERT INTO organizations (id, name, slug) VALUES ($id, $name, $slug)
    ON CONFLICT (slug) DO NOTHING RETURNING id, name, slug, version, created_at, updated_at
), owner AS (
    INSERT INTO organization_members (organization_id, user_id, role) SELECT id, $user_id, 'OWNER' FROM made
), subscription AS (
    INSERT INTO subscriptions (organization_id) SELECT id FROM made
), counts AS (
    INSERT INTO usage (organization_id, period) SELECT id, date_trunc('month', now(), 'UTC') FROM made
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT id, 'organization.created', jsonb_build_object('organizationId', id, 'name', name, 'userId', $user_id::uuid)
    FROM made
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
    SELECT id, 'organization.created', 'organization', id::text,
           jsonb_build_object('name', name, 'slug', slug, 'owner', $user_id::uuid) FROM made
)
SELECT id, name, slug, version, created_at, updated_at FROM made;

-- name: find_made :one CreatedRow system
-- What the same call has made before, when its answer was lost.
SELECT o.id, o.name, o.slug, o.version, o.created_at, o.updated_at FROM organizations o
WHERE o.id = $id AND EXISTS (SELECT FROM organization_members m
                             WHERE m.organization_id = o.id AND m.user_id = $user_id AND m.role = 'OWNER');

-- name: count_owned :one system !count
SELECT count(*) AS count FROM organization_members WHERE user_id = $user_id AND role = 'OWNER';

-- name: list_mine :many MineRow system !id !name !slug !created_at ?role ?deleted_at ?delete_after
SELECT o.id, o.name, o.slug, m.role, o.deleted_at, o.delete_after, o.created_at
FROM organization_members m JOIN organizations o ON o.id = m.organization_id
WHERE m.user_id = $user_id AND (o.name, o.id) > ($after, $after_id)
ORDER BY o.name, o.id LIMIT $limit;

-- name: get_organization :one OrganizationRow
SELECT id, name, slug, settings, features, limits, deleted_at, delete_after, version, created_at, updated_at
FROM organizations WHERE id = $id;

-- name: lock_organization :one OrganizationRow
SELECT id, name, slug, settings, features, limits, deleted_at, delete_after, version, created_at, updated_at
FROM organizations WHERE id = $id FOR NO KEY UPDATE;

-- name: change_organization :one OrganizationRow !id !name !slug !settings !features !limits !version !created_at !updated_at ?deleted_at ?delete_after
-- Of what is large, only what changes is recorded.
WITH was AS (
    SELECT id, name, slug, settings, features FROM organizations WHERE id = $id
), changed AS (
    UPDATE organizations SET name = $name, slug = $slug, settings = $settings, features = $features,
                             version = version + 1, updated_at = now()
    WHERE id = $id
    RETURNING id, name, slug, settings, features, limits, deleted_at, delete_after, version, created_at, updated_at
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT id, 'organization.updated', jsonb_build_object('organizationId', id, 'name', name, 'slug', slug) FROM changed
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, before, after)
    SELECT c.id, 'organization.updated', 'organization', c.id::text,
           jsonb_build_object('name', was.name, 'slug', was.slug)
           || CASE WHEN was.settings = c.settings THEN '{}' ELSE jsonb_build_object('settings', was.settings) END
           || CASE WHEN was.features = c.features THEN '{}' ELSE jsonb_build_object('features', was.features) END,
           jsonb_build_object('name', c.name, 'slug', c.slug)
           || CASE WHEN was.settings = c.settings THEN '{}' ELSE jsonb_build_object('settings', c.settings) END
           || CASE WHEN was.features = c.features THEN '{}' ELSE jsonb_build_object('features', c.features) END
    FROM changed c JOIN was ON was.id = c.id
)
SELECT id, name, slug, settings, features, limits, deleted_at, delete_after, version, created_at, updated_at
FROM changed;

-- name: close_organization :one OrganizationRow !id !name !slug !settings !features !limits !version !created_at !updated_at ?deleted_at ?delete_after
-- Nothing where it is closed already.
WITH closed AS (
    UPDATE organizations SET deleted_at = now(), delete_after = now() + $grace_days * interval '1 day',
                             version = version + 1, updated_at = now()
    WHERE id = $id AND deleted_at IS NULL
    RETURNING id, name, slug, settings, features, limits, deleted_at, delete_after, version, created_at, updated_at
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT id, 'organization.deleted', jsonb_build_object('organizationId', id, 'name', name, 'deleteAfter', api_time(delete_after))
    FROM closed
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
    SELECT id, 'organization.deleted', 'organization', id::text, jsonb_build_object('deleteAfter', api_time(delete_after))
    FROM closed
)
SELECT id, name, slug, settings, features, limits, deleted_at, delete_after, version, created_at, updated_at
FROM closed;

-- name: restore_organization :one OrganizationRow !id !name !slug !settings !features !limits !version !created_at !updated_at ?deleted_at ?delete_after
-- Nothing where it is not closed, or the person is not (any more) an owner.
WITH opened AS (
    UPDATE organizations SET deleted_at = NULL, delete_after = NULL, version = version + 1, updated_at = now()
    WHERE id = $id AND deleted_at IS NOT NULL
      AND EXISTS (SELECT FROM organization_members m WHERE m.user_id = $user_id AND m.role = 'OWNER')
    RETURNING id, name, slug, settings, features, limits, deleted_at, delete_after, version, created_at, updated_at
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT id, 'organization.restored', jsonb_build_object('organizationId', id, 'name', name) FROM opened
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id)
    SELECT id, 'organization.restored', 'organization', id::text FROM opened
)
SELECT id, name, slug, settings, features, limits, deleted_at, delete_after, version, created_at, updated_at
FROM opened;

-- name: purge_one :one system !id
-- The one that has waited longest. All that it has goes with it; what tells of it stays.
WITH gone AS (
    DELETE FROM organizations WHERE id = (SELECT o.id FROM organizations o WHERE o.delete_after < now()
                                          ORDER BY o.delete_after LIMIT 1)
    RETURNING id, name
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT id, 'organization.purged', jsonb_build_object('organizationId', id, 'name', name) FROM gone
)
SELECT id FROM gone;
