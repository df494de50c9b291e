"""Events of streak."""

from __future__ import annotations

from uuid import UUID

from unora.streak.v1.events_pb2 import StreakCompleted
from unora_common import trace
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import from_timestamp
from unora_common.runtime import Runtime

from unora_matching.config import MatchingConfig
from unora_matching.use_cases.chat import unlock_connection_chat


class StreakEvents:
    """Day 15 unlocks the chat."""

    def __init__(self, runtime: Runtime[MatchingConfig, None]) -> None:
        self.runtime = runtime

    @on(StreakCompleted)
    async def on_streak_completed(self, event: StreakCompleted, tx: Tx) -> None:
        """ST-11: unlocks the chat of the connection."""
        if not await unlock_connection_chat(tx, UUID(event.connection_id), from_timestamp(event.occurred_at)):
            self.runtime.log.warning("a streak was completed without a connection", trace=trace.current())
