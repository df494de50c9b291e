"""Tiers as billing tells them, and purchases, with RE-05 held by the database itself."""

from unora_common.messaging_schema import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE reveal.tiers (
    user_id uuid NOT NULL CONSTRAINT pk_tiers PRIMARY KEY,
    tier text NOT NULL DEFAULT 'free',
    version bigint NOT NULL DEFAULT 0,
    CONSTRAINT ck_tiers_tier CHECK (tier IN ('free', 'plus', 'pro'))
);
COMMENT ON TABLE reveal.tiers IS
    'A projection of billing: the tier that a progression begins with (RE-08). '
    'Its row''s lock comes before the pairs''';

CREATE TABLE reveal.purchases (
    payment_id uuid NOT NULL CONSTRAINT pk_purchases PRIMARY KEY,
    reveal_id uuid NOT NULL CONSTRAINT fk_purchases_reveal_id REFERENCES reveal.reveals (id),
    given boolean NOT NULL,
    decided_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX uq_purchases_one_given_per_reveal ON reveal.purchases (reveal_id) WHERE given;
COMMENT ON TABLE reveal.purchases IS
    'What became of each payment for a reveal: given, or rejected so that it becomes credits (RE-05, BI-11)';

-- Two small rows a connection: writers wait for the moment that this takes, for no longer than the lock's limit.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ix_progressions_user_id ON reveal.progressions (user_id);
"""

TRIGGERS = """
-- BI-11: what became of a payment is decided once.
CREATE FUNCTION reveal.hold_purchase() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reveal.refuse('purchase_fixed', 'what became of a payment never changes');
    RETURN NULL;
END
$$;
CREATE TRIGGER hold_purchase BEFORE UPDATE OR DELETE ON reveal.purchases
    FOR EACH ROW EXECUTE FUNCTION reveal.hold_purchase();

-- BI-11: looked at when the transaction commits: what was paid for and called given has been given.
CREATE FUNCTION reveal.require_given() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM reveal.reveals
                   WHERE id = NEW.reveal_id AND reveal_status IN ('purchased', 'unlocked')) THEN
        PERFORM reveal.refuse('purchase_given', 'a payment that is called given has given its reveal');
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER require_given AFTER INSERT ON reveal.purchases DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.given) EXECUTE FUNCTION reveal.require_given();

-- RE-05: bought is what the member's tier sells, the lowest of it that is still locked, for a payment.
CREATE FUNCTION reveal.require_for_sale(wanted reveal.reveals) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    lowest smallint;
BEGIN
    SELECT min(m.reveal_number) INTO lowest
    FROM reveal.progressions p
    JOIN reveal.reveal_milestones m USING (tier)
    JOIN reveal.reveals r ON r.streak_id = p.streak_id AND r.user_id = p.user_id AND r.reveal_number = m.reveal_number
    WHERE p.streak_id = wanted.streak_id AND p.user_id = wanted.user_id
      AND m.reveal_day_required IS NULL AND r.reveal_status = 'locked';
    IF lowest IS DISTINCT FROM wanted.reveal_number THEN
        PERFORM reveal.refuse('reveal_not_for_sale', 'this is not the reveal that the member''s tier sells next');
    END IF;
    IF NOT EXISTS (SELECT FROM reveal.purchases WHERE reveal_id = wanted.id AND given) THEN
        PERFORM reveal.refuse('reveal_unpaid', 'a reveal is bought with a payment');
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION reveal.hold_reveal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    pair reveal.pairs;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.reveal_status <> 'locked' THEN
            PERFORM reveal.refuse('reveal_transition', 'a reveal begins locked');
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.id, OLD.streak_id, OLD.connection_id, OLD.user_id, OLD.partner_id, OLD.reveal_number)
       IS DISTINCT FROM (NEW.id, NEW.streak_id, NEW.connection_id, NEW.user_id, NEW.partner_id, NEW.reveal_number) THEN
        PERFORM reveal.refuse('reveal_fixed', 'a reveal stays whose it is');
    END IF;
    IF OLD.reveal_status = NEW.reveal_status THEN
        IF (OLD.completed_days, OLD.unlocked_at) IS DISTINCT FROM (NEW.completed_days, NEW.unlocked_at) THEN
            PERFORM reveal.refuse('reveal_fixed', 'when a reveal was earned and opened never changes');
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.reveal_status, NEW.reveal_status) NOT IN (
        ('locked', 'earned'), ('locked', 'purchased'), ('earned', 'unlocked'), ('purchased', 'unlocked')) THEN
        PERFORM reveal.refuse('reveal_transition',
            format('a reveal cannot go from %s to %s', OLD.reveal_status, NEW.reveal_status));
    END IF;
    SELECT * INTO pair FROM reveal.pairs WHERE connection_id = NEW.connection_id FOR UPDATE;
    IF pair.ended_at IS NOT NULL THEN
        PERFORM reveal.refuse('reveal_after_end', 'nothing is earned or opened after the end of a connection');
    END IF;
    IF OLD.reveal_status <> 'locked' THEN
        IF NEW.completed_days <> OLD.completed_days THEN
            PERFORM reveal.refuse('reveal_fixed', 'the days at which a reveal was earned never change');
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.completed_days > pair.completed_days THEN
        PERFORM reveal.refuse('reveal_unearned', 'the pair has not reached these days');
    END IF;
    IF NEW.reveal_status = 'earned' AND NOT EXISTS (
        SELECT FROM reveal.progressions p JOIN reveal.reveal_milestones m USING (tier)
        WHERE p.streak_id = NEW.streak_id AND p.user_id = NEW.user_id AND m.reveal_number = NEW.reveal_number
          AND m.reveal_day_required <= NEW.completed_days) THEN
        PERFORM reveal.refuse('reveal_unearned', 'the member''s tier does not earn this reveal at these days');
    END IF;
    IF NEW.reveal_status = 'purchased' THEN
        PERFORM reveal.require_for_sale(OLD);
    END IF;
    RETURN NEW;
END
$$;
"""


def upgrade() -> None:
    run_sql(TABLES)
    run_sql(TRIGGERS)
