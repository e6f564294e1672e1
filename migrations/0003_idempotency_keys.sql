-- phase: expand
-- The stored answer of a request that carried an Idempotency-Key, so that it can be sent again. A row without a status
-- is a request that is being worked on. No foreign key: rows are gone after a day, and each would lock its organization.
CREATE TABLE idempotency_keys (
    organization_id uuid NOT NULL,
    key             text NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
    fingerprint     bytea NOT NULL CHECK (octet_length(fingerprint) = 32),  -- of the request: SHA-256
    status          integer CHECK (status BETWEEN 100 AND 599),
    headers         jsonb,
    body            bytea,
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL DEFAULT now() + interval '24 hours',
    PRIMARY KEY (organization_id, key)
);
-- The sweep goes over all tenants, so this index does not begin with organization_id.
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON idempotency_keys TO buildplan_app
    USING (organization_id = current_setting('app.current_organization_id')::uuid)
    WITH CHECK (organization_id = current_setting('app.current_organization_id')::uuid);
-- A DELETE needs to see what it asks about: the key and the time, never an answer.
CREATE POLICY system_see_expired ON idempotency_keys FOR SELECT TO buildplan_system USING (expires_at < now());
CREATE POLICY system_sweep ON idempotency_keys FOR DELETE TO buildplan_system USING (expires_at < now());
GRANT SELECT, INSERT, DELETE, UPDATE (fingerprint, status, headers, body, created_at, expires_at) ON idempotency_keys
    TO buildplan_app;
GRANT SELECT (organization_id, key, expires_at), DELETE ON idempotency_keys TO buildplan_system;
