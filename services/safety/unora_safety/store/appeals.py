"""Appeals in Postgres (SA-06)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.pages import Place
from unora_common.rows import Columns, from_row

from unora_safety.domain.own_reports import OwnAppeal
from unora_safety.domain.reports import Appeal

COLUMNS = Columns("id", "user_id", "case_id", "text", "submitted_at")

INSERT = f"INSERT INTO safety.appeals ({COLUMNS.names()}) VALUES ({COLUMNS.parameters()})"

TIMES = "SELECT submitted_at FROM safety.appeals WHERE user_id = $1 AND submitted_at > $2 ORDER BY submitted_at"

BY_MEMBER = f"""
    SELECT {COLUMNS.names()} FROM safety.appeals
    WHERE user_id = $1 AND deleted_at IS NULL ORDER BY submitted_at DESC, id DESC LIMIT $2"""


OWN = """
    SELECT a.id, a.text, a.submitted_at, c.decision AS decided_as, c.decided_at
    FROM safety.appeals a JOIN safety.cases c ON c.id = a.case_id
    WHERE a.user_id = $1 AND a.deleted_at IS NULL
        AND (a.submitted_at, a.id) < (coalesce($2, 'infinity'::timestamptz), coalesce($3::uuid, $1))
    ORDER BY a.submitted_at DESC, a.id DESC LIMIT $4"""


async def list_times(tx: Tx, user_id: UUID, period: timedelta) -> list[datetime]:
    """The times (UTC) of the member's appeals within this period up to now, oldest first."""
    return [row["submitted_at"] for row in await tx.rows(TIMES, user_id, tx.now - period)]


def add(tx: Tx, appeal: Appeal) -> None:
    """Stores an appeal."""
    tx.defer(INSERT, *COLUMNS.values_of(appeal))


async def list_by_member(db: Session, user_id: UUID, limit: int) -> list[Appeal]:
    """A member's appeals, newest first, at most `limit`."""
    return [from_row(Appeal, row) for row in await db.rows(BY_MEMBER, user_id, limit)]


async def list_own(db: Session, user_id: UUID, after: Place | None, limit: int) -> list[OwnAppeal]:
    """A page of a member's appeals, newest first, each with the decision of its case."""
    return [from_row(OwnAppeal, row) for row in await db.rows(OWN, user_id, *(after or (None, None)), limit)]
