"""A completed streak unlocks the chat."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Tx

from unora_matching.domain.connections import unlock_chat
from unora_matching.messages import to_message
from unora_matching.store import connections


async def unlock_connection_chat(tx: Tx, connection_id: UUID, completed_at: datetime) -> bool:
    """ST-11: unlocks the chat since `completed_at` (UTC). A connection that has ended stays without chat. Returns False
    if there is no such connection; there will never be one, since a streak begins after its connection is stored.
    """
    connection = await connections.lock(tx, connection_id)
    if connection is None:
        return False
    change = unlock_chat(connection, completed_at, tx.now)
    if change is not None:
        unlocked, event = change
        connections.save_chat_unlocked(tx, unlocked)
        tx.emit(to_message(event))
    return True
