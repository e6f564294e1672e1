-- phase: expand
-- Notes that a session, a person, an API key or an organization is not what it was, for the instances that keep what
-- they once found out about it. They read them several times a second, also while Redis is gone. Written by triggers,
-- so that whoever ends a session or takes a role away need not think of it. Swept after an hour.
--
-- Ids are unique across kinds, so a note is an id. It says nothing about a tenant, and the app role can write notes (one
-- too many costs a look-up) but not read them.
CREATE TABLE revocations (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Who reads "everything since I last looked" by time or by id misses what is committed late. By transaction it is
    -- exact: all below the oldest one that was running then had been seen.
    xact       bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    subject    uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX revocations_by_xact ON revocations (xact);
GRANT INSERT (subject) ON revocations TO buildplan_app;
GRANT SELECT, INSERT (subject), DELETE ON revocations TO buildplan_system;

CREATE FUNCTION note_revocation() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.revocations (subject) VALUES ((to_jsonb(OLD) ->> TG_ARGV[0])::uuid);
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION note_revocation() FROM PUBLIC;

-- Only what is changed directly is noted (depth 0): what an organization or a person takes along is covered by theirs.
CREATE TRIGGER note_revocation AFTER UPDATE OF revoked_at ON sessions FOR EACH ROW
    WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at) EXECUTE FUNCTION note_revocation('id');
CREATE TRIGGER note_deletion AFTER DELETE ON sessions FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND OLD.expires_at > now() AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION note_revocation('id');
CREATE TRIGGER note_revocation AFTER UPDATE OF revoked_at, expires_at, scopes ON api_keys FOR EACH ROW
    WHEN ((OLD.revoked_at, OLD.expires_at, OLD.scopes) IS DISTINCT FROM (NEW.revoked_at, NEW.expires_at, NEW.scopes))
    EXECUTE FUNCTION note_revocation('id');
CREATE TRIGGER note_deletion AFTER DELETE ON api_keys FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND pg_trigger_depth() = 0) EXECUTE FUNCTION note_revocation('id');
CREATE TRIGGER note_revocation AFTER UPDATE OF role ON organization_members FOR EACH ROW
    WHEN (OLD.role IS DISTINCT FROM NEW.role) EXECUTE FUNCTION note_revocation('user_id');
CREATE TRIGGER note_deletion AFTER DELETE ON organization_members FOR EACH ROW
    WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION note_revocation('user_id');
CREATE TRIGGER note_deletion AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION note_revocation('id');
CREATE TRIGGER note_revocation AFTER UPDATE OF deleted_at ON organizations FOR EACH ROW
    WHEN (OLD.deleted_at IS DISTINCT FROM NEW.deleted_at) EXECUTE FUNCTION note_revocation('id');
CREATE TRIGGER note_deletion AFTER DELETE ON organizations FOR EACH ROW EXECUTE FUNCTION note_revocation('id');
