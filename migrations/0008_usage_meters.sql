-- phase: expand
-- Counts of calls are kept in memory and folded into usage every few seconds. Each counter (one for each shard of a
-- process) numbers its folds and leaves the number here in the same transaction, so that one whose answer was lost can
-- be sent again and counts once. Nobody's data; rows of counters that are gone are swept.
CREATE TABLE usage_meters (
    id         uuid PRIMARY KEY,
    folds      bigint NOT NULL CHECK (folds > 0),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

ALTER TABLE usage_meters ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_meters FORCE ROW LEVEL SECURITY;
CREATE POLICY system_all ON usage_meters TO buildplan_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE, UPDATE (folds, updated_at) ON usage_meters TO buildplan_system;

-- The beginning of the billing period that a moment is in: that of the subscription while it lasts, else the calendar
-- month (UTC), which is also what a subscription that nobody is billed for goes by.
CREATE FUNCTION usage_period(period_start timestamptz, period_end timestamptz, moment timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN moment >= period_start AND moment < period_end THEN period_start
                ELSE date_trunc('month', moment, 'UTC') END;
