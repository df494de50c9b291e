"""Nudges in Postgres, numbered within the at-risk period of their sender (ST-13)."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.rows import Columns, from_row

from unora_streak.domain.events import NudgeSent
from unora_streak.domain.nudges import Nudge, NudgeQuota
from unora_streak.domain.state import Streak

COLUMNS = Columns("id", "streak_id", "break_id", "sender_id", "receiver_id", "ordinal", "payment_id", "sent_at")

QUOTA = """
    SELECT count(*) FILTER (WHERE n.payment_id IS NULL) AS used, count(n.id) AS sent,
        coalesce((SELECT tier FROM streak.tiers t WHERE t.user_id = $4), 'free') AS tier
    FROM streak.breaks b JOIN streak.nudges n ON n.break_id = b.id AND n.sender_id = $4
    WHERE b.streak_id = $1 AND b.cycle = $2 AND b.check_in_date = $3"""

INSERT = f"INSERT INTO streak.nudges ({COLUMNS.names()}) VALUES ({COLUMNS.parameters()})"

LIST_BY_CYCLE = """
    SELECT n.id, n.sender_id, n.receiver_id, n.sent_at, b.day, b.check_in_date
    FROM streak.nudges n JOIN streak.breaks b ON b.id = n.break_id
    WHERE b.streak_id = $1 AND b.cycle = $2 ORDER BY n.sent_at, n.ordinal, n.id"""


async def get_quota(session: Session, streak: Streak, sender: UUID) -> NudgeQuota:
    """What the sender has sent in the streak's at-risk period. It cannot change while the streak is locked."""
    row = await session.row(QUOTA, streak.id, streak.cycle, streak.check_in_date, sender)
    assert row is not None
    return from_row(NudgeQuota, row)


def insert(tx: Tx, event: NudgeSent, break_id: UUID, ordinal: int) -> None:
    """Stores a nudge, with its number in the period."""
    others = {"id": event.nudge_id, "break_id": break_id, "ordinal": ordinal, "sent_at": event.occurred_at}
    tx.defer(INSERT, *COLUMNS.values_of(event, **others))


async def list_by_cycle(session: Session, streak_id: UUID, cycle: int) -> list[Nudge]:
    """The nudges of both members in one cycle, by time."""
    return [from_row(Nudge, row) for row in await session.rows(LIST_BY_CYCLE, streak_id, cycle)]
