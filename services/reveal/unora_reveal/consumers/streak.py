"""Streaks: their days earn reveals."""

from __future__ import annotations

from uuid import UUID

from unora.streak.v1.events_pb2 import DayCompleted, StreakCompleted, StreakStarted
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.runtime import Runtime

from unora_reveal.config import RevealConfig
from unora_reveal.domain.streaks import Streak
from unora_reveal.resources import Resources
from unora_reveal.use_cases.earning import record_days


class StreakEvents:
    """Reveals are earned by the days of a streak (RE-01, RE-02).

    StreakReset is not consumed, since a reset takes nothing back (RE-08).
    """

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime

    @on(StreakStarted)
    async def on_streak_started(self, event: StreakStarted, tx: Tx) -> None:
        """Each of the two members gets five reveals."""
        await record_days(tx, _streak(event), event.completed_days)

    @on(DayCompleted)
    async def on_day_completed(self, event: DayCompleted, tx: Tx) -> None:
        """Each member earns what their own tier gives for the days so far (RE-03)."""
        await record_days(tx, _streak(event), event.completed_days)

    @on(StreakCompleted)
    async def on_streak_completed(self, event: StreakCompleted, tx: Tx) -> None:
        """Day 15: both members earn the identity, whatever their tier (RE-04)."""
        await record_days(tx, _streak(event), event.completed_days)


def _streak(event: StreakStarted | DayCompleted | StreakCompleted) -> Streak:
    return Streak(
        id=UUID(event.streak_id),
        connection_id=UUID(event.connection_id),
        user_a_id=UUID(event.user_a_id),
        user_b_id=UUID(event.user_b_id),
    )
