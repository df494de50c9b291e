"""Members' reveals in Postgres, a projection of reveal's: which of them wait to be opened (RE-11)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from unora_common.copies import Copy
from unora_common.database import Tx
from unora_common.rows import as_arrays

COPY = Copy(
    "streak.waiting_reveals",
    ["streak_id", "user_id", "reveal_number smallint"],
    ["t.waiting"],
    version="version",
    forget="version = -1",
    vanish="waiting = false, version = 0",
)

# Rows are locked in the order of their key. A reveal that was opened stays: a late event must not bring it back.
SAVE = """
    INSERT INTO streak.waiting_reveals AS r (streak_id, user_id, reveal_number, version, waiting)
    SELECT DISTINCT ON (streak_id, user_id, reveal_number) *
    FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::bigint[], $5::boolean[])
        AS given (streak_id, user_id, reveal_number, version, waiting)
    ORDER BY streak_id, user_id, reveal_number, version DESC
    ON CONFLICT (streak_id, user_id, reveal_number) DO UPDATE
    SET waiting = excluded.waiting, version = excluded.version WHERE r.version < excluded.version"""


class WaitingReveal(NamedTuple):
    """A member's reveal as one of its events tells it."""

    streak_id: UUID
    user_id: UUID
    reveal_number: int
    version: int
    waiting: bool
    """Whether it can be opened and has not been."""


async def save(tx: Tx, told: Iterable[WaitingReveal]) -> None:
    """Stores what events tell of reveals, each if its version is newer than the stored one."""
    await tx.run(SAVE, *as_arrays(told))
