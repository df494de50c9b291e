"""Erasing a member (ID-09). It alone may blank the way of paying of a subscription that ended."""

from unora_common.messaging_schema import create_erased_members, run_sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ERASURE = """
CREATE INDEX ix_subscriptions_user_id ON billing.subscriptions (user_id);
CREATE OR REPLACE FUNCTION billing.hold_subscription() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('unora.erasing', true) = 'on' AND current_user = 'unora_billing_owner' THEN
        RETURN NEW;
    END IF;
    IF OLD.status = 'ended' OR (NEW.id, NEW.user_id, NEW.tier, NEW.started_at) IS DISTINCT FROM
        (OLD.id, OLD.user_id, OLD.tier, OLD.started_at) OR NEW.periods < OLD.periods
    THEN
        RAISE EXCEPTION 'what a subscription is never changes, and one that ended stays so'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'subscription_facts';
    END IF;
    RETURN NEW;
END
$$;
"""


def upgrade() -> None:
    create_erased_members("billing")
    run_sql(ERASURE)
