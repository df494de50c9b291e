"""XX-05: the columns of `users` that other contexts decide, so that a client's home screen is one read."""

from __future__ import annotations

from uuid import UUID

from unora.billing.v1.events_pb2 import TierChanged
from unora.discovery.v1.events_pb2 import BatchRefreshed, RefreshTimerChanged
from unora.matching.v1.events_pb2 import InventoryChanged
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import TIER_NAMES
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.messages import time_or_none
from unora_identity.resources import Resources
from unora_identity.store import accounts


class ProjectionEvents:
    """Tiers, slots and refresh timers; the newest version counts."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime

    @on(TierChanged)
    async def on_tier_changed(self, event: TierChanged, tx: Tx) -> None:
        """The tier, from billing."""
        await accounts.project_tier(tx, UUID(event.user_id), event.version, TIER_NAMES[event.tier])

    @on(InventoryChanged)
    async def on_inventory_changed(self, event: InventoryChanged, tx: Tx) -> None:
        """The slots, from matching."""
        slots = (event.active_connection_count, event.connection_limit)
        await accounts.project_inventory(tx, UUID(event.user_id), event.version, *slots)

    @on(BatchRefreshed)
    async def on_batch_refreshed(self, event: BatchRefreshed, tx: Tx) -> None:
        """The refresh timer, from discovery, after a refresh."""
        await self._project_timer(event, tx)

    @on(RefreshTimerChanged)
    async def on_refresh_timer_changed(self, event: RefreshTimerChanged, tx: Tx) -> None:
        """The refresh timer, from discovery, after a change of tier (DI-14)."""
        await self._project_timer(event, tx)

    async def _project_timer(self, event: BatchRefreshed | RefreshTimerChanged, tx: Tx) -> None:
        last_at = time_or_none(event.HasField("last_global_refresh_at"), event.last_global_refresh_at)
        available_at = time_or_none(event.HasField("refresh_available_at"), event.refresh_available_at)
        await accounts.project_refresh(tx, UUID(event.user_id), event.version, last_at, available_at)
