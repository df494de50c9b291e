"""Scheduled jobs of discovery, and what keeps the planes up to date."""

from __future__ import annotations

from typing import Final

from unora_common.database import Tx
from unora_common.erasing import Erasing, Erasure, receipt_of
from unora_common.handlers import every
from unora_common.runtime import Runtime

from unora_discovery.config import DiscoveryConfig
from unora_discovery.domain.events import MemberErasedFromDiscovery
from unora_discovery.messages.events import to_message
from unora_discovery.resources import Resources
from unora_discovery.store import batches, listed_cards, pairs
from unora_discovery.use_cases.following import AT_ONCE, follow

BATCHES_PER_RUN: Final = 500
INTERESTS_PER_RUN: Final = 2000
CARDS_PER_RUN: Final = 2000
PAIRS_PER_RUN: Final = 2000


class RetentionJobs:
    """Delete old rows by the machine's clock, so that moving the rule clock deletes nothing."""

    def __init__(self, runtime: Runtime[DiscoveryConfig, Resources]) -> None:
        self.runtime = runtime

    @every(seconds=300)
    async def purge_batches(self) -> int:
        """Deletes batches that were replaced long ago, with their cards: which members someone saw is private."""
        async with self.runtime.database.transaction() as tx:
            return await batches.purge(tx, self.runtime.config.batch_retention, BATCHES_PER_RUN)

    @every(seconds=300)
    async def check_kept_cards(self) -> int:
        """DI-16: deletes cards of deleted batches once no list shows them any more."""
        async with self.runtime.database.transaction() as tx:
            return await listed_cards.check_kept(tx, CARDS_PER_RUN)

    @every(seconds=300)
    async def forget_interests(self) -> int:
        """DI-16: deletes what is known of the cards of interests that matching lists no longer."""
        async with self.runtime.database.transaction() as tx:
            return await listed_cards.purge_interests(tx, self.runtime.config.listed_interests, INTERESTS_PER_RUN)

    @every(seconds=300)
    async def forget_waits(self) -> int:
        """Deletes interests that stopped waiting so long ago that no event of them can come any more."""
        async with self.runtime.database.transaction() as tx:
            return await pairs.purge_waiting_interests(tx, self.runtime.config.interest_retention, INTERESTS_PER_RUN)

    @every(seconds=300)
    async def purge_exclusions(self) -> int:
        """Deletes exclusions that keep nobody apart any more, once no event can restore them."""
        async with self.runtime.database.transaction() as tx:
            return await pairs.purge_exclusions(tx, self.runtime.config.interest_retention, PAIRS_PER_RUN)

    @every(seconds=300)
    async def purge_blocks(self) -> int:
        """Deletes what is known of lifted blocks, once no event can restore them."""
        async with self.runtime.database.transaction() as tx:
            return await pairs.purge_blocks(tx, self.runtime.config.interest_retention, PAIRS_PER_RUN)


class PoolFollower:
    """Keeps the planes of this process up to date (DI-17): a call takes over a few changes, this does the rest."""

    def __init__(self, runtime: Runtime[DiscoveryConfig, Resources]) -> None:
        self.runtime = runtime

    @every(seconds=1)
    async def follow_pool(self) -> int:
        """Takes over what changed, at first everything. A few changes are not counted: there may always be some."""
        changed = await follow(self.runtime.database, self.runtime.resources.pool)
        return changed if changed > AT_ONCE else 0


class ErasureJobs(Erasing):
    """ID-09: erases members."""

    async def receipt(self, tx: Tx, erasure: Erasure) -> None:
        """The receipt, which identity waits for."""
        tx.emit(to_message(receipt_of(MemberErasedFromDiscovery, erasure, tx)))
