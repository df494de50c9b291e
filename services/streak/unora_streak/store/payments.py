"""Payments as far as streaks go: for which break one was authorised, what it brought, and that it brings nothing."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from unora_common.database import Tx
from unora_common.ids import uuid7

from unora_streak.domain import Broken

# The statements run under the lock of the payment's streak, so that no two see a payment at the same time.
KNOWN = """
    SELECT b.cycle, b.check_in_date, h.break_id,
        (SELECT outcome FROM streak.closed_payments c WHERE c.payment_id = $1) AS closed,
        EXISTS (SELECT FROM streak.recovery_payments r WHERE r.payment_id = $1)
            OR EXISTS (SELECT FROM streak.nudges n WHERE n.payment_id = $1) AS given
    FROM (SELECT) AS always
    LEFT JOIN (streak.recovery_holds h JOIN streak.breaks b ON b.id = h.break_id AND b.streak_id = $2)
        ON h.payment_id = $1"""

# A payment that is authorised anew, after its hold has run out, is for the break of that moment.
HOLD = """
    INSERT INTO streak.recovery_holds (payment_id, break_id, user_id, held_at, held_until)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (payment_id) DO UPDATE
    SET break_id = excluded.break_id, user_id = excluded.user_id, held_at = excluded.held_at,
        held_until = excluded.held_until"""

LINK = """
    INSERT INTO streak.recovery_payments (id, break_id, user_id, payment_id, recovered_at)
    VALUES ($1, $2, $3, $4, $5)"""

CLOSE = """
    INSERT INTO streak.closed_payments (payment_id, streak_id, outcome, closed_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (payment_id) DO UPDATE SET outcome = excluded.outcome, closed_at = excluded.closed_at
    WHERE closed_payments.outcome = 'failed'"""


class Known(NamedTuple):
    """What is known of a payment."""

    broken: Broken | None
    """The break it was authorised for, if it was and the break is of this streak."""
    break_id: UUID | None
    closed: str | None
    """That it failed, or was rejected."""
    given: bool
    """What it paid for was given."""

    @property
    def answered(self) -> bool:
        """Whether its success has been dealt with: once for ever."""
        return self.given or self.closed == "rejected"


async def known(tx: Tx, payment_id: UUID, streak_id: UUID) -> Known:
    """What is known of a payment for a locked streak."""
    row = await tx.row(KNOWN, payment_id, streak_id)
    assert row is not None
    broken = Broken(row["cycle"], row["check_in_date"]) if row["break_id"] else None
    return Known(broken, row["break_id"], row["closed"], row["given"])


def hold(tx: Tx, payment_id: UUID, break_id: UUID, payer: UUID, until: datetime) -> None:
    """Notes for which break a payment is authorised (ST-20)."""
    tx.defer(HOLD, payment_id, break_id, payer, tx.now, until)


def link(tx: Tx, payment_id: UUID, break_id: UUID, payer: UUID, recovered_at: datetime) -> None:
    """Links the recovery to its payment (ST-18)."""
    tx.defer(LINK, uuid7(), break_id, payer, payment_id, recovered_at)


def close(tx: Tx, payment_id: UUID, streak_id: UUID, outcome: str) -> None:
    """Notes that a payment `failed` or was `rejected`, and brings nothing."""
    tx.defer(CLOSE, payment_id, streak_id, outcome, tx.now)
