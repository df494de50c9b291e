"""Check-ins in Postgres; a trigger refuses to change or delete one (ST-04)."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.ids import uuid7
from unora_common.rows import Columns, from_row

from unora_streak.domain.check_ins import CheckIn
from unora_streak.domain.events import CheckedIn

FACTS = Columns("user_id", "cycle", "day", "check_in_date", "check_in_at", "effort_signal")
COLUMNS = Columns("id", "streak_id") + FACTS

INSERT = f"INSERT INTO streak.check_ins ({COLUMNS.names()}) VALUES ({COLUMNS.parameters()})"

LIST_BY_CYCLE = f"""
    SELECT {FACTS.names()} FROM streak.check_ins
    WHERE streak_id = $1 AND cycle = $2 ORDER BY check_in_at, id"""


def insert(tx: Tx, event: CheckedIn) -> None:
    """Stores the check-in of an event."""
    tx.defer(INSERT, *COLUMNS.values_of(event, id=uuid7(), check_in_at=event.occurred_at))


async def list_by_cycle(session: Session, streak_id: UUID, cycle: int) -> list[CheckIn]:
    """The check-ins of both members in one cycle, by time."""
    return [from_row(CheckIn, row) for row in await session.rows(LIST_BY_CYCLE, streak_id, cycle)]
