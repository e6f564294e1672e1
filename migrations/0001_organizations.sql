-- phase: expand
-- Tenants and their workspaces.
--
-- How tables are made here (why: docs/decisions/0005):
--   * A table of tenants' rows has organization_id, and its primary key and every index begin with it. Row-level
--     security is enabled AND forced; the tenant's policy has USING and WITH CHECK.
--   * Text with a CHECK instead of enum types, bigint minor units instead of numeric, timestamptz always.
--   * The app role gets the columns that it needs, never a whole table by default. What buildplan_system may do across
--     tenants is a policy and a grant of its own.
--   * Forced policies hold the owner too. A migration that changes tenants' rows wraps itself in
--     ALTER TABLE … NO FORCE ROW LEVEL SECURITY and FORCE again, in the one transaction.

-- RFC 9562, version 7: for rows that the program did not name itself.
CREATE FUNCTION uuid_v7() RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN encode(
        set_bit(set_bit(
            overlay(uuid_send(gen_random_uuid())
                    PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                    FROM 1 FOR 6),
            52, 1), 53, 1),
        'hex')::uuid;

CREATE TABLE organizations (
    id         uuid PRIMARY KEY DEFAULT uuid_v7(),
    name       text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    slug       text NOT NULL UNIQUE CHECK (char_length(slug) <= 63 AND slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    settings   jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    features   jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(features) = 'object'),
    limits     jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(limits) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- The organization is the tenant, so its own id stands where other tables have organization_id.
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON organizations TO buildplan_app
    USING (id = current_setting('app.current_organization_id')::uuid)
    WITH CHECK (id = current_setting('app.current_organization_id')::uuid);
CREATE POLICY system_read ON organizations FOR SELECT TO buildplan_system USING (true);
CREATE POLICY system_create ON organizations FOR INSERT TO buildplan_system WITH CHECK (true);
GRANT SELECT, UPDATE (name, slug, settings, features, updated_at) ON organizations TO buildplan_app;
GRANT SELECT, INSERT ON organizations TO buildplan_system;

CREATE TABLE workspaces (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id              uuid NOT NULL DEFAULT uuid_v7(),
    name            text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    slug            text NOT NULL CHECK (char_length(slug) <= 63 AND slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    description     text CHECK (char_length(description) <= 10000),
    archived_at     timestamptz,
    version         integer NOT NULL DEFAULT 1,  -- counts the changes; the API's ETag
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, slug)
);
-- Lists, newest first, by keyset.
CREATE INDEX workspaces_by_age ON workspaces (organization_id, created_at DESC, id DESC);

ALTER TABLE workspaces ENABLE ROW LEVEL SECURITY;
ALTER TABLE workspaces FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON workspaces TO buildplan_app
    USING (organization_id = current_setting('app.current_organization_id')::uuid)
    WITH CHECK (organization_id = current_setting('app.current_organization_id')::uuid);
GRANT SELECT, INSERT, UPDATE (name, slug, description, archived_at, version, updated_at) ON workspaces TO buildplan_app;
