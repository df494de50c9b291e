"""Scheduled jobs."""

from __future__ import annotations

from unora_common.handlers import every
from unora_common.runtime import Runtime

from unora_matching.config import MatchingConfig
from unora_matching.use_cases.expiry import expire_interests


class InterestJobs:
    """Interests expire."""

    def __init__(self, runtime: Runtime[MatchingConfig, None]) -> None:
        self.runtime = runtime

    @every(seconds=30)
    async def expire(self) -> int:
        """MA-11: one batch. A due interest never matches, even if this job is late: a match looks at the time."""
        async with self.runtime.database.transaction() as tx:
            return await expire_interests(tx, self.runtime.config.policy.lifetime, self.runtime.config.expiry_batch)
