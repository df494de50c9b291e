"""Members who paused or closed their account, in each context."""

from tests.integration.testing.breakages.breakage import Breakage
from tests.integration.testing.breakages.story_rows import ALONE, CLOSED, SUBSCRIPTION, interest

BREAKAGES = (
    Breakage("absence-is-known", (f"UPDATE matching.inventory SET closed = false WHERE user_id = {CLOSED}",)),
    Breakage(
        "absent-are-not-shown",
        (f"UPDATE discovery.candidates SET discovery_ready = true WHERE user_id = {CLOSED}",),
    ),
    Breakage(
        "closed-are-not-connected",
        (
            f"""
            INSERT INTO matching.connections (
                id, user_a_id, user_b_id, server_type, connection_status, formed_at, version)
            SELECT gen_random_uuid(), least(one, other), greatest(one, other), 'friend', 'active', clock.now(), 1
            FROM (SELECT {CLOSED} AS one, {ALONE} AS other) pair
            """,
        ),
        also=("slots-are-counted", "formed-by-two-interests", "one-streak-a-connection"),
    ),
    Breakage("closed-have-no-interest", (interest(ALONE, CLOSED),)),
    Breakage(
        "closed-have-no-credits",
        (f"UPDATE billing.accounts SET balance = 1 WHERE user_id = {CLOSED}",),
        also=("balance-is-the-ledger",),
    ),
    Breakage(
        "closed-have-no-subscription",
        (
            f"""
            INSERT INTO billing.subscriptions
            SELECT gen_random_uuid(), {CLOSED}, tier, status, started_at, periods, current_period_starts_at,
                current_period_ends_at, due_at, attempts, provider_method_id, ended_at, deleted_at
            FROM billing.subscriptions WHERE id = {SUBSCRIPTION}
            """,
        ),
        also=("months-are-paid", "tier-of-the-plan"),
    ),
    Breakage(
        "closed-are-signed-out",
        (
            f"""
            UPDATE identity.sessions SET revoked_at = NULL, revocation = NULL
            WHERE id = (SELECT id FROM identity.sessions WHERE user_id = {CLOSED} ORDER BY started_at, id LIMIT 1)
            """,
        ),
    ),
    Breakage(
        "erased-everywhere",
        (
            f"""
            INSERT INTO identity.erasures (id, user_id, version, requested_at, receipts, erased_at)
            VALUES (gen_random_uuid(), {CLOSED}, 99, clock.now(), ARRAY['identity', 'discovery', 'matching', 'streak',
                'reveal', 'billing', 'safety', 'objects'], clock.now())
            """,
        ),
    ),
)
