"""Streaks and check-ins, with the state machine's transitions held by a trigger (ST-01, ST-02, ST-04)."""

from unora_common.messaging_schema import create_messaging_tables, run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE streak.streaks (
    id uuid NOT NULL CONSTRAINT pk_streaks PRIMARY KEY,
    connection_id uuid NOT NULL,
    user_a_id uuid NOT NULL,
    user_b_id uuid NOT NULL,
    server_type text NOT NULL,
    streak_state text NOT NULL,
    cycle integer NOT NULL,
    completed_days smallint NOT NULL,
    current_day smallint NOT NULL,
    zone text NOT NULL,
    check_in_date date NOT NULL,
    closes_at timestamptz NOT NULL,
    here uuid[] NOT NULL,
    started_at timestamptz NOT NULL,
    window_closes_at timestamptz,
    breaker_user_id uuid,
    ended_at timestamptz,
    connection_ended_at timestamptz,
    next_due_at timestamptz,
    version bigint NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT ck_streaks_pair_ordered CHECK (user_a_id < user_b_id),
    CONSTRAINT ck_streaks_server_type CHECK (server_type IN ('partner', 'friend', 'growth')),
    CONSTRAINT ck_streaks_streak_state CHECK (
        streak_state IN ('active', 'at_risk', 'payment_window', 'reset', 'completed', 'terminated')),
    CONSTRAINT ck_streaks_completed_days CHECK (completed_days BETWEEN 0 AND 15),
    CONSTRAINT ck_streaks_current_day CHECK (current_day BETWEEN 1 AND 15 OR streak_state = 'terminated'),
    CONSTRAINT ck_streaks_completed_is_day_15 CHECK ((streak_state = 'completed') = (completed_days = 15)),
    CONSTRAINT ck_streaks_here_is_the_pair CHECK (here <@ ARRAY[user_a_id, user_b_id]),
    CONSTRAINT ck_streaks_one_is_missing CHECK (
        streak_state NOT IN ('at_risk', 'payment_window') OR cardinality(here) = 1),
    CONSTRAINT ck_streaks_breaker_is_of_the_pair CHECK (breaker_user_id IN (user_a_id, user_b_id)),
    CONSTRAINT ck_streaks_window_has_a_breaker CHECK (
        (streak_state = 'payment_window') = (window_closes_at IS NOT NULL AND breaker_user_id IS NOT NULL)),
    CONSTRAINT ck_streaks_ended CHECK ((streak_state IN ('completed', 'terminated')) = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX uq_streaks_one_active_per_connection ON streak.streaks (connection_id) WHERE deleted_at IS NULL;
CREATE INDEX ix_streaks_next_due_at ON streak.streaks (next_due_at) WHERE next_due_at IS NOT NULL;
CREATE INDEX ix_streaks_user_a_id ON streak.streaks (user_a_id);
CREATE INDEX ix_streaks_user_b_id ON streak.streaks (user_b_id);
COMMENT ON TABLE streak.streaks IS
    'State machine of each connection''s streak (ST-01, ST-02); one row for the connection''s life';

CREATE TABLE streak.check_ins (
    id uuid NOT NULL CONSTRAINT pk_check_ins PRIMARY KEY,
    streak_id uuid NOT NULL CONSTRAINT fk_check_ins_streak_id REFERENCES streak.streaks (id),
    user_id uuid NOT NULL,
    cycle integer NOT NULL,
    day smallint NOT NULL,
    check_in_date date NOT NULL,
    check_in_at timestamptz NOT NULL,
    effort_signal text NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT uq_check_ins_streak_id_user_id_cycle_check_in_date UNIQUE (streak_id, user_id, cycle, check_in_date),
    CONSTRAINT ck_check_ins_effort_signal CHECK (effort_signal IN ('low', 'medium', 'high')),
    CONSTRAINT ck_check_ins_day CHECK (day BETWEEN 1 AND 15),
    CONSTRAINT ck_check_ins_never_deleted CHECK (deleted_at IS NULL)
);
COMMENT ON TABLE streak.check_ins IS 'Daily check-ins; never changed or deleted (ST-04)';
"""

TRIGGERS = """
CREATE FUNCTION streak.hold_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.streak_state, NEW.streak_state) NOT IN (
        ('active', 'at_risk'), ('active', 'reset'), ('active', 'completed'), ('active', 'terminated'),
        ('at_risk', 'active'), ('at_risk', 'payment_window'), ('at_risk', 'completed'), ('at_risk', 'terminated'),
        ('payment_window', 'active'), ('payment_window', 'reset'), ('payment_window', 'terminated'),
        ('reset', 'active'), ('reset', 'terminated')
    ) THEN
        RAISE EXCEPTION 'a streak cannot go from % to %', OLD.streak_state, NEW.streak_state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'streak_transition';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_transition BEFORE UPDATE OF streak_state ON streak.streaks
    FOR EACH ROW WHEN (OLD.streak_state IS DISTINCT FROM NEW.streak_state) EXECUTE FUNCTION streak.hold_transition();

CREATE FUNCTION streak.hold_beginning() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Terminated from its first moment is one whose connection had ended before it was told of.
    IF NEW.streak_state NOT IN ('active', 'terminated') OR NEW.cycle <> 1 OR NEW.completed_days <> 0 THEN
        RAISE EXCEPTION 'a streak begins active, on day 1 of cycle 1'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'streak_beginning';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_beginning BEFORE INSERT ON streak.streaks
    FOR EACH ROW EXECUTE FUNCTION streak.hold_beginning();

CREATE FUNCTION streak.hold_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.connection_id, NEW.user_a_id, NEW.user_b_id, NEW.server_type, NEW.started_at)
        IS DISTINCT FROM
        (OLD.id, OLD.connection_id, OLD.user_a_id, OLD.user_b_id, OLD.server_type, OLD.started_at)
    THEN
        RAISE EXCEPTION 'whose streak it is never changes'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'streak_facts';
    END IF;
    IF NEW.version < OLD.version OR NEW.cycle NOT IN (OLD.cycle, OLD.cycle + 1)
        OR (NEW.cycle = OLD.cycle AND NEW.completed_days NOT IN (OLD.completed_days, OLD.completed_days + 1))
        OR (NEW.cycle > OLD.cycle AND NEW.completed_days <> 0)
    THEN
        RAISE EXCEPTION 'a streak counts its days one by one, and begins a cycle with none'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'streak_count';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_facts BEFORE UPDATE ON streak.streaks
    FOR EACH ROW EXECUTE FUNCTION streak.hold_facts();

CREATE FUNCTION streak.hold_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM streak.streaks s WHERE s.id = NEW.streak_id AND NEW.user_id IN (s.user_a_id, s.user_b_id)
    ) THEN
        RAISE EXCEPTION 'a check-in is of one of the two'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'check_in_member';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_member BEFORE INSERT ON streak.check_ins
    FOR EACH ROW EXECUTE FUNCTION streak.hold_member();

CREATE FUNCTION streak.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a check-in is never changed or deleted'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'check_in_immutable';
END
$$;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON streak.check_ins
    FOR EACH STATEMENT EXECUTE FUNCTION streak.refuse_change();
"""


def upgrade() -> None:
    create_messaging_tables("streak")
    run_sql(TABLES)
    run_sql(TRIGGERS)
