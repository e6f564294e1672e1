-- What a queries.sql can say, for the test of the generator.
-- type: workspaces.id WorkspaceId "gen/example/types.hpp"
-- type: $id           WorkspaceId
-- type: $ids          WorkspaceId
-- type: $last_id      WorkspaceId

-- name: create_organization :run system
INSERT INTO organizations (id, name, slug) VALUES ($organization_id, $name, $slug);

-- name: set_tenant :one !was_set
SELECT set_config('app.current_organization_id', $organization, false) IS NOT NULL AS was_set;

-- name: create_workspace :one WorkspaceRow
INSERT INTO workspaces (organization_id, id, name, slug, description)
VALUES ($organization_id, $id, $name, $slug, $description?)
RETURNING id, name, description, version, archived_at, created_at;

-- name: list_workspaces :many WorkspaceRow
-- Newest first; behind the last one of the page before.
SELECT id, name, description, version, archived_at, created_at
FROM workspaces
WHERE (created_at, id) < ($last_created_at, $last_id)  -- a keyset
  AND ($name?::text IS NULL OR name = $name)
ORDER BY created_at DESC, id DESC
LIMIT $limit;

-- name: count_workspaces :one !total
SELECT count(*) AS total, array_agg(slug ORDER BY slug) AS slugs, max(archived_at) AS last_archived_at
FROM workspaces
WHERE id = ANY ($ids);

-- name: workspaces_with_keys :many !workspace_id
-- The outer join makes NULLs of api_keys.name, which has none.
SELECT w.id AS workspace_id, k.name AS key_name
FROM workspaces w
LEFT JOIN api_keys k ON k.name = w.name;

-- name: all_types :one !flag !small !real !document !names !numbers !bytes !at_times
SELECT $flag::bool AS flag, $small::int2 AS small, $real::float8 AS real, $document::jsonb AS document,
       $names::text[] AS names, $numbers::int8[] AS numbers, $bytes::bytea AS bytes, $at_times::timestamptz[] AS at_times,
       '$5 isn''t a parameter; nor is $this' || $$, nor $that$$ || E'\'$other' AS quoted /* nor $the /* $last */ one */;

-- name: archive_workspace :run
UPDATE workspaces SET archived_at = now(), version = version + 1 WHERE id = $id AND archived_at IS NULL;
