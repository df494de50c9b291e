"""Members of servers, and the timer row of each: whoever changes anything of a member's Discovery locks it first.

What hangs on a member is read by a statement after the one that takes the lock: a statement that waits for a lock still
sees the rows beside it as they were when it began.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from unora_common.database import Session, Tx

from unora_discovery.domain import NotAMember, Server, ServerType, Tier, Timer, Viewer

LOCK: Final = """
    WITH t AS MATERIALIZED (SELECT user_id FROM discovery.refresh_timers WHERE user_id = $1 FOR UPDATE)
    SELECT t.user_id, clock.now() AS now FROM t"""

# The update changes nothing: it takes the lock of a row that is there already.
MAKE_AND_LOCK: Final = """
    INSERT INTO discovery.refresh_timers AS t (user_id) VALUES ($1)
    ON CONFLICT (user_id) DO UPDATE SET version = t.version RETURNING t.user_id, clock.now() AS now"""

VIEWER: Final = """
    SELECT m.user_id IS NOT NULL AS joined,
        coalesce(c.discovery_ready, false) AS discovery_ready, coalesce(c.tier, 'free') AS tier,
        coalesce(c.active_connection_count, 0) AS active_connection_count,
        coalesce(c.connection_limit, 1) AS connection_limit,
        coalesce(c.hobby_option_ids, '{}') AS hobby_option_ids,
        m.first_batch_at IS NOT NULL AS had_batch,
        t.last_global_refresh_at, t.refresh_available_at, clock.now() AS now
    FROM (VALUES ($1::uuid, $2::text)) AS viewer (user_id, server_type)
    LEFT JOIN discovery.server_memberships m USING (user_id, server_type)
    LEFT JOIN discovery.candidates c USING (user_id)
    LEFT JOIN discovery.refresh_timers t USING (user_id)"""

SERVERS: Final = """
    SELECT s.server_type, s.name, s.description, m.user_id IS NOT NULL AS joined
    FROM discovery.servers s
    LEFT JOIN discovery.server_memberships m ON m.server_type = s.server_type AND m.user_id = $1
    ORDER BY s.position"""

JOIN: Final = """
    WITH joined AS (
        INSERT INTO discovery.server_memberships (user_id, server_type, joined_at) VALUES ($1, $2, $3))
    UPDATE discovery.refresh_timers SET version = version + 1 WHERE user_id = $1 RETURNING version"""


async def lock(tx: Tx, user_id: UUID) -> None:
    """Locks a member's timer row and sets tx.now. Raises NotAMember for who has never joined a server."""
    if not await tx.lock(LOCK, user_id):
        raise NotAMember


async def make_and_lock(tx: Tx, user_id: UUID) -> None:
    """Locks a member's timer row, made if it is not there, and sets tx.now."""
    await tx.lock(MAKE_AND_LOCK, user_id)


async def viewer(session: Session, user_id: UUID, server: ServerType) -> tuple[Viewer, datetime]:
    """A member in front of a server, and the time of the reading. Of whom nothing is known has a free slot, and no
    more: until matching tells otherwise.
    """
    row = await session.row(VIEWER, user_id, server)
    assert row is not None
    found = Viewer(
        joined=row["joined"],
        discovery_ready=row["discovery_ready"],
        tier=Tier(row["tier"]),
        active_connection_count=row["active_connection_count"],
        connection_limit=row["connection_limit"],
        hobby_option_ids=frozenset(row["hobby_option_ids"]),
        had_batch=row["had_batch"],
        timer=Timer(row["last_global_refresh_at"], row["refresh_available_at"]),
    )
    return found, row["now"]


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
