"""Closed accounts, and the credits that they forfeit (ID-09).

The version before goes on beside this one: it writes no entry without a payment, and opens no account that is closed.
"""

from unora_common.messaging_schema import run_sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ACCOUNTS = """
ALTER TABLE billing.accounts
    ADD COLUMN closed boolean NOT NULL DEFAULT false,
    ADD COLUMN life_version bigint NOT NULL DEFAULT 0;
"""

# Each is wider than the one that it replaces, so all rows that are there hold it, and none has to be scanned.
CREDITS = """
ALTER TABLE billing.credits
    -- squawk-ignore ban-drop-not-null
    ALTER COLUMN payment_id DROP NOT NULL,
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT ck_credits_kind,
    ADD CONSTRAINT ck_credits_kind CHECK (
        kind IN ('protection', 'compensation', 'spent', 'taken_back', 'given_back', 'forfeited')) NOT VALID,
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT ck_credits_amount,
    ADD CONSTRAINT ck_credits_amount CHECK (
        CASE WHEN kind IN ('spent', 'taken_back', 'forfeited') THEN amount < 0 ELSE amount > 0 END) NOT VALID,
    ADD CONSTRAINT ck_credits_payment CHECK ((kind = 'forfeited') = (payment_id IS NULL)) NOT VALID;
"""

# As in 0002, besides what a closed account forfeits.
ENTRIES = """
CREATE OR REPLACE FUNCTION billing.hold_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind <> 'forfeited' AND NOT EXISTS (
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
            ), 0) = CASE WHEN p.failure = 'mismatch' THEN coalesce((
                SELECT m.received FROM billing.payment_mismatches m
                WHERE m.provider_payment_id = p.provider_payment_id
            ), p.amount) ELSE p.amount END END)
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
    for script in (ACCOUNTS, CREDITS, ENTRIES):
        run_sql(script)
