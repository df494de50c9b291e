"""Credits, their sources, and free recoveries."""

from tests.integration.testing.breakages.breakage import Breakage
from tests.integration.testing.breakages.story_rows import (
    BY_CREDITS,
    CONVERTED,
    RECOVERY,
    REFUNDED,
    REJECTED,
    SUBSCRIBER,
)

BREAKAGES = (
    Breakage("balance-is-the-ledger", (f"UPDATE billing.accounts SET balance = 1 WHERE user_id = {SUBSCRIBER}",)),
    Breakage(
        "never-below-zero",
        ("UPDATE billing.credits SET created_at = created_at + interval '1 day' WHERE kind = 'compensation'",),
        rows=3,
    ),
    Breakage("credited-in-full-once", (f"UPDATE billing.payments SET amount = amount + 1 WHERE id = {REJECTED}",)),
    Breakage(
        "reversed-is-what-was-told",
        (f"UPDATE billing.payment_reversals SET amount = amount + 1 WHERE payment_id = {REFUNDED}",),
    ),
    Breakage(
        "reversals-have-their-entries",
        ("UPDATE billing.payment_reversals SET entry_id = gen_random_uuid() WHERE kind = 'dispute_won'",),
        rows=2,
    ),
    Breakage("spent-in-full-once", (f"UPDATE billing.payments SET amount = amount + 1 WHERE id = {BY_CREDITS}",)),
    Breakage(
        "paid-recoveries-are-protected",
        (
            f"""
            UPDATE billing.credit_protections SET expires_at = expires_at + interval '1 hour'
            WHERE payment_id = {RECOVERY}
            """,
        ),
    ),
    Breakage(
        "converted-by-the-partner",
        tuple(
            f"""
            UPDATE {table} SET ended_by_id = (
                SELECT payer_id FROM billing.credit_protections WHERE status = 'converted') WHERE {key} = {CONVERTED}
            """
            for table, key in (("matching.connections", "id"), ("billing.connection_endings", "connection_id"))
        ),
    ),
    Breakage(
        "conversions-are-credits",
        ("UPDATE billing.credits SET kind = 'compensation' WHERE kind = 'protection'",),
    ),
    Breakage(
        "endings-are-known",
        (
            """
            UPDATE billing.connection_endings SET ended_at = ended_at + interval '1 hour'
            WHERE connection_id = (SELECT id FROM matching.connections WHERE end_reason = 'block')
            """,
        ),
    ),
    Breakage(
        "free-recoveries-are-counted",
        ("UPDATE billing.free_recovery_allowances SET used = 0",),
    ),
    Breakage(
        "free-recoveries-of-the-plan",
        ("UPDATE billing.free_recovery_allowances SET used = 2",),
        also=("free-recoveries-are-counted",),
    ),
)
