"""Connections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from unora_common.copies import Copy
from unora_common.database import Session, Tx
from unora_common.pages import Place
from unora_common.rows import Columns, from_row

from unora_matching.domain.connections import Connection, EndReason
from unora_matching.domain.errors import ConnectionNotFound

COLUMNS = Columns(
    "id",
    "user_a_id",
    "user_b_id",
    "server_type",
    "connection_status",
    "formed_at",
    "ended_at",
    "chat_unlocked_at",
    "version",
)

# A trigger keeps a chat that was unlocked (ST-11).
CHATS = Copy("matching.connections", ["id"], [], where="t.chat_unlocked_at IS NOT NULL AND t.deleted_at IS NULL")

INSERT = f"INSERT INTO matching.connections ({COLUMNS.names()}) VALUES ({COLUMNS.parameters()})"

SAVE_ENDED = """
    UPDATE matching.connections AS c
    SET connection_status = 'ended', ended_at = $3, ended_by_id = $4, end_reason = $5, acted_at = $6,
        version = ended.version
    FROM unnest($1::uuid[], $2::bigint[]) AS ended (id, version) WHERE c.id = ended.id"""

LOCK = f"""
    WITH c AS MATERIALIZED (SELECT * FROM matching.connections WHERE id = $1 AND deleted_at IS NULL FOR UPDATE)
    SELECT {COLUMNS.names("c")}, clock.now() AS now FROM c"""

LOCK_ACTIVE = f"""
    WITH c AS MATERIALIZED (
        SELECT * FROM matching.connections
        WHERE {{condition}} AND connection_status = 'active' AND deleted_at IS NULL ORDER BY id FOR UPDATE)
    SELECT {COLUMNS.names("c")}, clock.now() AS now FROM c"""
LOCK_ACTIVE_OF_PAIR = LOCK_ACTIVE.format(condition="user_a_id = $1 AND user_b_id = $2")
LOCK_ACTIVE_OF_MEMBER = LOCK_ACTIVE.format(condition="(user_a_id = $1 OR user_b_id = $1)")

LIST_PARTNERS = """
    SELECT CASE user_a_id WHEN $1 THEN user_b_id ELSE user_a_id END AS partner FROM matching.connections
    WHERE (user_a_id = $1 OR user_b_id = $1) AND connection_status = 'active' AND deleted_at IS NULL"""

SAVE_CHAT_UNLOCKED = "UPDATE matching.connections SET chat_unlocked_at = $2, version = $3 WHERE id = $1"

GET = f"""
    SELECT {COLUMNS.names()} FROM matching.connections
    WHERE id = $1 AND ($2::uuid IS NULL OR $2 IN (user_a_id, user_b_id)) AND deleted_at IS NULL"""

MAY_CHAT = """
    SELECT EXISTS (
        SELECT FROM matching.connections
        WHERE user_a_id = least($1::uuid, $2::uuid) AND user_b_id = greatest($1, $2)
            AND connection_status = 'active' AND deleted_at IS NULL AND chat_unlocked_at IS NOT NULL)"""

LIST_BY_MEMBER = f"""
    SELECT {COLUMNS.names()} FROM matching.connections
    WHERE (user_a_id = $1 OR user_b_id = $1) AND (connection_status = 'active' OR $5) AND deleted_at IS NULL
        AND (formed_at, id) < (coalesce($2, 'infinity'::timestamptz), coalesce($3::uuid, $1))
    ORDER BY formed_at DESC, id DESC LIMIT $4"""


async def insert(tx: Tx, connection: Connection) -> None:
    """Stores a new connection at once, because its two interests refer to it."""
    await tx.run(INSERT, *COLUMNS.values_of(connection))


def save_ended(tx: Tx, ended: Sequence[Connection], by: UUID, reason: EndReason, acted_at: datetime) -> None:
    """Stores that connections ended, all at the same time (MA-09), because `by` did something at `acted_at` (UTC)."""
    ids, versions = [each.id for each in ended], [each.version for each in ended]
    tx.defer(SAVE_ENDED, ids, versions, ended[0].ended_at, by, reason, acted_at)


async def lock(tx: Tx, connection_id: UUID) -> Connection | None:
    """Locks a connection and sets tx.now; None if there is none. A use case that also locks the inventories of its two
    members locks those first.
    """
    rows = await tx.lock(LOCK, connection_id)
    return from_row(Connection, rows[0]) if rows else None


async def lock_active_of_pair(tx: Tx, one: UUID, other: UUID) -> list[Connection]:
    """Locks the active connection of a pair, if there is one; under the locks of both."""
    return [from_row(Connection, row) for row in await tx.lock(LOCK_ACTIVE_OF_PAIR, *sorted((one, other)))]


async def lock_active_of_member(tx: Tx, member: UUID) -> list[Connection]:
    """Locks a member's active connections, under the member's lock."""
    return [from_row(Connection, row) for row in await tx.lock(LOCK_ACTIVE_OF_MEMBER, member)]


async def list_partners(session: Session, member: UUID) -> list[UUID]:
    """The partners in a member's active connections. They are read without a lock, so they may change."""
    return [row["partner"] for row in await session.rows(LIST_PARTNERS, member)]


def save_chat_unlocked(tx: Tx, connection: Connection) -> None:
    """Stores the time from which the two may chat (ST-11)."""
    tx.defer(SAVE_CHAT_UNLOCKED, connection.id, connection.chat_unlocked_at, connection.version)


async def get(session: Session, connection_id: UUID, member: UUID | None = None) -> Connection:
    """A connection, not locked. If a member is given, it must be one of the two (XX-04). Raises ConnectionNotFound."""
    row = await session.row(GET, connection_id, member)
    if row is None:
        raise ConnectionNotFound
    return from_row(Connection, row)


async def may_chat(session: Session, one: UUID, other: UUID) -> bool:
    """Whether the two have an active connection whose chat is unlocked (ST-11)."""
    found: bool = await session.value(MAY_CHAT, one, other)
    return found


async def list_by_member(
    session: Session, member: UUID, after: Place | None, limit: int, *, ended: bool
) -> list[Connection]:
    """A page of a member's connections over all servers, newest first; equal times are ordered by id. `ended` includes
    those that have ended.
    """
    after_time, after_id = after or (None, None)
    rows = await session.rows(LIST_BY_MEMBER, member, after_time, after_id, limit, ended)
    return [from_row(Connection, row) for row in rows]
