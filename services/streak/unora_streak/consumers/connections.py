"""Events of matching: a streak begins and ends with its connection (ST-01, ST-12)."""

from __future__ import annotations

from uuid import UUID

from unora.matching.v1.events_pb2 import ConnectionEnded, ConnectionFormed
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import from_timestamp
from unora_common.runtime import Runtime

from unora_streak.clients import Directory
from unora_streak.config import StreakConfig
from unora_streak.messages import from_connection
from unora_streak.use_cases.lifecycle import end_streak, start_streak


class ConnectionEvents:
    """Starts and ends streaks."""

    def __init__(self, runtime: Runtime[StreakConfig, None]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy
        self.directory = Directory(runtime.clients)

    async def _get_pair_zone(self, event: ConnectionFormed) -> str:
        return await self.directory.get_pair_zone(UUID(event.user_a_id), UUID(event.user_b_id))

    @on(ConnectionFormed, prepare=_get_pair_zone)
    async def on_connection_formed(self, event: ConnectionFormed, tx: Tx, zone: str) -> None:
        """ST-01. Changes nothing for a connection whose end was applied first."""
        await start_streak(tx, from_connection(event), zone, from_timestamp(event.occurred_at), self.policy)

    @on(ConnectionEnded)
    async def on_connection_ended(self, event: ConnectionEnded, tx: Tx) -> None:
        """ST-12. The event may come before that of the beginning."""
        await end_streak(tx, from_connection(event), from_timestamp(event.occurred_at), self.policy)
