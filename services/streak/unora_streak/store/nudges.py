"""Nudges, and the tiers that limit them."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from unora_common.database import Row, Session, Tx

from unora_streak.domain import NudgeSent, Streak

STANDING = """
    SELECT count(*) FILTER (WHERE n.payment_id IS NULL) AS used, count(n.id) AS sent,
        coalesce((SELECT tier FROM streak.tiers t WHERE t.user_id = $4), 'free') AS tier
    FROM streak.breaks b JOIN streak.nudges n ON n.break_id = b.id AND n.sender_id = $4
    WHERE b.streak_id = $1 AND b.cycle = $2 AND b.check_in_date = $3"""

INSERT = """
    INSERT INTO streak.nudges (id, streak_id, break_id, sender_id, receiver_id, ordinal, payment_id, sent_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""

OF_CYCLE = """
    SELECT n.id, n.sender_id, n.receiver_id, n.sent_at, b.day, b.check_in_date
    FROM streak.nudges n JOIN streak.breaks b ON b.id = n.break_id
    WHERE b.streak_id = $1 AND b.cycle = $2 ORDER BY n.sent_at, n.ordinal, n.id"""

TIER = """
    INSERT INTO streak.tiers AS t (user_id, tier, version) VALUES ($1, $2, $3)
    ON CONFLICT (user_id) DO UPDATE SET tier = excluded.tier, version = excluded.version
    WHERE t.version < excluded.version"""


class Standing(NamedTuple):
    """A member's nudges in the at-risk period that a streak is in."""

    used: int
    """Of the tier."""
    sent: int
    """Bought ones too."""
    tier: str


async def standing(session: Session, streak: Streak, sender: UUID) -> Standing:
    """What the sender has used up; it stays so only while the streak is locked."""
    row = await session.row(STANDING, streak.id, streak.cycle, streak.check_in_date, sender)
    assert row is not None
    return Standing(*row)


def save(tx: Tx, event: NudgeSent, break_id: UUID, ordinal: int) -> None:
    """Stores a nudge, with its number in the period."""
    tx.defer(
        INSERT,
        *(event.nudge_id, event.streak_id, break_id, event.sender_id, event.receiver_id),
        *(ordinal, event.payment_id, event.at),
    )


async def of_cycle(session: Session, streak_id: UUID, cycle: int) -> list[Row]:
    """The nudges of both in one cycle, by time."""
    return await session.rows(OF_CYCLE, streak_id, cycle)


async def follow_tier(tx: Tx, user: UUID, tier: str, version: int) -> None:
    """Takes what billing tells, if it is newer than what is known."""
    await tx.run(TIER, user, tier, version)
