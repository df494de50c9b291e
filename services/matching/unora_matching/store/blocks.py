"""The blocks between members, as safety publishes them."""

from __future__ import annotations

from datetime import datetime

from unora_common.copies import Copy
from unora_common.database import Tx
from unora_common.rows import Columns

from unora_matching.domain.notices import BlockNotice

DIRECTION = Columns("blocker_id", "blocked_id")
STATE = Columns("block_id", "version", "blocked", "changed_at")
COLUMNS = DIRECTION + STATE

COPY = Copy(
    "matching.blocked_pairs",
    DIRECTION,
    ["t.block_id", "t.blocked", "t.changed_at"],
    version="version",
    forget="version = -1, changed_at = 'epoch'",
    vanish="blocked = false, version = 0, changed_at = 'epoch'",
)

SAVE = f"""
    INSERT INTO matching.blocked_pairs AS p ({COLUMNS.names()}) VALUES ({COLUMNS.parameters()})
    ON CONFLICT (blocker_id, blocked_id) DO UPDATE SET ({STATE.names()}) = ({STATE.names("excluded")})
    WHERE CASE p.block_id WHEN excluded.block_id THEN p.version < excluded.version
        ELSE p.changed_at < excluded.changed_at END"""
# Versions order the notices of one block. A member may block another again, by another card: that is another block, and
# between two blocks their times decide.

LIFTED_AT = "SELECT changed_at FROM matching.blocked_pairs WHERE blocker_id = $1 AND blocked_id = $2 AND NOT blocked"


async def save(tx: Tx, notice: BlockNotice) -> datetime | None:
    """Stores a notice unless a newer one of the same direction is stored; under the locks of both. If the newest notice
    lifts the block, returns when that was (UTC), else None.
    """
    if await tx.run(SAVE, *COLUMNS.values_of(notice)):
        return None if notice.blocked else notice.changed_at
    lifted_at: datetime | None = await tx.value(LIFTED_AT, notice.blocker_id, notice.blocked_id)
    return lifted_at
