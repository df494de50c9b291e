"""What streak does when matching tells of a connection."""

from __future__ import annotations

from datetime import UTC
from uuid import UUID

from unora.matching.v1.events_pb2 import ConnectionEnded, ConnectionFormed
from unora_common.database import Tx
from unora_common.declare import on
from unora_common.errors import Later
from unora_common.ids import uuid7
from unora_common.service import App

from unora_streak import store
from unora_streak.clients import Directory
from unora_streak.config import StreakConfig
from unora_streak.domain import begin, terminate
from unora_streak.messages import SERVER_NAMES
from unora_streak.use_cases import settle_all


class Connections:
    """A streak lives with its connection."""

    def __init__(self, app: App[StreakConfig]) -> None:
        self.app = app
        self.policy = app.config.policy
        self.directory = Directory(app.clients)

    async def _zone(self, event: ConnectionFormed) -> str:
        return await self.directory.zone_of_pair(UUID(event.user_a_id), UUID(event.user_b_id))

    @on(ConnectionFormed, prepare=_zone)
    async def start(self, event: ConnectionFormed, tx: Tx, zone: str) -> None:
        """ST-01."""
        streak, events = begin(
            streak_id=uuid7(),
            connection_id=UUID(event.connection_id),
            pair=(UUID(event.user_a_id), UUID(event.user_b_id)),
            zone=zone,
            formed_at=event.occurred_at.ToDatetime(UTC),
            now=await tx.read_clock(),
            policy=self.policy,
        )
        await store.insert(tx, streak, SERVER_NAMES[event.server_type], events, self.policy)

    @on(ConnectionEnded)
    async def end(self, event: ConnectionEnded, tx: Tx) -> None:
        """ST-12. Waits for the beginning if the ending came first."""
        found = await store.lock_of_connection(tx, UUID(event.connection_id))
        if found is None:
            raise Later(f"connection {event.connection_id} has not begun here")
        ended_at = min(event.occurred_at.ToDatetime(UTC), tx.now)
        (before,) = await settle_all(tx, [found.streak], self.policy, until=ended_at)
        after, events = terminate(before, ended_at, tx.now, self.policy)
        await store.save(tx, before, after, events, self.policy)
        await store.leave_dashboard(tx, before.id, ended_at)
