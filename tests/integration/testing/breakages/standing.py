"""Measures against members, and their effect in each context."""

from tests.integration.testing.breakages.breakage import Breakage
from tests.integration.testing.breakages.story_rows import ALONE, CONNECTED, REDUCED, SUBSCRIPTION, SUSPENDED, interest

BREAKAGES = (
    Breakage("standing-was-decided", (f"UPDATE safety.cases SET decision = 'dismiss' WHERE user_id = {REDUCED}",)),
    Breakage("standing-is-known", (f"UPDATE billing.accounts SET suspended = false WHERE user_id = {SUSPENDED}",)),
    Breakage("restricted-have-no-interest", (interest(SUSPENDED, ALONE),)),
    Breakage(
        "suspended-are-not-connected",
        (f"INSERT INTO safety.restrictions (user_id, suspended) VALUES ({CONNECTED}, true)",),
        also=("pool-follows-standing", "standing-is-known", "standing-was-decided"),
    ),
    Breakage(
        "suspended-have-no-subscription",
        (
            f"""
            INSERT INTO billing.subscriptions
            SELECT gen_random_uuid(), {SUSPENDED}, tier, status, started_at, periods, current_period_starts_at,
                current_period_ends_at, due_at, attempts, provider_method_id, ended_at, deleted_at
            FROM billing.subscriptions WHERE id = {SUBSCRIPTION}
            """,
        ),
        also=("months-are-paid", "tier-of-the-plan"),
    ),
    Breakage(
        "suspended-are-signed-out",
        (
            f"""
            UPDATE identity.sessions SET revoked_at = NULL, revocation = NULL
            WHERE user_id = {SUSPENDED} AND revoked_at IS NOT NULL
            """,
        ),
    ),
)
