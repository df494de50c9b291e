"""What runs by itself."""

from __future__ import annotations

from unora_common.declare import every
from unora_common.service import App

from unora_streak import store
from unora_streak.config import StreakConfig
from unora_streak.use_cases import settle_all


class Days:
    """Days end by themselves."""

    def __init__(self, app: App[StreakConfig]) -> None:
        self.app = app

    @every(seconds=1)
    async def close_days(self) -> int:
        """ST-16: one batch of streaks on which something is due, each up to now. A kill loses the batch, not a day."""
        async with self.app.database.transaction() as tx:
            due = await store.lock_due(tx, self.app.config.sweep_batch)
            await settle_all(tx, [each.streak for each in due], self.app.config.policy)
        return len(due)
