"""Members of servers, and the timer row of each: whoever changes anything of a member's Discovery locks it first.

What hangs on a member is read by a statement after the one that takes the lock: a statement that waits for a lock still
sees the rows beside it as they were when it began.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from unora_common.database import Session, Tx

from unora_discovery.domain import Server, ServerType, Timer

LOCK: Final = """
    WITH t AS MATERIALIZED (
        SELECT last_global_refresh_at, refresh_available_at FROM discovery.refresh_timers WHERE user_id = $1 FOR UPDATE)
    SELECT t.*, clock.now() AS now FROM t"""

# The update changes nothing: it takes the lock of a row that is there already.
MAKE_AND_LOCK: Final = """
    INSERT INTO discovery.refresh_timers AS t (user_id) VALUES ($1)
    ON CONFLICT (user_id) DO UPDATE SET version = t.version RETURNING t.user_id, clock.now() AS now"""

SERVERS: Final = """
    SELECT s.server_type, s.name, s.description, m.user_id IS NOT NULL AND m.left_at IS NULL AS joined
    FROM discovery.servers s
    LEFT JOIN discovery.server_memberships m ON m.server_type = s.server_type AND m.user_id = $1
    ORDER BY s.position"""

# Who joins again keeps the row of the first time, and with it that the free first batch has been had (DI-04).
JOIN: Final = """
    WITH joined AS (
        INSERT INTO discovery.server_memberships (user_id, server_type, joined_at) VALUES ($1, $2, $3)
        ON CONFLICT (user_id, server_type) DO UPDATE SET left_at = NULL)
    UPDATE discovery.refresh_timers SET version = version + 1 WHERE user_id = $1 RETURNING version"""

LEAVE: Final = """
    WITH gone AS (
        UPDATE discovery.server_memberships SET left_at = $3 WHERE user_id = $1 AND server_type = $2)
    UPDATE discovery.refresh_timers SET version = version + 1 WHERE user_id = $1 RETURNING version"""

RETIME: Final = """
    UPDATE discovery.refresh_timers SET version = version + 1, refresh_available_at = $2
    WHERE user_id = $1 RETURNING version"""


async def lock(tx: Tx, user_id: UUID) -> Timer | None:
    """Locks a member's timer row and sets tx.now; None for who has never joined a server, and nothing is locked."""
    rows = await tx.lock(LOCK, user_id)
    return Timer(rows[0]["last_global_refresh_at"], rows[0]["refresh_available_at"]) if rows else None


async def make_and_lock(tx: Tx, user_id: UUID) -> None:
    """Locks a member's timer row, made if it is not there, and sets tx.now."""
    await tx.lock(MAKE_AND_LOCK, user_id)


async def servers(session: Session, user_id: UUID) -> dict[ServerType, Server]:
    """The three servers, in the order in which they are listed."""
    rows = await session.rows(SERVERS, user_id)
    return {
        ServerType(row["server_type"]): Server(
            ServerType(row["server_type"]), row["name"], row["description"], row["joined"]
        )
        for row in rows
    }


async def join(tx: Tx, user_id: UUID, server: ServerType) -> int:
    """Makes the member, whose row is locked, one of the server; returns the member's new version."""
    version: int = await tx.value(JOIN, user_id, server, tx.now)
    return version


async def leave(tx: Tx, user_id: UUID, server: ServerType) -> int:
    """The member, whose row is locked, is none of the server any more; returns the member's new version."""
    version: int = await tx.value(LEAVE, user_id, server, tx.now)
    return version


async def retime(tx: Tx, user_id: UUID, timer: Timer) -> int:
    """Keeps until when the member, whose row is locked, has to wait; returns the member's new version."""
    version: int = await tx.value(RETIME, user_id, timer.refresh_available_at)
    return version
