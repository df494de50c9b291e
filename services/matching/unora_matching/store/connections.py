"""Connections, and the slots that they hold."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora_common.database import Row, Session, Tx

from unora_matching.domain import Connection, ConnectionNotFound, ConnectionStatus, EndReason, Inventory
from unora_matching.pages import Place

COLUMNS = """
    c.id, c.user_a_id, c.user_b_id, c.server_type, c.connection_status, c.formed_at, c.ended_at, c.chat_unlocked_at,
    c.version"""

FORM = """
    WITH taken AS (
        UPDATE matching.inventory AS i
        SET active_connection_count = i.active_connection_count + 1, version = slot.version
        FROM unnest($6::uuid[], $7::bigint[]) AS slot (user_id, version) WHERE i.user_id = slot.user_id)
    INSERT INTO matching.connections (
        id, user_a_id, user_b_id, server_type, formed_at, connection_status, version)
    VALUES ($1, $2, $3, $4, $5, 'active', 1)"""

END = """
    WITH freed AS (
        UPDATE matching.inventory AS i
        SET active_connection_count = i.active_connection_count - 1, version = slot.version
        FROM unnest($6::uuid[], $7::bigint[]) AS slot (user_id, version) WHERE i.user_id = slot.user_id)
    UPDATE matching.connections
    SET connection_status = 'ended', ended_at = $2, ended_by_id = $3, end_reason = $4, version = $5 WHERE id = $1"""

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


async def form(tx: Tx, connection: Connection, taken: Sequence[Inventory]) -> None:
    """Stores a new connection and takes a slot of each (MA-06: the database itself adds, and refuses one too many)."""
    await tx.run(
        FORM,
        connection.id,
        *connection.pair,
        connection.server_type,
        connection.formed_at,
        *_slots(taken),
    )


async def end(tx: Tx, connection: Connection, by: UUID, reason: EndReason, freed: Sequence[Inventory]) -> None:
    """Stores the ending of a connection and frees a slot of each (MA-09)."""
    await tx.run(END, connection.id, connection.ended_at, by, reason, connection.version, *_slots(freed))


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


async def unlock_chat(tx: Tx, connection: Connection) -> None:
    """Stores since when the two may chat (ST-11)."""
    await tx.run(UNLOCK_CHAT, connection.id, connection.chat_unlocked_at, connection.version)


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


def _slots(inventories: Sequence[Inventory]) -> tuple[list[UUID], list[int]]:
    return [each.user_id for each in inventories], [each.version for each in inventories]


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
