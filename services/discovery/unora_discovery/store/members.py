"""Members of servers, and the timer row of each member, whose lock guards all of a member's Discovery."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from unora_common.database import Row, Session, Tx
from unora_common.rows import Columns, from_row

from unora_discovery.domain.refresh import Timer
from unora_discovery.domain.servers import Server, ServerType

TIMER: Final = Columns("last_global_refresh_at", "refresh_available_at")

LOCK: Final = f"""
    WITH t AS MATERIALIZED (
        SELECT {TIMER.names()} FROM discovery.refresh_timers WHERE user_id = $1 FOR UPDATE)
    SELECT t.*, clock.now() AS now FROM t"""

LOCK_ALL: Final = f"""
    WITH t AS MATERIALIZED (
        SELECT user_id, {TIMER.names()} FROM discovery.refresh_timers
        WHERE user_id = ANY($1) ORDER BY user_id FOR UPDATE)
    SELECT t.*, clock.now() AS now FROM t"""

# The update changes nothing: it locks a row that exists already.
LOCK_OR_CREATE: Final = """
    INSERT INTO discovery.refresh_timers AS t (user_id) VALUES ($1)
    ON CONFLICT (user_id) DO UPDATE SET version = t.version RETURNING t.user_id, clock.now() AS now"""

LIST_SERVERS: Final = """
    SELECT s.server_type, s.name, s.description, m.user_id IS NOT NULL AND m.left_at IS NULL AS joined
    FROM discovery.servers s
    LEFT JOIN discovery.server_memberships m ON m.server_type = s.server_type AND m.user_id = $1
    ORDER BY s.position"""

# A member who joins again keeps the row of the first time, and with it the fact that there was a first batch (DI-04).
JOIN: Final = """
    WITH joined AS (
        INSERT INTO discovery.server_memberships (user_id, server_type, joined_at) VALUES ($1, $2, $3)
        ON CONFLICT (user_id, server_type) DO UPDATE SET left_at = NULL)
    UPDATE discovery.refresh_timers SET version = version + 1 WHERE user_id = $1 RETURNING version"""

LEAVE: Final = """
    WITH gone AS (
        UPDATE discovery.server_memberships SET left_at = $3 WHERE user_id = $1 AND server_type = $2)
    UPDATE discovery.refresh_timers SET version = version + 1 WHERE user_id = $1 RETURNING version"""

SAVE_TIMER: Final = f"""
    UPDATE discovery.refresh_timers SET version = version + 1, {TIMER.assignments(first=2)}
    WHERE user_id = $1 RETURNING version"""


# A row without a version is only a lock so far: no event told of it.
LIST_TIMERS_AFTER: Final = f"""
    SELECT user_id, version, {TIMER.names()} FROM discovery.refresh_timers
    WHERE user_id > $1 AND version > 0 ORDER BY user_id LIMIT $2"""


async def list_timers_after(session: Session, user_id: UUID, limit: int) -> list[Row]:
    """A page of the timers that had an event, in the order of members' ids, after this member."""
    return await session.rows(LIST_TIMERS_AFTER, user_id, limit)


async def lock(tx: Tx, user_id: UUID) -> Timer | None:
    """Locks a member's timer row and sets tx.now. None, with nothing locked, if they have never joined a server."""
    rows = await tx.lock(LOCK, user_id)
    return from_row(Timer, rows[0]) if rows else None


async def lock_all(tx: Tx, users: Sequence[UUID]) -> dict[UUID, Timer]:
    """Locks the timer rows of those of the members who have one, by ascending id, and sets tx.now."""
    return {row["user_id"]: from_row(Timer, row) for row in await tx.lock(LOCK_ALL, list(users))}


async def lock_or_create(tx: Tx, user_id: UUID) -> None:
    """Locks a member's timer row, creates it if it is missing, and sets tx.now."""
    await tx.lock(LOCK_OR_CREATE, user_id)


async def list_servers(session: Session, user_id: UUID) -> dict[ServerType, Server]:
    """The three servers as the member sees them, in their order."""
    servers = [from_row(Server, row) for row in await session.rows(LIST_SERVERS, user_id)]
    return {server.server_type: server for server in servers}


async def join(tx: Tx, user_id: UUID, server: ServerType) -> int:
    """Adds the member, whose row is locked, to the server; returns the member's new version."""
    version: int = await tx.value(JOIN, user_id, server, tx.now)
    return version


async def leave(tx: Tx, user_id: UUID, server: ServerType) -> int:
    """Removes the member, whose row is locked, from the server; returns the member's new version."""
    version: int = await tx.value(LEAVE, user_id, server, tx.now)
    return version


async def save_timer(tx: Tx, user_id: UUID, timer: Timer) -> int:
    """Stores the timer of the member, whose row is locked; returns the member's new version."""
    version: int = await tx.value(SAVE_TIMER, user_id, timer.last_global_refresh_at, timer.refresh_available_at)
    return version
