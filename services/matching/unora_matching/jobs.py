"""What runs by itself."""

from __future__ import annotations

from unora_common.declare import every
from unora_common.service import App

from unora_matching.config import MatchingConfig
from unora_matching.use_cases import expire_interests


class Interests:
    """Interests do not wait for ever."""

    def __init__(self, app: App[MatchingConfig]) -> None:
        self.app = app

    @every(seconds=30)
    async def expire(self) -> int:
        """MA-11. One batch. That none of it matches meanwhile does not hang on this job: a match looks at the time."""
        async with self.app.database.transaction() as tx:
            return await expire_interests(tx, self.app.config.policy.lifetime, self.app.config.expiry_batch)
