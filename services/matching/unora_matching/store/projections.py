"""What other contexts keep of matching, by page, in the order of ids (XX-08). Slots are in `inventories`."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Row, Session

# An interest that lost its last chance without its sender's doing looks pending at first (MA-11): how it looks later is
# what was told last.
LIST_INTERESTS = """
    SELECT id, version, sender_id, receiver_id, server_type, sent_at, closed_at, card_id,
        CASE WHEN interest_status = 'void' AND shown_as <> 'pending' THEN shown_as ELSE interest_status END AS status
    FROM matching.interests WHERE id > $1 AND deleted_at IS NULL ORDER BY id LIMIT $2"""

LIST_CONNECTIONS = """
    SELECT id, version, user_a_id, user_b_id, server_type, formed_at, ended_at
    FROM matching.connections WHERE id > $1 AND deleted_at IS NULL ORDER BY id LIMIT $2"""

LIST_ENDINGS = """
    SELECT id, ended_by_id, ended_at, acted_at FROM matching.connections
    WHERE id > $1 AND connection_status = 'ended' AND deleted_at IS NULL ORDER BY id LIMIT $2"""


async def list_interests(session: Session, after: UUID, limit: int) -> list[Row]:
    """A page of all interests, each with the status that was told of it last."""
    return await session.rows(LIST_INTERESTS, after, limit)


async def list_connections(session: Session, after: UUID, limit: int) -> list[Row]:
    """A page of all connections, without who ended them and why."""
    return await session.rows(LIST_CONNECTIONS, after, limit)


async def list_endings(session: Session, after: UUID, limit: int) -> list[Row]:
    """A page of the connections that have ended, with who ended them, and when that member acted (UTC)."""
    return await session.rows(LIST_ENDINGS, after, limit)
