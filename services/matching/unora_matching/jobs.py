"""What runs by itself."""

from __future__ import annotations

from unora_common.handlers import every
from unora_common.runtime import Runtime

from unora_matching.config import MatchingConfig
from unora_matching.use_cases import expire_interests


class Interests:
    """Interests do not wait for ever."""

    def __init__(self, runtime: Runtime[MatchingConfig, None]) -> None:
        self.runtime = runtime

    @every(seconds=30)
    async def expire(self) -> int:
        """MA-11. One batch. That none of it matches meanwhile does not hang on this job: a match looks at the time."""
        async with self.runtime.database.transaction() as tx:
            return await expire_interests(tx, self.runtime.config.policy.lifetime, self.runtime.config.expiry_batch)
