"""Who blocks whom, as safety tells it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from unora_common.database import Tx

PROJECT = """
    INSERT INTO matching.blocked_pairs AS p (blocker_id, blocked_id, block_id, version, blocked, changed_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (blocker_id, blocked_id) DO UPDATE
    SET block_id = excluded.block_id, version = excluded.version, blocked = excluded.blocked,
        changed_at = excluded.changed_at
    WHERE CASE p.block_id WHEN excluded.block_id THEN p.version < excluded.version
        ELSE p.changed_at < excluded.changed_at END"""
# Versions order what is told of one block. A member may block another again, by another card: that is another block,
# and between blocks their time decides.

LIFTED_AT = "SELECT changed_at FROM matching.blocked_pairs WHERE blocker_id = $1 AND blocked_id = $2 AND NOT blocked"


class Told(NamedTuple):
    """A block or its lifting, as safety told it."""

    blocker_id: UUID
    blocked_id: UUID
    block_id: UUID
    version: int
    at: datetime


async def project(tx: Tx, told: Told, *, blocked: bool) -> datetime | None:
    """Keeps the newest of what is told of this direction, under the locks of both. Returns when it was lifted, if what
    is known says that it is.
    """
    direction = (told.blocker_id, told.blocked_id)
    taken = await tx.run(PROJECT, *direction, told.block_id, told.version, blocked, told.at)
    if taken:
        return None if blocked else told.at
    lifted_at: datetime | None = await tx.value(LIFTED_AT, *direction)
    return lifted_at
