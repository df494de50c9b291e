"""What every process has to know of revoked sessions (SA-06). Written with the revocation itself, see sessions.py."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from unora_common.database import Session, Tx

FIRST: Final = UUID(int=0)
# By the one clock that also wrote revoked_at, so that the clocks of identity's processes need not agree.
PAGE = """
    SELECT session_id FROM identity.revocations
    WHERE revoked_at > (SELECT clock_timestamp() - $1::interval) AND session_id > $2 ORDER BY session_id LIMIT $3"""
PURGE = """
    DELETE FROM identity.revocations WHERE session_id IN (
        SELECT session_id FROM identity.revocations WHERE revoked_at < $1
        ORDER BY revoked_at LIMIT $2 FOR UPDATE SKIP LOCKED)"""


async def page(session: Session, young: timedelta, after: UUID, limit: int) -> list[UUID]:
    """Sessions revoked so lately, by id, after this one."""
    return [row["session_id"] for row in await session.rows(PAGE, young, after, limit)]


async def purge(tx: Tx, revoked_before: datetime, limit: int) -> int:
    """Forgets what nobody needs to know any more, by the machine's clock."""
    return await tx.run(PURGE, revoked_before, limit)
