-- phase: expand
-- The outbox becomes the ledger of jobs. A row is one job, or an event that nobody waits for:
--
--   waiting   relayed_at IS NULL                        not yet given to the queue
--   event     relayed_at set, queue NULL                nobody takes its topic
--   owed      queue set, neither done_at nor failed_at  in the queue, or it should be
--   done      done_at: written in the transaction of the job's effects
--   dead      failed_at, error: nobody tries it any more
--
-- No CHECK on the new columns: PostgreSQL parses them anew for each statement, and every change writes here. Instead
-- nobody who inserts may set them.
ALTER TABLE outbox
    ADD COLUMN queue     text,
    ADD COLUMN job       text,     -- what it is called there
    ADD COLUMN round     integer NOT NULL DEFAULT 0,  -- how often it was brought back from the dead
    -- In which memory of the queue's Redis it was put: the queue writes down a number when it finds none, so that rows
    -- with another one are those that a Redis which lost its memory does not know.
    ADD COLUMN epoch     bigint,
    ADD COLUMN done_at   timestamptz,
    ADD COLUMN failed_at timestamptz,
    ADD COLUMN error     text,
    ADD COLUMN attempts  integer;  -- of the round that ended in failed_at

-- The relay takes everything but letters, whoever sends mail takes those: a row is in one of the two indexes. None of
-- these begins with organization_id, since all of them serve work over all tenants. A new row costs one entry.
DROP INDEX outbox_waiting;
CREATE INDEX outbox_waiting ON outbox (created_at, id) WHERE relayed_at IS NULL AND NOT (topic ^@ 'mail.');
CREATE INDEX outbox_letters ON outbox (created_at, id) WHERE relayed_at IS NULL AND topic ^@ 'mail.';
CREATE INDEX outbox_owed ON outbox (epoch, created_at, id)
    WHERE relayed_at IS NOT NULL AND queue IS NOT NULL AND done_at IS NULL AND failed_at IS NULL;
CREATE INDEX outbox_dead ON outbox (failed_at, id) WHERE failed_at IS NOT NULL;
CREATE INDEX outbox_settled ON outbox (relayed_at)
    WHERE relayed_at IS NOT NULL AND (queue IS NULL OR done_at IS NOT NULL OR failed_at IS NOT NULL);

-- Who writes an event says what it is, and nothing of what became of it.
REVOKE INSERT ON outbox FROM buildplan_app, buildplan_system;
GRANT INSERT (organization_id, id, topic, payload) ON outbox TO buildplan_app, buildplan_system;

-- A job marks its own row, in the transaction of its effects, as its organization.
GRANT SELECT (organization_id, id, round, done_at, failed_at), UPDATE (done_at, failed_at, error, attempts) ON outbox
    TO buildplan_app;

-- The relay goes over all tenants. Letters stay with whoever sends mail (0009).
CREATE POLICY system_relay_read ON outbox FOR SELECT TO buildplan_system USING (NOT (topic ^@ 'mail.'));
CREATE POLICY system_relay ON outbox FOR UPDATE TO buildplan_system
    USING (NOT (topic ^@ 'mail.')) WITH CHECK (NOT (topic ^@ 'mail.'));
CREATE POLICY system_sweep ON outbox FOR DELETE TO buildplan_system
    USING (relayed_at < now() - interval '1 day' AND (queue IS NULL OR done_at IS NOT NULL OR failed_at IS NOT NULL));
GRANT DELETE, UPDATE (queue, job, round, epoch, done_at, failed_at, error, attempts) ON outbox TO buildplan_system;

-- What was agreed with an organization beside its tier (customLimits.agents): so many jobs at work at the same time in
-- one of its queues. NULL: what the tier says; 0: no bound. One is always at work, or nothing would ever be done.
CREATE FUNCTION agreed_concurrency(custom_limits jsonb) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN jsonb_typeof(custom_limits -> 'agents') = 'number' THEN
        CASE WHEN (custom_limits ->> 'agents')::numeric < 0 THEN 0
             ELSE greatest((custom_limits ->> 'agents')::numeric::bigint, 1) END END;
