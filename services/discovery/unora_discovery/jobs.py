"""What runs by itself."""

from __future__ import annotations

from typing import Final

from unora_common.handlers import every
from unora_common.runtime import Runtime

from unora_discovery.config import DiscoveryConfig
from unora_discovery.store import batches, pairs

BATCHES_AT_ONCE: Final = 500
WAITS_AT_ONCE: Final = 2000


class CleanUp:
    """Goes by the machine's clock, so that moving the rule clock forgets nothing. Safe on any number of replicas."""

    def __init__(self, runtime: Runtime[DiscoveryConfig, None]) -> None:
        self.runtime = runtime

    @every(seconds=300)
    async def purge_batches(self) -> int:
        """What was shown is nobody's business for ever: batches replaced long ago go, with their cards."""
        async with self.runtime.database.transaction() as tx:
            return await batches.purge(tx, self.runtime.config.batches_kept, BATCHES_AT_ONCE)

    @every(seconds=300)
    async def forget_waits(self) -> int:
        """Who once waited for whom, too; later than any event about it could still come."""
        async with self.runtime.database.transaction() as tx:
            return await pairs.forget_waits(tx, self.runtime.config.waits_kept, WAITS_AT_ONCE)
