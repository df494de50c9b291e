"""Events of members: profiles, slots, tiers and restrictions."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora.billing.v1.events_pb2 import TierChanged
from unora.identity.v1.events_pb2 import DiscoveryProfileChanged, TextsReviewed
from unora.matching.v1.events_pb2 import InventoryChanged
from unora.safety.v1.events_pb2 import RestrictionChanged
from unora_common.database import Tx
from unora_common.handlers import on, on_batch
from unora_common.runtime import Runtime

from unora_discovery.clients import Directory
from unora_discovery.config import DiscoveryConfig
from unora_discovery.domain.pool import Profile
from unora_discovery.messages.members import from_inventory, from_restriction, from_tier
from unora_discovery.resources import Resources
from unora_discovery.store import pool
from unora_discovery.use_cases.tiers import change_tiers


class MemberEvents:
    """Keep the pool of candidates up to date; the newest version of each projection counts."""

    def __init__(self, runtime: Runtime[DiscoveryConfig, Resources]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy
        self.directory = Directory(runtime.clients)

    async def _get_profiles(self, events: Sequence[DiscoveryProfileChanged | TextsReviewed]) -> list[Profile]:
        return await self.directory.get_profiles({UUID(event.user_id) for event in events})

    @on_batch(DiscoveryProfileChanged, prepare=_get_profiles)
    async def on_discovery_profiles_changed(
        self, events: Sequence[DiscoveryProfileChanged], tx: Tx, profiles: list[Profile]
    ) -> None:
        """DI-08, PR-06. The events only say whose profile changed; identity was asked for them all just now."""
        await pool.project_profiles(tx, profiles)

    @on_batch(TextsReviewed, prepare=_get_profiles)
    async def on_texts_reviewed(self, events: Sequence[TextsReviewed], tx: Tx, profiles: list[Profile]) -> None:
        """PR-10: what was hidden is on no card any more, dealt ones included. Such cards are compared with the profile,
        which was asked for just now: it must not be older than the event.
        """
        await pool.project_profiles(tx, profiles)
        await pool.review_texts(tx, [(UUID(event.user_id), event.version) for event in events])

    @on_batch(InventoryChanged)
    async def on_inventories_changed(self, events: Sequence[InventoryChanged], tx: Tx) -> None:
        """DI-06, DI-09: capacity. The tier in the event is ignored: it is billing's, and matching repeats it later."""
        await pool.project_inventories(tx, map(from_inventory, events))

    @on(TierChanged)
    async def on_tier_changed(self, event: TierChanged, tx: Tx) -> None:
        """DI-14: the timer changes at once."""
        await change_tiers(tx, [from_tier(event)], self.policy)

    @on_batch(RestrictionChanged)
    async def on_restrictions_changed(self, events: Sequence[RestrictionChanged], tx: Tx) -> None:
        """DI-09, DI-10: which members are not shown, and which are shown less often."""
        await pool.project_restrictions(tx, map(from_restriction, events))
