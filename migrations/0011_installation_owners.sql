-- phase: expand
-- Who runs the installation: people whom the command line names, and API keys that only it marks. This is no role of an
-- organization: its OWNER does not become one, whatever an organization writes.
CREATE TABLE installation_owners (
    user_id    uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE installation_owners ENABLE ROW LEVEL SECURITY;
ALTER TABLE installation_owners FORCE ROW LEVEL SECURITY;
CREATE POLICY system_all ON installation_owners TO buildplan_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON installation_owners TO buildplan_system;

-- Whoever keeps what it once found out about somebody hears of it (0007).
CREATE FUNCTION note_grant() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.revocations (subject) VALUES (NEW.user_id);
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION note_grant() FROM PUBLIC;
CREATE TRIGGER note_insertion AFTER INSERT ON installation_owners FOR EACH ROW EXECUTE FUNCTION note_grant();
CREATE TRIGGER note_deletion AFTER DELETE ON installation_owners FOR EACH ROW EXECUTE FUNCTION note_revocation('user_id');

-- The app role inserts keys by table-wide right; from now on by column, so that it cannot set this one.
ALTER TABLE api_keys ADD COLUMN installation boolean NOT NULL DEFAULT false;
REVOKE INSERT ON api_keys FROM buildplan_app;
GRANT INSERT (organization_id, id, kind, user_id, name, prefix, hash, scopes, expires_at, created_by) ON api_keys
    TO buildplan_app;
GRANT UPDATE (installation) ON api_keys TO buildplan_system;
CREATE TRIGGER note_installation AFTER UPDATE OF installation ON api_keys FOR EACH ROW
    WHEN (OLD.installation IS DISTINCT FROM NEW.installation) EXECUTE FUNCTION note_revocation('id');

-- Queues that nobody works on for now, of all organizations. Whoever works looks every second.
CREATE TABLE queue_pauses (
    queue      text PRIMARY KEY CHECK (char_length(queue) BETWEEN 1 AND 64),
    paused_at  timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE queue_pauses ENABLE ROW LEVEL SECURITY;
ALTER TABLE queue_pauses FORCE ROW LEVEL SECURITY;
CREATE POLICY system_all ON queue_pauses TO buildplan_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON queue_pauses TO buildplan_system;
