"""Payments and their results."""

from tests.integration.testing.breakages.breakage import Breakage
from tests.integration.testing.breakages.story_rows import (
    ALONE,
    BY_MONEY,
    NUDGE,
    RECOVERY,
    SUBSCRIPTION,
    WINDOW,
    payload,
)

MENTIONED = f"position(convert_to({RECOVERY}::text, 'UTF8') IN payload)"
"""The position of the payment in an event's payload."""

BREAKAGES = (
    Breakage(
        "no-payment-stays-succeeded",
        (
            f"""
            INSERT INTO billing.payments (id, payer_id, request_id, purpose, method, amount, currency, streak_id,
                status, provider_payment_id, created_at, succeeded_at, version)
            VALUES (gen_random_uuid(), {ALONE}, gen_random_uuid(), 'nudge', 'money', 99, 'USD', {WINDOW},
                'succeeded', 'pi_played', clock.now(), clock.now(), 2)
            """,
        ),
    ),
    Breakage(
        "nothing-is-overdue",
        (f"UPDATE billing.subscriptions SET due_at = clock.now() - interval '1 hour' WHERE id = {SUBSCRIPTION}",),
    ),
    Breakage("money-means-a-charge", (f"UPDATE billing.payments SET provider_payment_id = NULL WHERE id = {NUDGE}",)),
    Breakage(
        "recovery-by-the-breaker",
        (f"UPDATE streak.recovery_payments SET user_id = {ALONE} WHERE payment_id = {RECOVERY}",),
    ),
    Breakage(
        "recoveries-have-their-event",
        payload(
            "streak",
            f"subject = 'unora.streak.v1.streak_recovered' AND {MENTIONED} > 0",
            f"overlay(payload PLACING convert_to({BY_MONEY}::text, 'UTF8') FROM {MENTIONED})",
        ),
        rows=2,
    ),
    Breakage("nudge-by-its-sender", (f"UPDATE billing.payments SET payer_id = {ALONE} WHERE id = {NUDGE}",)),
    Breakage("purchase-by-its-owner", (f"UPDATE billing.payments SET reveal_number = 4 WHERE id = {BY_MONEY}",)),
    Breakage(
        "purchased-by-a-purchase",
        (
            f"""
            UPDATE reveal.reveals SET reveal_status = 'purchased' WHERE streak_id = {WINDOW} AND reveal_number = 3
                AND user_id = (SELECT user_a_id FROM streak.streaks WHERE id = {WINDOW})
            """,
        ),
    ),
    Breakage(
        "rejected-is-compensated",
        (f"INSERT INTO streak.closed_payments VALUES (gen_random_uuid(), {WINDOW}, 'rejected', clock.now())",),
    ),
    Breakage(
        "mismatches-end-as-decided",
        (
            f"""
            INSERT INTO billing.payment_mismatches
            SELECT provider_payment_id, id, 1, 'USD', clock.now(), 'refund', clock.now(), clock.now()
            FROM billing.payments WHERE id = {NUDGE}
            """,
        ),
    ),
)
