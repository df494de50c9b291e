"""SA-06: the list of revoked sessions that every process fetches. sessions.py writes it with each revocation."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from unora_common.database import Session, Tx

# By the same clock that wrote revoked_at, so that the clocks of identity's processes need not agree.
PAGE = """
    SELECT session_id FROM identity.revocations
    WHERE revoked_at > (SELECT clock_timestamp() - $1::interval) AND session_id > $2 ORDER BY session_id LIMIT $3"""
PURGE = """
    DELETE FROM identity.revocations WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM identity.revocations WHERE revoked_at < $1
        ORDER BY revoked_at LIMIT $2 FOR UPDATE SKIP LOCKED))"""


async def list_recent(session: Session, within: timedelta, after: UUID, limit: int) -> list[UUID]:
    """The sessions revoked within this time, by id, from the one after `after` on."""
    return [row["session_id"] for row in await session.rows(PAGE, within, after, limit)]


async def purge(tx: Tx, revoked_before: datetime, limit: int) -> int:
    """Deletes revocations that processes no longer need, by the machine's clock."""
    return await tx.run(PURGE, revoked_before, limit)
