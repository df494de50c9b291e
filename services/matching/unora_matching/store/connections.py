"""Connections."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Row, Session, Tx
from unora_common.pages import Place

from unora_matching.domain import Connection, ConnectionNotFound, ConnectionStatus, EndReason

COLUMNS = """
    c.id, c.user_a_id, c.user_b_id, c.server_type, c.connection_status, c.formed_at, c.ended_at, c.chat_unlocked_at,
    c.version"""

INSERT = """
    INSERT INTO matching.connections (
        id, user_a_id, user_b_id, server_type, formed_at, connection_status, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7)"""

END = """
    UPDATE matching.connections
    SET connection_status = $2, ended_at = $3, ended_by_id = $4, end_reason = $5, version = $6 WHERE id = $1"""

LOCK = f"""
    WITH c AS MATERIALIZED (
        SELECT * FROM matching.connections WHERE id = $1 AND $2 IN (user_a_id, user_b_id) AND deleted_at IS NULL
        FOR UPDATE)
    SELECT {COLUMNS}, clock.now() AS now FROM c"""

LOCK_ANY = f"""
    WITH c AS MATERIALIZED (SELECT * FROM matching.connections WHERE id = $1 AND deleted_at IS NULL FOR UPDATE)
    SELECT {COLUMNS}, clock.now() AS now FROM c"""

UNLOCK_CHAT = "UPDATE matching.connections SET chat_unlocked_at = $2, version = $3 WHERE id = $1"

ONE = f"SELECT {COLUMNS} FROM matching.connections c WHERE c.id = $1 AND c.deleted_at IS NULL"

OF_MEMBER = f"""
    SELECT {COLUMNS} FROM matching.connections c
    WHERE (c.user_a_id = $1 OR c.user_b_id = $1) AND (c.connection_status = 'active' OR $5) AND c.deleted_at IS NULL
        AND (c.formed_at, c.id) < (coalesce($2, 'infinity'::timestamptz), coalesce($3::uuid, $1))
    ORDER BY c.formed_at DESC, c.id DESC LIMIT $4"""


async def insert(tx: Tx, connection: Connection) -> None:
    """Stores a new connection, at once: the interests that became it refer to it."""
    await tx.run(
        INSERT,
        connection.id,
        *connection.pair,
        connection.server_type,
        connection.formed_at,
        connection.status,
        connection.version,
    )


def end(tx: Tx, connection: Connection, by: UUID, reason: EndReason) -> None:
    """Stores the ending of a connection (MA-09)."""
    tx.write(END, connection.id, connection.status, connection.ended_at, by, reason, connection.version)


async def lock(tx: Tx, connection_id: UUID, member: UUID) -> Connection:
    """Locks a member's connection. Another's is not even waited for, and is the same as a missing one (XX-04)."""
    rows = await tx.lock(LOCK, connection_id, member)
    if not rows:
        raise ConnectionNotFound
    return _connection(rows[0])


async def lock_any(tx: Tx, connection_id: UUID) -> Connection | None:
    """Locks a connection on behalf of no member."""
    rows = await tx.lock(LOCK_ANY, connection_id)
    return _connection(rows[0]) if rows else None


def unlock_chat(tx: Tx, connection: Connection) -> None:
    """Stores since when the two may chat (ST-11)."""
    tx.write(UNLOCK_CHAT, connection.id, connection.chat_unlocked_at, connection.version)


async def one(session: Session, connection_id: UUID) -> Connection:
    """A connection, for other contexts."""
    row = await session.row(ONE, connection_id)
    if row is None:
        raise ConnectionNotFound
    return _connection(row)


async def of_member(
    session: Session, member: UUID, after: Place | None, limit: int, *, ended: bool
) -> list[Connection]:
    """A page of a member's connections over all servers, newest first; ids decide between those of one instant."""
    at, last = after or (None, None)
    return [_connection(row) for row in await session.rows(OF_MEMBER, member, at, last, limit, ended)]


def _connection(row: Row) -> Connection:
    return Connection(
        id=row["id"],
        user_a_id=row["user_a_id"],
        user_b_id=row["user_b_id"],
        server_type=row["server_type"],
        status=ConnectionStatus(row["connection_status"]),
        formed_at=row["formed_at"],
        ended_at=row["ended_at"],
        chat_unlocked_at=row["chat_unlocked_at"],
        version=row["version"],
    )
