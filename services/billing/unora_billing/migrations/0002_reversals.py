"""Refunds, disputes and warnings beside payments, and money that does not match its payment (BI-10, BI-13).

The version before goes on beside this one: it knows neither table, and may write to the others what it wrote before.
"""

from unora_common.messaging_schema import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE billing.payment_reversals (
    id uuid NOT NULL CONSTRAINT pk_payment_reversals PRIMARY KEY,
    payment_id uuid NOT NULL CONSTRAINT fk_payment_reversals_payment_id REFERENCES billing.payments (id),
    provider_id text NOT NULL,
    kind text NOT NULL,
    amount bigint NOT NULL,
    reversed bigint NOT NULL,
    credits bigint NOT NULL,
    uncollected bigint NOT NULL,
    entry_id uuid CONSTRAINT fk_payment_reversals_entry_id REFERENCES billing.credits (id)
        DEFERRABLE INITIALLY DEFERRED,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT uq_payment_reversals_provider_id_kind UNIQUE (provider_id, kind),
    CONSTRAINT uq_payment_reversals_entry_id UNIQUE (entry_id),
    CONSTRAINT ck_payment_reversals_kind CHECK (
        kind IN ('refunded', 'refund_failed', 'inquiry_opened', 'inquiry_closed', 'dispute_opened', 'dispute_won',
                 'dispute_lost', 'fraud_warned')),
    CONSTRAINT ck_payment_reversals_amount CHECK (amount >= 0),
    CONSTRAINT ck_payment_reversals_direction CHECK (CASE
        WHEN kind IN ('refunded', 'dispute_opened', 'dispute_lost')
            THEN reversed >= 0 AND credits <= 0 AND uncollected >= 0
        WHEN kind IN ('refund_failed', 'dispute_won') THEN reversed <= 0 AND credits >= 0 AND uncollected <= 0
        ELSE reversed = 0 AND credits = 0 AND uncollected = 0 END),
    CONSTRAINT ck_payment_reversals_collected CHECK (
        (credits = 0 AND uncollected = 0) OR reversed + credits = uncollected),
    CONSTRAINT ck_payment_reversals_entry CHECK ((credits = 0) = (entry_id IS NULL))
);
CREATE INDEX ix_payment_reversals_payment_id ON billing.payment_reversals (payment_id);
COMMENT ON TABLE billing.payment_reversals IS
    'Refunds, disputes and warnings beside payments, append-only, each told by the provider (BI-10)';

CREATE TABLE billing.payment_mismatches (
    provider_payment_id text NOT NULL CONSTRAINT pk_payment_mismatches PRIMARY KEY,
    payment_id uuid NOT NULL CONSTRAINT fk_payment_mismatches_payment_id REFERENCES billing.payments (id),
    received bigint,
    currency text NOT NULL,
    noted_at timestamptz NOT NULL,
    resolution text,
    decided_at timestamptz,
    settled_at timestamptz,
    CONSTRAINT ck_payment_mismatches_received CHECK (received >= 0),
    CONSTRAINT ck_payment_mismatches_resolution CHECK (resolution IN ('refund', 'credit')),
    CONSTRAINT ck_payment_mismatches_decided CHECK ((resolution IS NULL) = (decided_at IS NULL)),
    CONSTRAINT ck_payment_mismatches_settled CHECK (settled_at IS NULL OR resolution IS NOT NULL)
);
CREATE INDEX ix_payment_mismatches_payment_id ON billing.payment_mismatches (payment_id);
COMMENT ON TABLE billing.payment_mismatches IS
    'Charges that do not pay for their payment, and what an operator decided on each (BI-10)';
"""

# Each is wider than the one that it replaces, so all rows that are there hold it, and none has to be scanned.
CHECKS = """
-- squawk-ignore ban-drop-constraint
ALTER TABLE billing.credits DROP CONSTRAINT ck_credits_kind;
ALTER TABLE billing.credits ADD CONSTRAINT ck_credits_kind CHECK (
    kind IN ('protection', 'compensation', 'spent', 'taken_back', 'given_back')) NOT VALID;
-- squawk-ignore ban-drop-constraint
ALTER TABLE billing.credits DROP CONSTRAINT ck_credits_amount;
ALTER TABLE billing.credits ADD CONSTRAINT ck_credits_amount CHECK (
    CASE WHEN kind IN ('spent', 'taken_back') THEN amount < 0 ELSE amount > 0 END) NOT VALID;
-- squawk-ignore ban-drop-constraint
ALTER TABLE billing.payments DROP CONSTRAINT ck_payments_failure;
ALTER TABLE billing.payments ADD CONSTRAINT ck_payments_failure CHECK (
    CASE WHEN status = 'failed'
        THEN coalesce(failure IN ('not_authorized', 'declined', 'expired', 'mismatch'), false)
    ELSE failure IS NULL OR status = 'credited' END) NOT VALID;
-- squawk-ignore ban-drop-constraint
ALTER TABLE billing.provider_events DROP CONSTRAINT ck_provider_events_outcome;
ALTER TABLE billing.provider_events ADD CONSTRAINT ck_provider_events_outcome CHECK (
    outcome IN ('applied', 'nothing_to_do', 'unknown', 'unknown_kind', 'mismatch')) NOT VALID;
"""

# The ledger has a row for few payments, so it is small: its index is made again within a moment.
CONVERSIONS = """
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX billing.uq_credits_one_conversion;
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX uq_credits_one_conversion ON billing.credits (payment_id)
    WHERE kind IN ('protection', 'compensation');
"""

# What the provider took for a payment is its amount, unless it took another one and the payment failed by that.
TAKEN = """
        CASE WHEN p.failure = 'mismatch' THEN coalesce((
            SELECT m.received FROM billing.payment_mismatches m WHERE m.provider_payment_id = p.provider_payment_id
        ), p.amount) ELSE p.amount END"""

TRIGGERS = f"""
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON billing.payment_reversals
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.payment_mismatches
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();

CREATE FUNCTION billing.hold_reversal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM billing.payments p
        WHERE p.id = NEW.payment_id AND p.method = 'money'
            AND (p.status = 'credited' OR (NEW.credits = 0 AND NEW.uncollected = 0))
            AND NEW.reversed + coalesce((
                SELECT sum(r.reversed) FROM billing.payment_reversals r WHERE r.payment_id = p.id
            ), 0) BETWEEN 0 AND {TAKEN})
    THEN
        RAISE EXCEPTION 'what is reversed is at most what was paid by money, and only credits that came are taken back'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_reversal';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_reversal BEFORE INSERT ON billing.payment_reversals
    FOR EACH ROW EXECUTE FUNCTION billing.hold_reversal();

CREATE FUNCTION billing.hold_mismatch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.provider_payment_id, NEW.payment_id, NEW.received, NEW.currency, NEW.noted_at) IS DISTINCT FROM
        (OLD.provider_payment_id, OLD.payment_id, OLD.received, OLD.currency, OLD.noted_at)
        OR (OLD.resolution IS NOT NULL AND NEW.resolution IS DISTINCT FROM OLD.resolution)
        OR (OLD.settled_at IS NOT NULL AND NEW.settled_at IS DISTINCT FROM OLD.settled_at)
    THEN
        RAISE EXCEPTION 'a mismatch is decided and settled once, and nothing else of it changes'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_mismatch';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_mismatch BEFORE UPDATE ON billing.payment_mismatches
    FOR EACH ROW EXECUTE FUNCTION billing.hold_mismatch();

CREATE OR REPLACE FUNCTION billing.hold_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM billing.payments p
        WHERE p.id = NEW.payment_id AND p.payer_id = NEW.user_id AND CASE
            WHEN NEW.kind = 'spent'
                THEN p.method = 'credits' AND p.status IN ('created', 'succeeded') AND p.amount = -NEW.amount
            WHEN NEW.kind IN ('taken_back', 'given_back')
                THEN p.status = 'credited' AND EXISTS (
                    SELECT 1 FROM billing.payment_reversals r
                    WHERE r.entry_id = NEW.id AND r.payment_id = p.id AND r.credits = NEW.amount)
            ELSE p.status = 'credited' AND NEW.amount + coalesce((
                SELECT sum(r.reversed) FROM billing.payment_reversals r WHERE r.payment_id = p.id
            ), 0) = {TAKEN} END)
    THEN
        RAISE EXCEPTION 'an entry is what is left of a payment of its member, or what a reversal of it changed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'credit_entry';
    END IF;
    UPDATE billing.accounts SET balance = balance + NEW.amount WHERE user_id = NEW.user_id;
    RETURN NEW;
END
$$;
"""


def upgrade() -> None:
    run_sql(TABLES)
    run_sql(CHECKS)
    run_sql(CONVERSIONS)
    run_sql(TRIGGERS)
