"""What reveal does when streak and matching tell of a pair."""

from __future__ import annotations

from datetime import UTC
from uuid import UUID

from unora.matching.v1.events_pb2 import ConnectionEnded
from unora.streak.v1.events_pb2 import DayCompleted, StreakCompleted, StreakStarted
from unora_common.config import Config
from unora_common.database import Tx
from unora_common.declare import on
from unora_common.service import App

from unora_reveal.store import reveals as store


class Progress:
    """Reveals are earned by the days of a streak (RE-01, RE-02). A reset is not heard: it takes nothing (RE-08)."""

    def __init__(self, app: App[Config]) -> None:
        self.app = app

    @on(StreakStarted)
    async def begin(self, event: StreakStarted, tx: Tx) -> None:
        """Five for each of the two."""
        await store.reach(tx, _streak(event), event.completed_days)

    @on(DayCompleted)
    async def earn(self, event: DayCompleted, tx: Tx) -> None:
        """What is due by now, for each by their own tier (RE-03)."""
        await store.reach(tx, _streak(event), event.completed_days)

    @on(StreakCompleted)
    async def complete(self, event: StreakCompleted, tx: Tx) -> None:
        """Day 15: the identity, for all tiers (RE-04)."""
        await store.reach(tx, _streak(event), event.completed_days)


class Endings:
    """A connection that is over opens nothing (RE-10)."""

    def __init__(self, app: App[Config]) -> None:
        self.app = app

    @on(ConnectionEnded)
    async def end(self, event: ConnectionEnded, tx: Tx) -> None:
        """Leaves a tombstone."""
        pair = (UUID(event.user_a_id), UUID(event.user_b_id))
        await store.end(tx, UUID(event.connection_id), *pair, event.occurred_at.ToDatetime(UTC))


def _streak(event: StreakStarted | DayCompleted | StreakCompleted) -> store.Streak:
    return store.Streak(
        id=UUID(event.streak_id),
        connection_id=UUID(event.connection_id),
        user_a_id=UUID(event.user_a_id),
        user_b_id=UUID(event.user_b_id),
    )
