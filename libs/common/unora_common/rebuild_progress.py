"""How far the latest rebuild of each projection has come (XX-08): the table `rebuilds` of a context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.rows import from_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a rebuild has come with one part."""

    part: str
    run_id: UUID
    token: str
    """Of the next page; empty before the first one."""
    members: int
    """How many members, pairs or interests the owner has told of so far."""
    finished: bool


class RebuildProgress:
    """The progress of one context's rebuilds."""

    def __init__(self, schema: str) -> None:
        self._begin = f"""
            INSERT INTO {schema}.rebuilds (part, run_id, token, members) SELECT unnest($2::text[]), $1, '', 0
            ON CONFLICT (part) DO UPDATE SET run_id = $1, token = '', members = 0, finished_at = NULL"""
        self._list = f"SELECT part, run_id, token, members, finished_at IS NOT NULL AS finished FROM {schema}.rebuilds"
        self._advance = f"""
            UPDATE {schema}.rebuilds
            SET token = $4, members = members + $5, finished_at = CASE WHEN $4 = '' THEN clock_timestamp() END
            WHERE part = $1 AND run_id = $2 AND token = $3 AND finished_at IS NULL"""

    async def begin(self, tx: Tx, run_id: UUID, parts: Sequence[str]) -> None:
        """Begins a rebuild of these parts. One that has not ended is over with it."""
        await tx.run(self._begin, run_id, list(parts))

    async def list(self, session: Session) -> dict[str, Progress]:
        """The latest rebuilds, by part."""
        progress = [from_row(Progress, row) for row in await session.rows(self._list)]
        return {each.part: each for each in progress}

    async def advance(self, tx: Tx, progress: Progress, token: str, members: int) -> bool:
        """Stores that a page with `members` keys was applied, and the token of the next page, which is empty after the
        last. Returns False if another process has advanced this part since, or begun it anew.
        """
        return await tx.run(self._advance, progress.part, progress.run_id, progress.token, token, members) == 1
