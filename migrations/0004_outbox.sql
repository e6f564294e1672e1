-- phase: expand
-- Events, written in the transaction of what they tell about and relayed to the queue afterwards. No foreign key: an
-- event may outlive its organization ("organization.deleted"), and each would lock it.
CREATE TABLE outbox (
    organization_id uuid NOT NULL,
    id              uuid NOT NULL DEFAULT uuid_v7(),
    topic           text NOT NULL CHECK (char_length(topic) BETWEEN 1 AND 200),
    payload         jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    relayed_at      timestamptz,
    PRIMARY KEY (organization_id, id)
);
-- The relay goes over all tenants, oldest first, so this index does not begin with organization_id.
CREATE INDEX outbox_waiting ON outbox (created_at, id) WHERE relayed_at IS NULL;

ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON outbox TO buildplan_app
    USING (organization_id = current_setting('app.current_organization_id')::uuid)
    WITH CHECK (organization_id = current_setting('app.current_organization_id')::uuid);
GRANT INSERT ON outbox TO buildplan_app;
