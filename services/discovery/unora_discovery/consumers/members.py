"""Events of members: profiles, slots, tiers and restrictions."""

from __future__ import annotations

from uuid import UUID

from unora.billing.v1.events_pb2 import TierChanged
from unora.identity.v1.events_pb2 import DiscoveryProfileChanged, TextsReviewed
from unora.matching.v1.events_pb2 import InventoryChanged
from unora.safety.v1.events_pb2 import RestrictionChanged
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import TIER_NAMES
from unora_common.runtime import Runtime

from unora_discovery.clients import Directory
from unora_discovery.config import DiscoveryConfig
from unora_discovery.domain.pool import Profile, Tier
from unora_discovery.messages import from_inventory, from_restriction
from unora_discovery.resources import Resources
from unora_discovery.store import pool
from unora_discovery.use_cases.tiers import change_tier


class MemberEvents:
    """Keep the pool of candidates up to date; the newest version of each projection counts."""

    def __init__(self, runtime: Runtime[DiscoveryConfig, Resources]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy
        self.directory = Directory(runtime.clients)

    async def _get_profile(self, event: DiscoveryProfileChanged | TextsReviewed) -> Profile:
        return await self.directory.get_profile(UUID(event.user_id))

    @on(DiscoveryProfileChanged, prepare=_get_profile)
    async def on_discovery_profile_changed(self, event: DiscoveryProfileChanged, tx: Tx, profile: Profile) -> None:
        """DI-08, PR-06. The event only says that the profile changed; identity was asked for it just now."""
        await pool.project_profile(tx, profile)

    @on(TextsReviewed, prepare=_get_profile)
    async def on_texts_reviewed(self, event: TextsReviewed, tx: Tx, profile: Profile) -> None:
        """PR-10: what was hidden is on no card any more, dealt ones included. Such cards are compared with the profile,
        which was asked for just now: it must not be older than the event.
        """
        await pool.project_profile(tx, profile)
        await pool.review_texts(tx, UUID(event.user_id), event.version)

    @on(InventoryChanged)
    async def on_inventory_changed(self, event: InventoryChanged, tx: Tx) -> None:
        """DI-06, DI-09: capacity. The tier in the event is ignored: it is billing's, and matching repeats it later."""
        await pool.project_inventory(tx, from_inventory(event))

    @on(TierChanged)
    async def on_tier_changed(self, event: TierChanged, tx: Tx) -> None:
        """DI-14: the timer changes at once."""
        await change_tier(tx, UUID(event.user_id), event.version, Tier(TIER_NAMES[event.tier]), self.policy)

    @on(RestrictionChanged)
    async def on_restriction_changed(self, event: RestrictionChanged, tx: Tx) -> None:
        """DI-09, DI-10: which members are not shown, and which are shown less often."""
        await pool.project_restriction(tx, from_restriction(event))
