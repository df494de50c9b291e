"""At-risk periods, recovery with its holds, nudges and the tiers that limit them (ST-08, 13, 17, 18, 20)."""

from unora_common.messaging_schema import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# No rewriting: the defaults are constants. The checks read the table once while it is locked.
HOLDS = """
ALTER TABLE streak.streaks
    ADD COLUMN hold_payment_id uuid,
    ADD COLUMN hold_until timestamptz,
    ADD COLUMN long_hold_used boolean NOT NULL DEFAULT false
        CONSTRAINT ck_streaks_hold_is_of_a_window CHECK (streak_state = 'payment_window' OR NOT long_hold_used)
        CONSTRAINT ck_streaks_hold_is_whole CHECK (
            (hold_payment_id IS NULL) = (hold_until IS NULL) AND (hold_until IS NULL OR long_hold_used));
"""

TABLES = """
CREATE TABLE streak.breaks (
    id uuid NOT NULL CONSTRAINT pk_breaks PRIMARY KEY,
    streak_id uuid NOT NULL CONSTRAINT fk_breaks_streak_id REFERENCES streak.streaks (id),
    cycle integer NOT NULL,
    day smallint NOT NULL,
    check_in_date date NOT NULL,
    missing_user_id uuid NOT NULL,
    breaker_user_id uuid,
    opened_at timestamptz NOT NULL,
    broke_at timestamptz,
    closed_at timestamptz,
    outcome text,
    CONSTRAINT uq_breaks_streak_id_cycle_check_in_date UNIQUE (streak_id, cycle, check_in_date),
    CONSTRAINT uq_breaks_id_breaker_user_id UNIQUE (id, breaker_user_id),
    CONSTRAINT uq_breaks_id_streak_id_missing_user_id UNIQUE (id, streak_id, missing_user_id),
    CONSTRAINT ck_breaks_day CHECK (day BETWEEN 1 AND 15),
    CONSTRAINT ck_breaks_breaker_was_missing CHECK (breaker_user_id = missing_user_id),
    CONSTRAINT ck_breaks_broken CHECK ((breaker_user_id IS NULL) = (broke_at IS NULL)),
    CONSTRAINT ck_breaks_closed CHECK ((outcome IS NULL) = (closed_at IS NULL)),
    CONSTRAINT ck_breaks_outcome CHECK (
        outcome = 'terminated' OR outcome = 'kept' AND broke_at IS NULL
        OR outcome IN ('recovered', 'reset') AND broke_at IS NOT NULL)
);
CREATE INDEX ix_breaks_open ON streak.breaks (streak_id) WHERE closed_at IS NULL;
COMMENT ON TABLE streak.breaks IS
    'At-risk periods: who was missing, whether the day broke for it, and what came of it (ST-06, ST-08)';

CREATE TABLE streak.recovery_holds (
    payment_id uuid NOT NULL CONSTRAINT pk_recovery_holds PRIMARY KEY,
    break_id uuid NOT NULL,
    user_id uuid NOT NULL,
    held_at timestamptz NOT NULL,
    held_until timestamptz NOT NULL,
    CONSTRAINT uq_recovery_holds_payment_id_break_id UNIQUE (payment_id, break_id),
    CONSTRAINT fk_recovery_holds_break_id_user_id FOREIGN KEY (break_id, user_id)
        REFERENCES streak.breaks (id, breaker_user_id),
    CONSTRAINT ck_recovery_holds_ends_later CHECK (held_until > held_at)
);
COMMENT ON TABLE streak.recovery_holds IS
    'For which break a payment was authorised, and until when it was held (ST-20)';

CREATE TABLE streak.recovery_payments (
    id uuid NOT NULL CONSTRAINT pk_recovery_payments PRIMARY KEY,
    break_id uuid NOT NULL,
    user_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    recovered_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT uq_recovery_payments_break_id UNIQUE (break_id),
    CONSTRAINT uq_recovery_payments_payment_id UNIQUE (payment_id),
    CONSTRAINT fk_recovery_payments_break_id_user_id FOREIGN KEY (break_id, user_id)
        REFERENCES streak.breaks (id, breaker_user_id),
    CONSTRAINT fk_recovery_payments_payment_id_break_id FOREIGN KEY (payment_id, break_id)
        REFERENCES streak.recovery_holds (payment_id, break_id),
    CONSTRAINT ck_recovery_payments_never_deleted CHECK (deleted_at IS NULL)
);
COMMENT ON TABLE streak.recovery_payments IS
    'Links a recovery to its payment, and by its foreign key to the breaker of that very break (ST-18)';

CREATE TABLE streak.nudges (
    id uuid NOT NULL CONSTRAINT pk_nudges PRIMARY KEY,
    streak_id uuid NOT NULL CONSTRAINT fk_nudges_streak_id REFERENCES streak.streaks (id),
    break_id uuid NOT NULL,
    sender_id uuid NOT NULL,
    receiver_id uuid NOT NULL,
    ordinal smallint NOT NULL,
    payment_id uuid,
    sent_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT uq_nudges_break_id_sender_id_ordinal UNIQUE (break_id, sender_id, ordinal),
    CONSTRAINT uq_nudges_payment_id UNIQUE (payment_id),
    CONSTRAINT fk_nudges_break_id_streak_id_receiver_id FOREIGN KEY (break_id, streak_id, receiver_id)
        REFERENCES streak.breaks (id, streak_id, missing_user_id),
    CONSTRAINT ck_nudges_ordinal CHECK (ordinal > 0),
    CONSTRAINT ck_nudges_never_deleted CHECK (deleted_at IS NULL)
);
COMMENT ON TABLE streak.nudges IS
    'Nudges, numbered within the at-risk period; those of the tier have no payment (ST-13)';

CREATE TABLE streak.closed_payments (
    payment_id uuid NOT NULL CONSTRAINT pk_closed_payments PRIMARY KEY,
    streak_id uuid NOT NULL CONSTRAINT fk_closed_payments_streak_id REFERENCES streak.streaks (id),
    outcome text NOT NULL,
    closed_at timestamptz NOT NULL,
    CONSTRAINT ck_closed_payments_outcome CHECK (outcome IN ('failed', 'rejected'))
);
COMMENT ON TABLE streak.closed_payments IS
    'Payments that bring nothing: they failed, or succeeded when there was nothing to give any more (ST-17)';

CREATE TABLE streak.tiers (
    user_id uuid NOT NULL CONSTRAINT pk_tiers PRIMARY KEY,
    tier text NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT ck_tiers_tier CHECK (tier IN ('free', 'plus', 'pro'))
);
COMMENT ON TABLE streak.tiers IS 'Members'' tiers as billing tells them, for the number of nudges; without one: free';
"""

TRIGGERS = """
CREATE FUNCTION streak.hold_break() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (
            SELECT 1 FROM streak.streaks s
            WHERE s.id = NEW.streak_id AND NEW.missing_user_id IN (s.user_a_id, s.user_b_id)
        ) THEN
            RAISE EXCEPTION 'who is missing is one of the two'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'break_member';
        END IF;
    ELSIF (NEW.id, NEW.streak_id, NEW.cycle, NEW.day, NEW.check_in_date, NEW.missing_user_id, NEW.opened_at)
        IS DISTINCT FROM
        (OLD.id, OLD.streak_id, OLD.cycle, OLD.day, OLD.check_in_date, OLD.missing_user_id, OLD.opened_at)
        OR OLD.broke_at IS NOT NULL AND (NEW.broke_at, NEW.breaker_user_id)
            IS DISTINCT FROM (OLD.broke_at, OLD.breaker_user_id)
        OR OLD.closed_at IS NOT NULL
    THEN
        RAISE EXCEPTION 'what an at-risk period was never changes'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'break_facts';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_break BEFORE INSERT OR UPDATE ON streak.breaks
    FOR EACH ROW EXECUTE FUNCTION streak.hold_break();

CREATE FUNCTION streak.hold_recovery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Judged at the commit, when the link to the payment is written too.
    IF (NEW.cycle, NEW.completed_days) IS DISTINCT FROM (OLD.cycle, OLD.completed_days) OR NOT EXISTS (
        SELECT 1 FROM streak.breaks b JOIN streak.recovery_payments p ON p.break_id = b.id
        WHERE (b.streak_id, b.cycle, b.check_in_date) = (OLD.id, OLD.cycle, OLD.check_in_date)
    ) THEN
        RAISE EXCEPTION 'only a recovery leads from the payment window to active, and with the count there was'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'streak_recovery';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER hold_recovery AFTER UPDATE ON streak.streaks DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.streak_state = 'payment_window' AND NEW.streak_state = 'active')
    EXECUTE FUNCTION streak.hold_recovery();

CREATE FUNCTION streak.hold_nudge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sender_id = NEW.receiver_id OR NOT EXISTS (
        SELECT 1 FROM streak.streaks s
        WHERE s.id = NEW.streak_id AND NEW.sender_id IN (s.user_a_id, s.user_b_id)
    ) THEN
        RAISE EXCEPTION 'a nudge goes from one of the two to the other'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'nudge_member';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_nudge BEFORE INSERT ON streak.nudges
    FOR EACH ROW EXECUTE FUNCTION streak.hold_nudge();

CREATE FUNCTION streak.refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what happened is never changed or deleted'
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_immutable';
END
$$;
CREATE TRIGGER refuse_rewriting BEFORE DELETE OR TRUNCATE ON streak.breaks
    FOR EACH STATEMENT EXECUTE FUNCTION streak.refuse_rewriting();
CREATE TRIGGER refuse_rewriting BEFORE UPDATE OR DELETE OR TRUNCATE ON streak.recovery_payments
    FOR EACH STATEMENT EXECUTE FUNCTION streak.refuse_rewriting();
CREATE TRIGGER refuse_rewriting BEFORE UPDATE OR DELETE OR TRUNCATE ON streak.nudges
    FOR EACH STATEMENT EXECUTE FUNCTION streak.refuse_rewriting();
"""

# Streaks that are at risk or in their window at this moment. Each was at risk for these six hours at least.
OPEN = """
INSERT INTO streak.breaks
    (id, streak_id, cycle, day, check_in_date, missing_user_id, breaker_user_id, opened_at, broke_at)
SELECT gen_random_uuid(), id, cycle, current_day, check_in_date,
    CASE WHEN user_a_id = ANY (here) THEN user_b_id ELSE user_a_id END,
    breaker_user_id, closes_at - interval '6 hours', CASE WHEN streak_state = 'payment_window' THEN closes_at END
FROM streak.streaks WHERE streak_state IN ('at_risk', 'payment_window');
"""


def upgrade() -> None:
    run_sql(HOLDS)
    run_sql(TABLES)
    run_sql(TRIGGERS)
    run_sql(OPEN)
