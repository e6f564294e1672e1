-- phase: expand
-- Whoever sends mail takes letters from the outbox: the events whose topic begins with "mail.", and no others. A letter
-- that was taken keeps its place, without the token that it carried.
CREATE POLICY system_letters_read ON outbox FOR SELECT TO buildplan_system USING (topic ^@ 'mail.');
CREATE POLICY system_letters_take ON outbox FOR UPDATE TO buildplan_system
    USING (relayed_at IS NULL AND topic ^@ 'mail.') WITH CHECK (topic ^@ 'mail.');
GRANT SELECT, UPDATE (payload, relayed_at) ON outbox TO buildplan_system;
