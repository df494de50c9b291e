"""What runs by itself."""

from __future__ import annotations

import time
from typing import Final
from uuid import UUID

from unora_common.handlers import every
from unora_common.runtime import Runtime

from unora_streak.config import StreakConfig
from unora_streak.domain import Streak
from unora_streak.store import streaks
from unora_streak.use_cases.settling import settle_all

LEFT_OUT: Final = 60.0
"""Seconds before a streak that could not be settled is tried again."""


class Days:
    """Days end by themselves."""

    def __init__(self, runtime: Runtime[StreakConfig, None]) -> None:
        self.runtime = runtime
        self._stuck: dict[UUID, float] = {}

    @every(seconds=1)
    async def close_days(self) -> int:
        """ST-16: one batch of streaks on which something is due, each up to now. A kill loses the batch, not a day.

        A streak that cannot be settled is told in the log and left out for a while: the others' days must end.
        """
        config = self.runtime.config
        self._stuck = {streak: until for streak, until in self._stuck.items() if until > time.monotonic()}
        async with self.runtime.database.transaction() as tx:
            due = await streaks.lock_due(tx, config.sweep_batch, but=self._stuck)
            await settle_all(tx, [each.streak for each in due], config.policy, failed=self._failed)
        return len(due)

    def _failed(self, streak: Streak, error: Exception) -> None:
        self._stuck[streak.id] = time.monotonic() + LEFT_OUT
        self.runtime.log.error("streak cannot be settled", aggregate_id=str(streak.id), failure=error)
