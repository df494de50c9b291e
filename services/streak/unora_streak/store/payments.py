"""Payments in Postgres: the break that each was authorised for, what was delivered, and which are closed.

All functions run under the lock of the payment's streak, so that no two transactions see a payment at the same time.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Tx
from unora_common.ids import uuid7

from unora_streak.domain.recovery import ClosedAs, PaymentRecord
from unora_streak.domain.state import BreakKey

GET = """
    SELECT b.cycle, b.check_in_date, h.break_id,
        (SELECT outcome FROM streak.closed_payments c WHERE c.payment_id = $1) AS closed_as,
        EXISTS (SELECT FROM streak.recovery_payments r WHERE r.payment_id = $1)
            OR EXISTS (SELECT FROM streak.nudges n WHERE n.payment_id = $1) AS delivered
    FROM (SELECT) AS always
    LEFT JOIN (streak.recovery_holds h JOIN streak.breaks b ON b.id = h.break_id AND b.streak_id = $2)
        ON h.payment_id = $1"""

# A payment that is authorised again, after its hold has ended, is for the break of that moment.
SAVE_HOLD = """
    INSERT INTO streak.recovery_holds (payment_id, break_id, user_id, held_at, held_until)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (payment_id) DO UPDATE
    SET break_id = excluded.break_id, user_id = excluded.user_id, held_at = excluded.held_at,
        held_until = excluded.held_until"""

SAVE_RECOVERY = """
    INSERT INTO streak.recovery_payments (id, break_id, user_id, payment_id, recovered_at, free)
    VALUES ($1, $2, $3, $4, $5, $6)"""

CLOSE = """
    INSERT INTO streak.closed_payments (payment_id, streak_id, outcome, closed_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (payment_id) DO UPDATE SET outcome = excluded.outcome, closed_at = excluded.closed_at
    WHERE closed_payments.outcome = 'failed'"""


async def get(tx: Tx, payment_id: UUID, streak_id: UUID) -> PaymentRecord:
    """What is stored of a payment for this streak; all its fields are empty for an unknown payment."""
    row = await tx.row(GET, payment_id, streak_id)
    assert row is not None
    authorized_for = BreakKey(row["cycle"], row["check_in_date"]) if row["break_id"] else None
    closed_as = ClosedAs(row["closed_as"]) if row["closed_as"] else None
    return PaymentRecord(authorized_for, row["break_id"], closed_as, row["delivered"])


def save_hold(tx: Tx, payment_id: UUID, break_id: UUID, payer: UUID, until: datetime) -> None:
    """Stores for which break a payment is authorised (ST-20). `until` is UTC."""
    tx.defer(SAVE_HOLD, payment_id, break_id, payer, tx.now, until)


def save_recovery(tx: Tx, payment_id: UUID, break_id: UUID, payer: UUID, recovered_at: datetime, *, free: bool) -> None:
    """Links a recovery to its payment (ST-18), and says whether it was a free one (BI-06). `recovered_at` is UTC."""
    tx.defer(SAVE_RECOVERY, uuid7(), break_id, payer, payment_id, recovered_at, free)


def close(tx: Tx, payment_id: UUID, streak_id: UUID, closed_as: ClosedAs) -> None:
    """Stores that a payment failed or was rejected, and has no effect."""
    tx.defer(CLOSE, payment_id, streak_id, closed_as, tx.now)
