"""Accounts, subscriptions, payments, credits and protections, with what money may never do held by triggers (BI-01 to
BI-06, BI-11).
"""

from unora_common.messaging_schema import create_messaging_tables, run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE billing.accounts (
    user_id uuid NOT NULL CONSTRAINT pk_accounts PRIMARY KEY,
    tier text NOT NULL,
    balance bigint NOT NULL,
    suspended boolean NOT NULL,
    standing_version bigint NOT NULL,
    provider_customer_id text,
    version bigint NOT NULL,
    CONSTRAINT ck_accounts_tier CHECK (tier IN ('free', 'plus', 'pro')),
    CONSTRAINT ck_accounts_balance CHECK (balance >= 0),
    CONSTRAINT ck_accounts_version CHECK (version >= 0)
);
COMMENT ON TABLE billing.accounts IS
    'The row that all of a member''s money is locked by: tier and credits as they are now (BI-01, BI-03)';

CREATE TABLE billing.subscriptions (
    id uuid NOT NULL CONSTRAINT pk_subscriptions PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT fk_subscriptions_user_id REFERENCES billing.accounts (user_id),
    tier text NOT NULL,
    status text NOT NULL,
    started_at timestamptz NOT NULL,
    periods integer NOT NULL,
    current_period_starts_at timestamptz NOT NULL,
    current_period_ends_at timestamptz NOT NULL,
    due_at timestamptz,
    attempts integer NOT NULL,
    provider_method_id text NOT NULL,
    ended_at timestamptz,
    deleted_at timestamptz,
    CONSTRAINT ck_subscriptions_tier CHECK (tier IN ('plus', 'pro')),
    CONSTRAINT ck_subscriptions_status CHECK (status IN ('active', 'cancelled', 'grace', 'ended')),
    CONSTRAINT ck_subscriptions_ended CHECK ((status = 'ended') = (ended_at IS NOT NULL)),
    CONSTRAINT ck_subscriptions_due CHECK ((status = 'ended') = (due_at IS NULL)),
    CONSTRAINT ck_subscriptions_period CHECK (current_period_starts_at < current_period_ends_at)
);
CREATE UNIQUE INDEX uq_subscriptions_one_active ON billing.subscriptions (user_id) WHERE status <> 'ended';
CREATE INDEX ix_subscriptions_due_at ON billing.subscriptions (due_at) WHERE due_at IS NOT NULL;
COMMENT ON TABLE billing.subscriptions IS 'User tier and billing dates; one that goes on a member (BI-01)';

CREATE TABLE billing.payments (
    id uuid NOT NULL CONSTRAINT pk_payments PRIMARY KEY,
    payer_id uuid NOT NULL CONSTRAINT fk_payments_payer_id REFERENCES billing.accounts (user_id),
    request_id uuid NOT NULL,
    purpose text NOT NULL,
    method text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    streak_id uuid,
    reveal_number smallint,
    plan text,
    renews_subscription_id uuid
        CONSTRAINT fk_payments_renews_subscription_id REFERENCES billing.subscriptions (id),
    status text NOT NULL,
    failure text,
    connection_id uuid,
    provider_payment_id text,
    created_at timestamptz NOT NULL,
    succeeded_at timestamptz,
    due_at timestamptz,
    version bigint NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT uq_payments_payer_id_request_id UNIQUE (payer_id, request_id),
    CONSTRAINT uq_payments_provider_payment_id UNIQUE (provider_payment_id),
    CONSTRAINT ck_payments_purpose CHECK (purpose IN ('recovery', 'reveal', 'nudge', 'subscription')),
    CONSTRAINT ck_payments_method CHECK (method IN ('money', 'credits', 'free')),
    CONSTRAINT ck_payments_status CHECK (
        status IN ('created', 'pending', 'succeeded', 'applied', 'credited', 'failed')),
    CONSTRAINT ck_payments_amount CHECK (CASE WHEN method = 'free' THEN amount = 0 ELSE amount > 0 END),
    CONSTRAINT ck_payments_currency CHECK (currency = 'USD'),
    CONSTRAINT ck_payments_free_is_a_recovery CHECK (method <> 'free' OR purpose = 'recovery'),
    CONSTRAINT ck_payments_subscription_by_money CHECK (purpose <> 'subscription' OR method = 'money'),
    CONSTRAINT ck_payments_target CHECK (CASE purpose
        WHEN 'subscription' THEN streak_id IS NULL AND reveal_number IS NULL AND plan IN ('plus', 'pro')
        WHEN 'reveal' THEN streak_id IS NOT NULL AND coalesce(reveal_number BETWEEN 1 AND 4, false) AND plan IS NULL
        ELSE streak_id IS NOT NULL AND reveal_number IS NULL AND plan IS NULL END),
    CONSTRAINT ck_payments_renewal CHECK (renews_subscription_id IS NULL OR purpose = 'subscription'),
    CONSTRAINT ck_payments_failure CHECK (
        CASE WHEN status = 'failed' THEN coalesce(failure IN ('not_authorized', 'declined', 'expired'), false)
        ELSE failure IS NULL OR status = 'credited' END),
    CONSTRAINT ck_payments_succeeded CHECK (
        (status IN ('succeeded', 'applied', 'credited')) = (succeeded_at IS NOT NULL)),
    CONSTRAINT ck_payments_never_deleted CHECK (deleted_at IS NULL)
);
CREATE UNIQUE INDEX uq_payments_one_open_subscription ON billing.payments (payer_id)
    WHERE purpose = 'subscription' AND status IN ('created', 'pending');
CREATE INDEX ix_payments_due_at ON billing.payments (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ix_payments_payer_id_created_at ON billing.payments (payer_id, created_at, id);
COMMENT ON TABLE billing.payments IS
    'All payments; what they are never changes, and their status moves only forward (BI-02)';

CREATE TABLE billing.credits (
    id uuid NOT NULL CONSTRAINT pk_credits PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT fk_credits_user_id REFERENCES billing.accounts (user_id),
    kind text NOT NULL,
    amount bigint NOT NULL,
    payment_id uuid NOT NULL CONSTRAINT fk_credits_payment_id REFERENCES billing.payments (id),
    created_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT ck_credits_kind CHECK (kind IN ('protection', 'compensation', 'spent')),
    CONSTRAINT ck_credits_amount CHECK (CASE WHEN kind = 'spent' THEN amount < 0 ELSE amount > 0 END),
    CONSTRAINT ck_credits_never_deleted CHECK (deleted_at IS NULL)
);
CREATE UNIQUE INDEX uq_credits_one_conversion ON billing.credits (payment_id) WHERE kind <> 'spent';
CREATE UNIQUE INDEX uq_credits_one_spending ON billing.credits (payment_id) WHERE kind = 'spent';
CREATE INDEX ix_credits_user_id_created_at ON billing.credits (user_id, created_at, id);
COMMENT ON TABLE billing.credits IS
    'The ledger of credits, append-only; a member''s balance is the sum of their entries (BI-03)';

CREATE TABLE billing.credit_protections (
    id uuid NOT NULL CONSTRAINT pk_credit_protections PRIMARY KEY,
    payment_id uuid NOT NULL CONSTRAINT fk_credit_protections_payment_id REFERENCES billing.payments (id),
    payer_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    status text NOT NULL,
    opened_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    closed_at timestamptz,
    version bigint NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT uq_credit_protections_payment_id UNIQUE (payment_id),
    CONSTRAINT ck_credit_protections_status CHECK (status IN ('open', 'expired', 'converted')),
    CONSTRAINT ck_credit_protections_two CHECK (payer_id <> partner_id),
    CONSTRAINT ck_credit_protections_window CHECK (opened_at < expires_at),
    CONSTRAINT ck_credit_protections_closed CHECK ((status = 'open') = (closed_at IS NULL)),
    CONSTRAINT ck_credit_protections_converted_in_time CHECK (status <> 'converted' OR closed_at < expires_at)
);
CREATE INDEX ix_credit_protections_connection_id ON billing.credit_protections (connection_id);
CREATE INDEX ix_credit_protections_expires_at ON billing.credit_protections (expires_at) WHERE status = 'open';
COMMENT ON TABLE billing.credit_protections IS
    '24-hour windows in which the partner''s ending turns a recovery''s price into credits (BI-05)';

CREATE TABLE billing.free_recovery_allowances (
    connection_id uuid NOT NULL,
    user_id uuid NOT NULL CONSTRAINT fk_free_recovery_allowances_user_id REFERENCES billing.accounts (user_id),
    used integer NOT NULL,
    CONSTRAINT pk_free_recovery_allowances PRIMARY KEY (connection_id, user_id),
    CONSTRAINT ck_free_recovery_allowances_used CHECK (used >= 0)
);
COMMENT ON TABLE billing.free_recovery_allowances IS 'Free recoveries used, per connection and member (BI-06)';

CREATE TABLE billing.connection_endings (
    connection_id uuid NOT NULL CONSTRAINT pk_connection_endings PRIMARY KEY,
    ended_by_id uuid,
    ended_at timestamptz,
    CONSTRAINT ck_connection_endings_ended CHECK ((ended_by_id IS NULL) = (ended_at IS NULL))
);
COMMENT ON TABLE billing.connection_endings IS
    'Who ended which connection and when, for protections that open later; empty while only a lock';

CREATE TABLE billing.provider_events (
    event_id text NOT NULL CONSTRAINT pk_provider_events PRIMARY KEY,
    kind text NOT NULL,
    provider_payment_id text,
    payment_id uuid,
    outcome text NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT ck_provider_events_outcome CHECK (outcome IN ('applied', 'nothing_to_do', 'unknown', 'mismatch'))
);
COMMENT ON TABLE billing.provider_events IS 'What the provider told, so that each is applied once (BI-07)';
"""

TRIGGERS = """
CREATE FUNCTION billing.hold_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.payer_id, NEW.request_id, NEW.purpose, NEW.currency, NEW.streak_id, NEW.reveal_number, NEW.plan,
        NEW.renews_subscription_id, NEW.created_at)
        IS DISTINCT FROM
        (OLD.id, OLD.payer_id, OLD.request_id, OLD.purpose, OLD.currency, OLD.streak_id, OLD.reveal_number, OLD.plan,
        OLD.renews_subscription_id, OLD.created_at)
        OR (OLD.connection_id IS NOT NULL AND NEW.connection_id IS DISTINCT FROM OLD.connection_id)
        OR (OLD.provider_payment_id IS NOT NULL AND NEW.provider_payment_id IS DISTINCT FROM OLD.provider_payment_id)
        OR (OLD.succeeded_at IS NOT NULL AND NEW.succeeded_at IS DISTINCT FROM OLD.succeeded_at)
        OR NEW.version < OLD.version
    THEN
        RAISE EXCEPTION 'what a payment is never changes'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_facts';
    END IF;
    -- A free recovery takes the place of the price in the one step in which it pays, and nothing was charged before.
    IF (NEW.method, NEW.amount) IS DISTINCT FROM (OLD.method, OLD.amount) AND NOT (
        OLD.status = 'created' AND NEW.status = 'succeeded' AND OLD.provider_payment_id IS NULL
        AND NEW.method = 'free' AND NEW.amount = 0)
    THEN
        RAISE EXCEPTION 'the amount of a payment never changes'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_facts';
    END IF;
    IF OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('created', 'pending'), ('created', 'succeeded'), ('created', 'failed'),
        ('pending', 'succeeded'), ('pending', 'failed'),
        ('succeeded', 'applied'), ('succeeded', 'credited'), ('applied', 'credited'), ('failed', 'credited'))
    THEN
        RAISE EXCEPTION 'a payment cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_transition';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_payment BEFORE UPDATE ON billing.payments
    FOR EACH ROW EXECUTE FUNCTION billing.hold_payment();

CREATE FUNCTION billing.hold_beginning() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> 'created' OR NEW.method = 'free' THEN
        RAISE EXCEPTION 'a payment begins recorded, with nothing charged'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_beginning';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_beginning BEFORE INSERT ON billing.payments
    FOR EACH ROW EXECUTE FUNCTION billing.hold_beginning();

CREATE FUNCTION billing.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = 'append_only';
END
$$;
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.payments
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON billing.credits
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();

CREATE FUNCTION billing.hold_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM billing.payments p
        WHERE p.id = NEW.payment_id AND p.payer_id = NEW.user_id AND p.amount = abs(NEW.amount)
            AND CASE WHEN NEW.kind = 'spent' THEN p.method = 'credits' AND p.status IN ('created', 'succeeded')
                ELSE p.status = 'credited' END)
    THEN
        RAISE EXCEPTION 'an entry is the whole amount of a payment of its member, spent or converted'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'credit_entry';
    END IF;
    UPDATE billing.accounts SET balance = balance + NEW.amount WHERE user_id = NEW.user_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_entry BEFORE INSERT ON billing.credits
    FOR EACH ROW EXECUTE FUNCTION billing.hold_entry();

CREATE FUNCTION billing.hold_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Only from within the ledger's own trigger.
    IF pg_trigger_depth() < 2 AND (
        (TG_OP = 'INSERT' AND NEW.balance <> 0) OR (TG_OP = 'UPDATE' AND NEW.balance <> OLD.balance))
    THEN
        RAISE EXCEPTION 'a balance is the sum of the ledger'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'account_balance';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_balance BEFORE INSERT OR UPDATE ON billing.accounts
    FOR EACH ROW EXECUTE FUNCTION billing.hold_balance();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.accounts
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();

CREATE FUNCTION billing.hold_protection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (
            SELECT 1 FROM billing.payments p
            WHERE p.id = NEW.payment_id AND p.payer_id = NEW.payer_id AND p.purpose = 'recovery'
                AND p.method <> 'free' AND p.status = 'applied')
        THEN
            RAISE EXCEPTION 'a protection is of a recovery that was paid for and applied'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'protection_of_a_recovery';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.payment_id, NEW.payer_id, NEW.partner_id, NEW.connection_id, NEW.opened_at, NEW.expires_at)
        IS DISTINCT FROM
        (OLD.id, OLD.payment_id, OLD.payer_id, OLD.partner_id, OLD.connection_id, OLD.opened_at, OLD.expires_at)
        OR (OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
            ('open', 'expired'), ('open', 'converted'), ('expired', 'converted')))
    THEN
        RAISE EXCEPTION 'a protection is closed, and nothing else of it changes'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'protection_facts';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_protection BEFORE INSERT OR UPDATE ON billing.credit_protections
    FOR EACH ROW EXECUTE FUNCTION billing.hold_protection();

CREATE FUNCTION billing.hold_subscription() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'ended' OR (NEW.id, NEW.user_id, NEW.tier, NEW.started_at) IS DISTINCT FROM
        (OLD.id, OLD.user_id, OLD.tier, OLD.started_at) OR NEW.periods < OLD.periods
    THEN
        RAISE EXCEPTION 'what a subscription is never changes, and one that ended stays so'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'subscription_facts';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_subscription BEFORE UPDATE ON billing.subscriptions
    FOR EACH ROW EXECUTE FUNCTION billing.hold_subscription();
"""


def upgrade() -> None:
    create_messaging_tables("billing")
    run_sql(TABLES)
    run_sql(TRIGGERS)
