-- phase: expand
-- Keys that a program calls the API with. The key itself is shown once and kept as its SHA-256: it has enough random
-- bits of its own that a slow hash would add nothing.
CREATE TABLE api_keys (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id              uuid NOT NULL DEFAULT uuid_v7(),
    kind            text NOT NULL CHECK (kind IN ('personal', 'service')),
    user_id         uuid,  -- whose, when personal
    name            text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    prefix          text NOT NULL CHECK (char_length(prefix) <= 32),  -- what people recognise it by
    hash            bytea NOT NULL CHECK (octet_length(hash) = 32),
    scopes          text[] NOT NULL DEFAULT '{}',
    expires_at      timestamptz,
    last_used_at    timestamptz,
    revoked_at      timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    CHECK ((kind = 'personal') = (user_id IS NOT NULL)),
    -- Found before the tenant is known, so this index alone does not begin with organization_id.
    CONSTRAINT api_keys_hash_key UNIQUE (hash)
);
CREATE INDEX api_keys_by_age ON api_keys (organization_id, created_at DESC, id DESC);

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON api_keys TO buildplan_app
    USING (organization_id = current_setting('app.current_organization_id')::uuid)
    WITH CHECK (organization_id = current_setting('app.current_organization_id')::uuid);
-- Authentication: whose key is this, and when was it last used.
CREATE POLICY system_authenticate ON api_keys FOR SELECT TO buildplan_system USING (true);
CREATE POLICY system_touch ON api_keys FOR UPDATE TO buildplan_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE (name, scopes, expires_at, revoked_at) ON api_keys TO buildplan_app;
GRANT SELECT, UPDATE (last_used_at) ON api_keys TO buildplan_system;
