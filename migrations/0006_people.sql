-- phase: expand
-- People, what they may do, how they are signed in, what they pay for and what they did.

-- A time as the API writes it (RFC 3339, UTC, milliseconds), for what is kept as JSON.
CREATE FUNCTION api_time(moment timestamptz) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- ------------------------------------------------------------------------------------------------------------ people
-- A person belongs to no tenant: membership says where they are.
CREATE TABLE users (
    id             uuid PRIMARY KEY DEFAULT uuid_v7(),
    email          text NOT NULL CHECK (char_length(email) BETWEEN 3 AND 254),
    -- Searched by, and unique: an operator on lower(email) could use no index under a policy.
    email_lc       text NOT NULL GENERATED ALWAYS AS (lower(email)) STORED,
    name           text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    password_hash  text NOT NULL CHECK (char_length(password_hash) <= 512),
    email_verified boolean NOT NULL DEFAULT false,
    mfa_enabled    boolean NOT NULL DEFAULT false,
    mfa_secret     text CHECK (char_length(mfa_secret) <= 512),
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_email_lc_key UNIQUE (email_lc)
);

CREATE TABLE organization_members (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id              uuid NOT NULL DEFAULT uuid_v7(),
    user_id         uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role            text NOT NULL DEFAULT 'MEMBER' CHECK (role IN ('OWNER', 'ADMIN', 'MANAGER', 'MEMBER', 'VIEWER')),
    version         integer NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, user_id)
);
CREATE INDEX organization_members_by_age ON organization_members (organization_id, created_at DESC, id DESC);
-- "Which organizations am I in" is asked before there is a tenant, so this index does not begin with organization_id.
CREATE INDEX organization_members_by_user ON organization_members (user_id);

ALTER TABLE organization_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE organization_members FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON organization_members TO buildplan_app
    USING (organization_id = current_setting('app.current_organization_id')::uuid)
    WITH CHECK (organization_id = current_setting('app.current_organization_id')::uuid);
-- Registration and accepted invitations make members; login and refresh ask where somebody is one.
CREATE POLICY system_read ON organization_members FOR SELECT TO buildplan_system USING (true);
CREATE POLICY system_join ON organization_members FOR INSERT TO buildplan_system WITH CHECK (true);
GRANT SELECT, DELETE, UPDATE (role, version, updated_at) ON organization_members TO buildplan_app;
GRANT SELECT, INSERT ON organization_members TO buildplan_system;

-- The policy asks organization_members as whoever asks users: a tenant sees its own members and nobody else, and never
-- the columns that open a door.
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY fellow_members ON users FOR SELECT TO buildplan_app
    USING (EXISTS (SELECT FROM organization_members m
                   WHERE m.organization_id = current_setting('app.current_organization_id')::uuid AND m.user_id = users.id));
CREATE POLICY system_read ON users FOR SELECT TO buildplan_system USING (true);
CREATE POLICY system_create ON users FOR INSERT TO buildplan_system WITH CHECK (true);
CREATE POLICY system_change ON users FOR UPDATE TO buildplan_system USING (true) WITH CHECK (true);
GRANT SELECT (id, email, email_lc, name, email_verified, mfa_enabled, created_at, updated_at) ON users TO buildplan_app;
GRANT SELECT, INSERT, UPDATE (email, name, password_hash, email_verified, mfa_enabled, mfa_secret, updated_at) ON users
    TO buildplan_system;

-- Never without an OWNER, whoever asks and whatever else runs at the same time. Looked at when the transaction ends, so
-- that ownership can change hands within it. The lock makes two of them, each taking one of the last two away, come one
-- after the other, and the second sees what the first did; under REPEATABLE READ it would not. An organization that
-- goes takes its owners with it.
CREATE FUNCTION keep_an_owner() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') = 'repeatable read' THEN
        RAISE EXCEPTION 'An owner is not taken away under REPEATABLE READ.' USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('organization_members.owner ' || OLD.organization_id, 0));
    IF EXISTS (SELECT FROM organizations WHERE id = OLD.organization_id)
       AND NOT EXISTS (SELECT FROM organization_members
                       WHERE organization_id = OLD.organization_id AND role = 'OWNER') THEN
        RAISE EXCEPTION 'An organization keeps an owner.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'organization_members_keep_an_owner',
                  TABLE = 'organization_members';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION keep_an_owner() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER organization_members_keep_an_owner
    AFTER UPDATE OF role, organization_id OR DELETE ON organization_members
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.role = 'OWNER') EXECUTE FUNCTION keep_an_owner();

CREATE TABLE invitations (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id              uuid NOT NULL DEFAULT uuid_v7(),
    email           text NOT NULL CHECK (char_length(email) BETWEEN 3 AND 254),
    email_lc        text NOT NULL GENERATED ALWAYS AS (lower(email)) STORED,
    role            text NOT NULL DEFAULT 'MEMBER' CHECK (role IN ('OWNER', 'ADMIN', 'MANAGER', 'MEMBER', 'VIEWER')),
    token_hash      bytea NOT NULL CHECK (octet_length(token_hash) = 32),
    invited_by      uuid,  -- whose account may be gone by now; so too accepted_by
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    sent_at         timestamptz,
    sent_count      integer NOT NULL DEFAULT 0,
    accepted_at     timestamptz,
    accepted_by     uuid,
    revoked_at      timestamptz,
    version         integer NOT NULL DEFAULT 1,
    PRIMARY KEY (organization_id, id),
    CHECK (accepted_at IS NULL OR revoked_at IS NULL),
    -- Accepted by token, before the tenant is known, so this index does not begin with organization_id.
    CONSTRAINT invitations_token_hash_key UNIQUE (token_hash)
);
-- One that is open for each address; an expired one is open until it is revoked or sent again.
CREATE UNIQUE INDEX invitations_open ON invitations (organization_id, email_lc)
    WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_by_age ON invitations (organization_id, created_at DESC, id DESC);

ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON invitations TO buildplan_app
    USING (organization_id = current_setting('app.current_organization_id')::uuid)
    WITH CHECK (organization_id = current_setting('app.current_organization_id')::uuid);
-- Accepting one that can be accepted, and nothing else about it.
CREATE POLICY system_find ON invitations FOR SELECT TO buildplan_system USING (true);
CREATE POLICY system_accept ON invitations FOR UPDATE TO buildplan_system
    USING (accepted_at IS NULL AND revoked_at IS NULL AND expires_at > now()) WITH CHECK (true);
GRANT SELECT (organization_id, id, email, email_lc, role, invited_by, created_at, expires_at, sent_at, sent_count,
              accepted_at, accepted_by, revoked_at, version),
      INSERT (organization_id, id, email, role, token_hash, invited_by, expires_at, sent_at, sent_count),
      UPDATE (role, token_hash, expires_at, sent_at, sent_count, revoked_at, version) ON invitations TO buildplan_app;
GRANT SELECT, UPDATE (accepted_at, accepted_by, version) ON invitations TO buildplan_system;

-- ------------------------------------------------------------------------------------------- organizations, API keys
-- Deleting: at first only noted, and done when delete_after has passed.
ALTER TABLE organizations
    ADD COLUMN version      integer NOT NULL DEFAULT 1,
    ADD COLUMN deleted_at   timestamptz,
    ADD COLUMN delete_after timestamptz,
    ADD CONSTRAINT organizations_deleted_and_when CHECK ((deleted_at IS NULL) = (delete_after IS NULL));
-- For the purge, which goes over all tenants.
CREATE INDEX organizations_to_purge ON organizations (delete_after) WHERE delete_after IS NOT NULL;
CREATE POLICY system_purge ON organizations FOR DELETE TO buildplan_system USING (delete_after < now());
GRANT UPDATE (version, deleted_at, delete_after) ON organizations TO buildplan_app;
GRANT DELETE ON organizations TO buildplan_system;

-- A person's key goes when they are no longer a member.
ALTER TABLE api_keys
    ADD COLUMN created_by uuid,  -- may be gone by now
    ADD COLUMN version    integer NOT NULL DEFAULT 1,
    ADD CONSTRAINT api_keys_of_member FOREIGN KEY (organization_id, user_id)
        REFERENCES organization_members (organization_id, user_id) ON DELETE CASCADE;
CREATE INDEX api_keys_by_user ON api_keys (organization_id, user_id) WHERE user_id IS NOT NULL;
GRANT UPDATE (version) ON api_keys TO buildplan_app;

-- --------------------------------------------------------------------------------------------------- what is paid for
CREATE TABLE subscriptions (
    organization_id        uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id                     uuid NOT NULL DEFAULT uuid_v7(),
    tier                   text NOT NULL DEFAULT 'FREE' CHECK (tier IN ('FREE', 'PRO', 'ENTERPRISE')),
    -- Stripe's words.
    status                 text NOT NULL DEFAULT 'active' CHECK (status IN (
        'incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'canceled', 'unpaid', 'paused')),
    current_period_start   timestamptz NOT NULL DEFAULT date_trunc('month', now(), 'UTC'),
    current_period_end     timestamptz NOT NULL
        DEFAULT ((date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC'),
    stripe_customer_id     text CHECK (char_length(stripe_customer_id) <= 255),
    stripe_subscription_id text CHECK (char_length(stripe_subscription_id) <= 255),
    custom_limits          jsonb CHECK (jsonb_typeof(custom_limits) = 'object'),  -- stand over the tier's
    version                integer NOT NULL DEFAULT 1,
    created_at             timestamptz NOT NULL DEFAULT now(),
    updated_at             timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    CONSTRAINT subscriptions_organization_id_key UNIQUE (organization_id),
    CHECK (current_period_start < current_period_end)
);

ALTER TABLE subscriptions ENABLE ROW LEVEL SECURITY;
ALTER TABLE subscriptions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON subscriptions TO buildplan_app
    USING (organization_id = current_setting('app.current_organization_id')::uuid)
    WITH CHECK (organization_id = current_setting('app.current_organization_id')::uuid);
-- Nobody raises their own limits: a tenant reads, registration and whoever takes the money write.
CREATE POLICY system_read ON subscriptions FOR SELECT TO buildplan_system USING (true);
CREATE POLICY system_create ON subscriptions FOR INSERT TO buildplan_system WITH CHECK (true);
CREATE POLICY system_change ON subscriptions FOR UPDATE TO buildplan_system USING (true) WITH CHECK (true);
GRANT SELECT ON subscriptions TO buildplan_app;
GRANT SELECT, INSERT, UPDATE (tier, status, current_period_start, current_period_end, stripe_customer_id,
                              stripe_subscription_id, custom_limits, version, updated_at) ON subscriptions
    TO buildplan_system;

CREATE TABLE usage (
    organization_id   uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id                uuid NOT NULL DEFAULT uuid_v7(),
    period            timestamptz NOT NULL,  -- its beginning
    requests_created  bigint NOT NULL DEFAULT 0 CHECK (requests_created >= 0),
    agent_minutes     bigint NOT NULL DEFAULT 0 CHECK (agent_minutes >= 0),
    storage_gb        double precision NOT NULL DEFAULT 0 CHECK (storage_gb >= 0),
    api_calls         bigint NOT NULL DEFAULT 0 CHECK (api_calls >= 0),
    github_operations bigint NOT NULL DEFAULT 0 CHECK (github_operations >= 0),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    CONSTRAINT usage_organization_id_period_key UNIQUE (organization_id, period)
) WITH (fillfactor = 70);

ALTER TABLE usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON usage TO buildplan_app
    USING (organization_id = current_setting('app.current_organization_id')::uuid)
    WITH CHECK (organization_id = current_setting('app.current_organization_id')::uuid);
-- Counts that were kept elsewhere are folded in for all tenants at once.
CREATE POLICY system_read ON usage FOR SELECT TO buildplan_system USING (true);
CREATE POLICY system_create ON usage FOR INSERT TO buildplan_system WITH CHECK (true);
CREATE POLICY system_fold ON usage FOR UPDATE TO buildplan_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE (requests_created, agent_minutes, storage_gb, api_calls, github_operations, updated_at)
    ON usage TO buildplan_app;
GRANT SELECT, INSERT, UPDATE (requests_created, agent_minutes, storage_gb, api_calls, github_operations, updated_at)
    ON usage TO buildplan_system;

-- ------------------------------------------------------------------------------------------------------- signing in
-- A person's, not a tenant's; buildplan_app has no right to any of the three tables. A refresh token carries the id of
-- its session, so a session is found by its key.
CREATE TABLE sessions (
    id                      uuid PRIMARY KEY DEFAULT uuid_v7(),
    user_id                 uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- Where it works now. No foreign key: each refresh looks for the membership anyway.
    current_organization_id uuid,
    refresh_hash            bytea NOT NULL CHECK (octet_length(refresh_hash) = 32),
    previous_refresh_hash   bytea CHECK (octet_length(previous_refresh_hash) = 32),
    rotated_at              timestamptz,
    created_at              timestamptz NOT NULL DEFAULT now(),
    last_used_at            timestamptz NOT NULL DEFAULT now(),
    expires_at              timestamptz NOT NULL,
    revoked_at              timestamptz,
    revoked_reason          text CHECK (char_length(revoked_reason) <= 64),
    user_agent              text CHECK (char_length(user_agent) <= 512),
    address                 text CHECK (char_length(address) <= 64)
);
CREATE INDEX sessions_by_user ON sessions (user_id, created_at DESC);
CREATE INDEX sessions_revoked ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY system_all ON sessions TO buildplan_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE, UPDATE (current_organization_id, refresh_hash, previous_refresh_hash, rotated_at,
                                      last_used_at, expires_at, revoked_at, revoked_reason, user_agent, address)
    ON sessions TO buildplan_system;

-- What goes into a mail: it proves that whoever brings it reads that mailbox.
CREATE TABLE user_tokens (
    id         uuid PRIMARY KEY DEFAULT uuid_v7(),
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose    text NOT NULL CHECK (purpose IN ('verify_email', 'reset_password')),
    token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    CONSTRAINT user_tokens_token_hash_key UNIQUE (token_hash)
);
CREATE INDEX user_tokens_by_user ON user_tokens (user_id, purpose);
CREATE INDEX user_tokens_by_expiry ON user_tokens (expires_at);

ALTER TABLE user_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY system_all ON user_tokens TO buildplan_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE, UPDATE (used_at) ON user_tokens TO buildplan_system;

-- The installation's keys for access tokens. The private half is sealed before it comes here.
CREATE TABLE signing_keys (
    kid                text PRIMARY KEY CHECK (char_length(kid) BETWEEN 1 AND 64),
    public_key         bytea NOT NULL CHECK (octet_length(public_key) = 32),
    sealed_private_key bytea NOT NULL CHECK (octet_length(sealed_private_key) <= 1024),
    created_at         timestamptz NOT NULL DEFAULT now(),
    active_from        timestamptz NOT NULL,
    retired_at         timestamptz,
    expires_at         timestamptz
);

ALTER TABLE signing_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE signing_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY system_all ON signing_keys TO buildplan_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE, UPDATE (active_from, retired_at, expires_at) ON signing_keys TO buildplan_system;

-- Registration tells about itself.
CREATE POLICY system_tell ON outbox FOR INSERT TO buildplan_system WITH CHECK (true);
GRANT INSERT ON outbox TO buildplan_system;

-- ------------------------------------------------------------------------------------------------------- what was done
-- Where the chain of each organization ends. Its row is the lock that puts the chain's rows one after another.
CREATE TABLE audit_heads (
    organization_id uuid PRIMARY KEY REFERENCES organizations (id) ON DELETE CASCADE,
    seq             bigint NOT NULL DEFAULT 0,
    at              timestamptz NOT NULL DEFAULT '-infinity',
    previous_hash   bytea,
    hash            bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex')
) WITH (fillfactor = 50);

-- Written with every change, so it costs as little as can be: no foreign key of its own (the head has it, and takes the
-- rows along: audit_forget), what is checked is checked in audit_chain (PostgreSQL parses CHECK constraints anew for
-- each statement), and only one index beside the key. An entry is found by time with audit_first_since; what one actor
-- did is read from the end back.
CREATE TABLE audit_log (
    organization_id uuid NOT NULL,
    seq             bigint NOT NULL,  -- counts from 1 without a gap
    id              uuid NOT NULL DEFAULT uuid_v7(),
    at              timestamptz NOT NULL,  -- never falls while seq grows
    actor_kind      text NOT NULL,  -- user, api_key, system
    actor_id        uuid,  -- the person or the key
    actor_name      text,  -- as it was then
    action          text NOT NULL,  -- workspace.created
    target_kind     text NOT NULL,  -- workspace
    target_id       text,
    before          jsonb,
    after           jsonb,
    address         text,
    request_id      text,
    previous_hash   bytea NOT NULL,
    hash            bytea NOT NULL,
    PRIMARY KEY (organization_id, seq)
);
CREATE INDEX audit_log_by_target ON audit_log (organization_id, target_id, seq);

-- The first entry at or after that time, of the organization that asks; one more than there are when there is none.
-- Halves what is left until it is found: some twenty look-ups by key, in place of an index that each change would pay.
CREATE FUNCTION audit_first_since(wanted timestamptz) RETURNS bigint
    LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    low  bigint := 1;
    high bigint;
    half bigint;
BEGIN
    SELECT coalesce(max(l.seq), 0) + 1 INTO high FROM audit_log l;
    WHILE low < high LOOP
        half := (low + high) / 2;
        IF (SELECT l.at >= wanted FROM audit_log l WHERE l.seq = half) THEN
            high := half;
        ELSE
            low := half + 1;
        END IF;
    END LOOP;
    RETURN low;
END $$;

-- Who did it, and a row's place in the chain, are given here and nowhere else.
--
-- Who: what the statement says, else what the transaction says (app.actor, which core/actor.hpp writes: kind, id, name,
-- address, request, U+001F between them). The name is looked up where nobody said it, and kept as it is now. Without an
-- actor there is no row, and so no change.
--
-- The hash is SHA-256 over the row in PostgreSQL's binary form of a record (each field with its type and length; texts
-- as UTF-8 bytes, jsonb as its text, whatever the client's encoding), its predecessor's hash included:
-- src/features/audit/chain.hpp computes it again.
--
-- Runs as the owner, so that nobody else has a right to write the head or these columns.
CREATE FUNCTION audit_chain() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    actor text[];
    written_at timestamptz;
BEGIN
    IF NEW.actor_kind IS NULL THEN
        actor := string_to_array(current_setting('app.actor', true), chr(31), '');
        IF actor[1] IS NULL THEN
            RAISE EXCEPTION 'A change is recorded without an actor.' USING ERRCODE = 'not_null_violation';
        END IF;
        NEW.actor_kind := actor[1];
        NEW.actor_id := actor[2];
        NEW.actor_name := actor[3];
        NEW.address := actor[4];
        NEW.request_id := actor[5];
    END IF;
    IF NEW.actor_name IS NULL AND NEW.actor_id IS NOT NULL THEN
        IF NEW.actor_kind = 'user' THEN
            SELECT u.email INTO NEW.actor_name FROM public.users u WHERE u.id = NEW.actor_id;
        ELSE
            SELECT k.name INTO NEW.actor_name FROM public.api_keys k
            WHERE k.organization_id = NEW.organization_id AND k.id = NEW.actor_id;
        END IF;
    END IF;
    IF NEW.actor_kind NOT IN ('user', 'api_key', 'system') OR NEW.action = '' OR NEW.target_kind = ''
       OR length(NEW.action) > 100 OR length(NEW.target_kind) > 50 OR length(NEW.target_id) > 200
       OR length(NEW.actor_name) > 300 OR length(NEW.address) > 64 OR length(NEW.request_id) > 200
       OR pg_column_size(NEW.before) > 262144 OR pg_column_size(NEW.after) > 262144 THEN
        RAISE EXCEPTION 'An entry of the audit log does not fit.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_log_fits', TABLE = 'audit_log';
    END IF;
    written_at := clock_timestamp();
    LOOP
        -- The old row is on the right of each sign, the new one on the left: one trip to the row locks it and moves it.
        UPDATE public.audit_heads h
        SET seq = h.seq + 1, at = greatest(h.at, written_at), previous_hash = h.hash,
            hash = sha256(record_send(ROW(
                NEW.organization_id, NEW.id, h.seq + 1, greatest(h.at, written_at),
                convert_to(NEW.actor_kind, 'UTF8'), NEW.actor_id, convert_to(NEW.actor_name, 'UTF8'),
                convert_to(NEW.action, 'UTF8'), convert_to(NEW.target_kind, 'UTF8'), convert_to(NEW.target_id, 'UTF8'),
                convert_to(NEW.before::text, 'UTF8'), convert_to(NEW.after::text, 'UTF8'),
                convert_to(NEW.address, 'UTF8'), convert_to(NEW.request_id, 'UTF8'), h.hash)))
        WHERE h.organization_id = NEW.organization_id
        RETURNING h.seq, h.at, h.previous_hash, h.hash INTO NEW.seq, NEW.at, NEW.previous_hash, NEW.hash;
        EXIT WHEN FOUND;
        INSERT INTO public.audit_heads (organization_id) VALUES (NEW.organization_id) ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION audit_chain() FROM PUBLIC;
CREATE TRIGGER audit_chain BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_chain();

-- When an organization goes, its head goes, and then its rows.
CREATE FUNCTION audit_forget() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM public.audit_log WHERE organization_id = OLD.organization_id;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION audit_forget() FROM PUBLIC;
CREATE TRIGGER audit_forget AFTER DELETE ON audit_heads FOR EACH ROW EXECUTE FUNCTION audit_forget();

-- Nobody changes what was written, the owner neither: only what happens inside a trigger (the two above, and the cascade
-- from organizations) is let through, here and by the head's policy.
CREATE FUNCTION audit_refuse() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit log is only added to.' USING ERRCODE = 'insufficient_privilege';
END $$;
REVOKE ALL ON FUNCTION audit_refuse() FROM PUBLIC;
CREATE TRIGGER audit_refuse BEFORE UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_refuse_delete BEFORE DELETE ON audit_log FOR EACH ROW
    WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_refuse_truncate BEFORE TRUNCATE ON audit_log EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_refuse BEFORE DELETE ON audit_heads FOR EACH ROW
    WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_refuse_truncate BEFORE TRUNCATE ON audit_heads EXECUTE FUNCTION audit_refuse();

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON audit_log TO buildplan_app
    USING (organization_id = current_setting('app.current_organization_id')::uuid)
    WITH CHECK (organization_id = current_setting('app.current_organization_id')::uuid);
CREATE POLICY system_record ON audit_log FOR INSERT TO buildplan_system WITH CHECK (true);
-- Row-level security holds the owner too, so the two functions have policies of their own.
CREATE POLICY owner_name ON users FOR SELECT TO buildplan_owner USING (true);
CREATE POLICY owner_name ON api_keys FOR SELECT TO buildplan_owner USING (true);
CREATE POLICY owner_forget_see ON audit_log FOR SELECT TO buildplan_owner USING (true);
CREATE POLICY owner_forget ON audit_log FOR DELETE TO buildplan_owner USING (true);
GRANT SELECT,
      INSERT (organization_id, actor_kind, actor_id, actor_name, action, target_kind, target_id, before, after, address,
              request_id) ON audit_log TO buildplan_app;
GRANT INSERT (organization_id, actor_kind, actor_id, actor_name, action, target_kind, target_id, before, after, address,
              request_id) ON audit_log TO buildplan_system;

ALTER TABLE audit_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_heads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON audit_heads TO buildplan_app
    USING (organization_id = current_setting('app.current_organization_id')::uuid)
    WITH CHECK (organization_id = current_setting('app.current_organization_id')::uuid);
CREATE POLICY owner_chain ON audit_heads TO buildplan_owner
    USING (pg_trigger_depth() > 0) WITH CHECK (pg_trigger_depth() > 0);
GRANT SELECT ON audit_heads TO buildplan_app;
