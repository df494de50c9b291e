"""What matching does when streak tells of a completed streak."""

from __future__ import annotations

from datetime import UTC
from uuid import UUID

from unora.streak.v1.events_pb2 import StreakCompleted
from unora_common import trace
from unora_common.database import Tx
from unora_common.declare import on
from unora_common.service import App

from unora_matching.config import MatchingConfig
from unora_matching.domain import unlock_chat
from unora_matching.messages import chat_unlocked
from unora_matching.store import connections


class Streaks:
    """Day 15 opens the chat."""

    def __init__(self, app: App[MatchingConfig]) -> None:
        self.app = app

    @on(StreakCompleted)
    async def unlock_chat(self, event: StreakCompleted, tx: Tx) -> None:
        """ST-11. A connection that has ended meanwhile stays without; one that is not here will never come, since its
        streak could only begin after it was stored.
        """
        connection = await connections.lock_any(tx, UUID(event.connection_id))
        if connection is None:
            self.app.log.warning("a streak was completed without a connection", trace=trace.current())
            return
        unlocked = unlock_chat(connection, event.occurred_at.ToDatetime(UTC), tx.now)
        if unlocked is not None:
            connections.unlock_chat(tx, unlocked)
            tx.emit(chat_unlocked(unlocked))
