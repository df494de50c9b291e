"""Exports of audit heads in Postgres (SA-11). Rows are only added."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from unora_common.database import Session, Tx

IS_DONE = "SELECT EXISTS (SELECT FROM safety.audit_head_exports WHERE day = $1)"
# Of replicas that export the same day at once, one adds the row, and the others wait for it and add nothing.
ADD = """
    INSERT INTO safety.audit_head_exports (day, id, exported_at, document) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING"""
SINCE = "SELECT day, document FROM safety.audit_head_exports WHERE day >= $1 ORDER BY day"


async def is_done(tx: Tx, day: date) -> bool:
    """Whether the day has its export."""
    done: bool = await tx.value(IS_DONE, day)
    return done


async def add(tx: Tx, day: date, export_id: UUID, exported_at: datetime, document: str) -> bool:
    """Stores the export of a day. Returns False if the day has one."""
    return await tx.run(ADD, day, export_id, exported_at, document) == 1


async def list_since(db: Session, day: date) -> list[tuple[date, str]]:
    """The exports of this day and later ones, oldest first."""
    return [(row["day"], row["document"]) for row in await db.rows(SINCE, day)]
