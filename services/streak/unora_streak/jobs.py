"""Scheduled jobs of streaks."""

from __future__ import annotations

import time
from typing import Final
from uuid import UUID

from unora_common.handlers import every
from unora_common.runtime import Runtime

from unora_streak.config import StreakConfig
from unora_streak.domain.state import Streak
from unora_streak.use_cases.advance import advance_due

RETRY_AFTER: Final = 60.0
"""Seconds after which a streak that could not be advanced is tried again."""


class StreakJobs:
    """The sweep."""

    def __init__(self, runtime: Runtime[StreakConfig, None]) -> None:
        self.runtime = runtime
        self._failed: dict[UUID, float] = {}
        """The streaks that could not be advanced, and when they are tried again (monotonic clock)."""

    @every(seconds=1)
    async def close_days(self) -> int:
        """ST-16: advances one batch of due streaks to now. If the process dies, the batch rolls back and is retried.

        A streak that cannot be advanced is logged and left out for a while, so that it does not delay the others.
        """
        config = self.runtime.config
        now = time.monotonic()
        self._failed = {streak_id: retry_at for streak_id, retry_at in self._failed.items() if retry_at > now}
        async with self.runtime.database.transaction() as tx:
            return await advance_due(tx, config.sweep_batch, self._failed, config.policy, self._leave_out)

    def _leave_out(self, streak: Streak, error: Exception) -> None:
        self._failed[streak.id] = time.monotonic() + RETRY_AFTER
        self.runtime.log.error("streak cannot be advanced", aggregate_id=str(streak.id), failure=error)
