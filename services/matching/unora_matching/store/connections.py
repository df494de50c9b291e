"""Connections."""

from __future__ import annotations

from collections.abc import Sequence
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
    UPDATE matching.connections AS c
    SET connection_status = 'ended', ended_at = $3, ended_by_id = $4, end_reason = $5, version = ended.version
    FROM unnest($1::uuid[], $2::bigint[]) AS ended (id, version) WHERE c.id = ended.id"""

LOCK = f"""
    WITH c AS MATERIALIZED (SELECT * FROM matching.connections WHERE id = $1 AND deleted_at IS NULL FOR UPDATE)
    SELECT {COLUMNS}, clock.now() AS now FROM c"""

LOCK_ACTIVE = f"""
    WITH c AS MATERIALIZED (
        SELECT * FROM matching.connections
        WHERE {{whose}} AND connection_status = 'active' AND deleted_at IS NULL ORDER BY id FOR UPDATE)
    SELECT {COLUMNS}, clock.now() AS now FROM c"""
LOCK_ACTIVE_OF_PAIR = LOCK_ACTIVE.format(whose="user_a_id = $1 AND user_b_id = $2")
LOCK_ACTIVE_OF_MEMBER = LOCK_ACTIVE.format(whose="(user_a_id = $1 OR user_b_id = $1)")

PARTNERS = """
    SELECT CASE user_a_id WHEN $1 THEN user_b_id ELSE user_a_id END AS partner FROM matching.connections
    WHERE (user_a_id = $1 OR user_b_id = $1) AND connection_status = 'active' AND deleted_at IS NULL"""

UNLOCK_CHAT = "UPDATE matching.connections SET chat_unlocked_at = $2, version = $3 WHERE id = $1"

ONE = f"""
    SELECT {COLUMNS} FROM matching.connections c
    WHERE c.id = $1 AND ($2::uuid IS NULL OR $2 IN (c.user_a_id, c.user_b_id)) AND c.deleted_at IS NULL"""

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


def end(tx: Tx, ended: Sequence[Connection], by: UUID, reason: EndReason) -> None:
    """Stores that connections ended at one moment (MA-09)."""
    ids, versions = [each.id for each in ended], [each.version for each in ended]
    tx.defer(END, ids, versions, ended[0].ended_at, by, reason)


async def lock(tx: Tx, connection_id: UUID) -> Connection | None:
    """Locks a connection; after the inventories of its two, if they are locked at all."""
    rows = await tx.lock(LOCK, connection_id)
    return _connection(rows[0]) if rows else None


async def lock_active_of_pair(tx: Tx, one: UUID, other: UUID) -> list[Connection]:
    """Locks the active connection of a pair, if there is one; under the locks of both."""
    return [_connection(row) for row in await tx.lock(LOCK_ACTIVE_OF_PAIR, *sorted((one, other)))]


async def lock_active_of_member(tx: Tx, member: UUID) -> list[Connection]:
    """Locks a member's active connections, under the member's lock."""
    return [_connection(row) for row in await tx.lock(LOCK_ACTIVE_OF_MEMBER, member)]


async def partners(session: Session, member: UUID) -> list[UUID]:
    """With whom a member is connected, as it stands before any lock."""
    return [row["partner"] for row in await session.rows(PARTNERS, member)]


def unlock_chat(tx: Tx, connection: Connection) -> None:
    """Stores since when the two may chat (ST-11)."""
    tx.defer(UNLOCK_CHAT, connection.id, connection.chat_unlocked_at, connection.version)


async def one(session: Session, connection_id: UUID, member: UUID | None = None) -> Connection:
    """A connection as it is now; for a member only one of their own, else the same as a missing one (XX-04)."""
    row = await session.row(ONE, connection_id, member)
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
