"""Subscriptions, and the tier in every context."""

from tests.integration.testing.breakages.breakage import Breakage
from tests.integration.testing.breakages.story_rows import SUBSCRIBER, SUBSCRIPTION

BREAKAGES = (
    Breakage(
        "one-current-subscription",
        (
            "DROP INDEX billing.uq_subscriptions_one_active",
            f"""
            INSERT INTO billing.subscriptions
            SELECT gen_random_uuid(), user_id, tier, status, started_at, 0, current_period_starts_at,
                current_period_ends_at, due_at, attempts, provider_method_id, ended_at, deleted_at
            FROM billing.subscriptions WHERE id = {SUBSCRIPTION}
            """,
        ),
    ),
    Breakage(
        "tier-of-the-plan",
        (
            f"UPDATE billing.payments SET plan = 'plus' WHERE payer_id = {SUBSCRIBER} AND purpose = 'subscription'",
            f"UPDATE billing.subscriptions SET tier = 'plus' WHERE id = {SUBSCRIPTION}",
        ),
    ),
    Breakage("months-are-paid", (f"UPDATE billing.subscriptions SET periods = periods + 1 WHERE id = {SUBSCRIPTION}",)),
    Breakage(
        "no-plan-on-disputed-money",
        (
            f"""
            INSERT INTO billing.payment_reversals
            SELECT gen_random_uuid(), p.id, 'dp_played', 'dispute_opened', p.amount, p.amount, 0, 0, NULL, clock.now()
            FROM billing.payments p JOIN billing.subscriptions s ON p.succeeded_at = s.started_at
            WHERE s.id = {SUBSCRIPTION}
            """,
        ),
    ),
    Breakage("all-follow-the-tier", (f"UPDATE streak.tiers SET tier = 'plus' WHERE user_id = {SUBSCRIBER}",)),
    Breakage("earning-by-own-tier", (f"UPDATE reveal.progressions SET tier = 'free' WHERE user_id = {SUBSCRIBER}",)),
)
