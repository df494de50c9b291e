"""How far the latest rebuild has come (XX-08)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.rows import from_row

from unora_discovery.domain.rebuild import Part, Progress

BEGIN: Final = """
    INSERT INTO discovery.rebuilds (part, run_id, token, members) SELECT unnest($2::text[]), $1, '', 0
    ON CONFLICT (part) DO UPDATE SET run_id = $1, token = '', members = 0, finished_at = NULL"""
LIST: Final = "SELECT part, run_id, token, members, finished_at IS NOT NULL AS finished FROM discovery.rebuilds"
ADVANCE: Final = """
    UPDATE discovery.rebuilds
    SET token = $4, members = members + $5, finished_at = CASE WHEN $4 = '' THEN clock_timestamp() END
    WHERE part = $1 AND run_id = $2 AND token = $3 AND finished_at IS NULL"""


async def begin(tx: Tx, run_id: UUID) -> None:
    """Begins a rebuild of all parts. One that has not ended is over with it."""
    await tx.run(BEGIN, run_id, list(Part))


async def list_progress(session: Session) -> dict[Part, Progress]:
    """The latest rebuild, by part; empty if there never was one."""
    progress = [from_row(Progress, row) for row in await session.rows(LIST)]
    return {each.part: each for each in progress}


async def advance(tx: Tx, progress: Progress, token: str, members: int) -> bool:
    """Stores that a page of so many members was applied, and the token of the next one, which is empty after the last.
    Returns False if another process has advanced this part meanwhile, or begun anew.
    """
    return await tx.run(ADVANCE, progress.part, progress.run_id, progress.token, token, members) == 1
