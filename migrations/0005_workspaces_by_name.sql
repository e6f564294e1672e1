-- phase: expand
-- Lists by name, by keyset.
CREATE INDEX workspaces_by_name ON workspaces (organization_id, name, id);
