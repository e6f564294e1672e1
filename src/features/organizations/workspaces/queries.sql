-- type: id WorkspaceId "features/organizations/workspaces/types.hpp"
-- type: before_id WorkspaceId
-- type: after_id WorkspaceId

-- name: create_workspace :one WorkspaceRow !id !name !slug !version !created_at !updated_at ?description ?archived_at
-- Nothing when the slug is taken. With `suffix` the slug was made from the name, and gives way instead.
WITH wanted AS (
    INSERT INTO workspaces (organization_id, id, name, slug, description)
    VALUES (current_setting('app.current_organization_id')::uuid, $id, $name, $slug, $description?)
    ON CONFLICT (organization_id, slug) DO NOTHING
    RETURNING organization_id, id, name, slug, description, archived_at, version, created_at, updated_at
), other AS (
    INSERT INTO workspaces (organization_id, id, name, slug, description)
    SELECT current_setting('app.current_organization_id')::uuid, $id, $name, $slug || '-' || $suffix?, $description?
    WHERE $suffix? IS NOT NULL AND NOT EXISTS (SELECT FROM wanted)
    RETURNING organization_id, id, name, slug, description, archived_at, version, created_at, updated_at
), made AS (
    SELECT * FROM wanted UNION ALL SELECT * FROM other
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT organization_id, 'workspace.created', jsonb_build_object('workspaceId', id, 'name', name) FROM made
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
    SELECT organization_id, 'workspace.created', 'workspace', id::text,
           jsonb_build_object('name', name, 'slug', slug, 'description', description) FROM made
)
SELECT id, name, slug, description, archived_at, version, created_at, updated_at FROM made;

-- name: get_workspace :one WorkspaceRow
SELECT id, name, slug, description, archived_at, version, created_at, updated_at FROM workspaces WHERE id = $id;

-- name: list_newest :many WorkspaceRow
SELECT id, name, slug, description, archived_at, version, created_at, updated_at FROM workspaces
WHERE (created_at, id) < ($before, $before_id) AND (archived_at IS NOT NULL) = $archived
ORDER BY created_at DESC, id DESC LIMIT $limit;

-- name: list_oldest :many WorkspaceRow
SELECT id, name, slug, description, archived_at, version, created_at, updated_at FROM workspaces
WHERE (created_at, id) > ($after, $after_id) AND (archived_at IS NOT NULL) = $archived
ORDER BY created_at, id LIMIT $limit;

-- name: list_by_name :many WorkspaceRow
SELECT id, name, slug, description, archived_at, version, created_at, updated_at FROM workspaces
WHERE (name, id) > ($after, $after_id) AND (archived_at IS NOT NULL) = $archived
ORDER BY name, id LIMIT $limit;

-- name: change_workspace :one ChangedRow !changed !id !name !slug !version !created_at !updated_at ?description ?archived_at
-- `changed` false: there is such a workspace, but not in one of the versions that may be changed; it is as it was. To
-- archive what is archived, or bring back what is there, changes nothing and is no new version.
WITH was AS (
    SELECT id, name, slug, description, archived_at, version, $any_version OR version = ANY ($versions::bigint[]) AS fits,
           $name?::text IS NULL AND $slug?::text IS NULL AND NOT $sets_description
           AND (archived_at IS NOT NULL) = $archived?::boolean AS so_already
    FROM workspaces WHERE id = $id FOR NO KEY UPDATE
), changed AS (
    UPDATE workspaces w
    SET name = coalesce($name?, w.name), slug = coalesce($slug?, w.slug),
        description = CASE WHEN $sets_description THEN $description? ELSE w.description END,
        archived_at = CASE WHEN $archived?::boolean IS NULL THEN w.archived_at
                           WHEN $archived? THEN coalesce(w.archived_at, now()) END,
        version = w.version + 1, updated_at = now()
    FROM was WHERE w.id = was.id AND was.fits AND was.so_already IS NOT TRUE
    RETURNING w.organization_id, w.id, w.name, w.slug, w.description, w.archived_at, w.version, w.created_at,
              w.updated_at
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT organization_id, $topic, jsonb_build_object('workspaceId', id, 'name', name) FROM changed
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, before, after)
    SELECT c.organization_id, $topic, 'workspace', c.id::text,
           jsonb_build_object('name', was.name, 'slug', was.slug, 'description', was.description,
                              'archivedAt', api_time(was.archived_at)),
           jsonb_build_object('name', c.name, 'slug', c.slug, 'description', c.description,
                              'archivedAt', api_time(c.archived_at))
    FROM changed c JOIN was ON was.id = c.id
)
SELECT true AS changed, id, name, slug, description, archived_at, version, created_at, updated_at FROM changed
UNION ALL
SELECT was.fits, w.id, w.name, w.slug, w.description, w.archived_at, w.version, w.created_at, w.updated_at
FROM workspaces w JOIN was ON was.id = w.id WHERE NOT EXISTS (SELECT FROM changed);
