"""XX-05: the columns of `users` that other contexts decide, so that a client's home screen is one read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from unora.billing.v1.events_pb2 import TierChanged
from unora.discovery.v1.events_pb2 import BatchRefreshed, RefreshTimerChanged
from unora.matching.v1.events_pb2 import InventoryChanged
from unora_common.database import Tx
from unora_common.handlers import on_batch
from unora_common.messages import TIER_NAMES
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.messages.accounts import time_or_none
from unora_identity.resources import Resources
from unora_identity.store import accounts


class ProjectionEvents:
    """Tiers, slots and refresh timers; the newest version counts."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime

    @on_batch(TierChanged)
    async def on_tiers_changed(self, events: Sequence[TierChanged], tx: Tx) -> None:
        """The tier, from billing."""
        tiers = [(UUID(event.user_id), event.version, TIER_NAMES[event.tier]) for event in events]
        await accounts.project_tiers(tx, tiers)

    @on_batch(InventoryChanged)
    async def on_inventories_changed(self, events: Sequence[InventoryChanged], tx: Tx) -> None:
        """The slots, from matching."""
        await accounts.project_inventories(tx, map(_slots, events))

    @on_batch(BatchRefreshed)
    async def on_batches_refreshed(self, events: Sequence[BatchRefreshed], tx: Tx) -> None:
        """The refresh timer, from discovery, after a refresh."""
        await accounts.project_refreshes(tx, map(_timer, events))

    @on_batch(RefreshTimerChanged)
    async def on_refresh_timers_changed(self, events: Sequence[RefreshTimerChanged], tx: Tx) -> None:
        """The refresh timer, from discovery, after a change of tier (DI-14)."""
        await accounts.project_refreshes(tx, map(_timer, events))


def _slots(event: InventoryChanged) -> tuple[UUID, int, int, int]:
    return UUID(event.user_id), event.version, event.active_connection_count, event.connection_limit


def _timer(event: BatchRefreshed | RefreshTimerChanged) -> tuple[UUID, int, datetime | None, datetime | None]:
    last_at = time_or_none(event.HasField("last_global_refresh_at"), event.last_global_refresh_at)
    available_at = time_or_none(event.HasField("refresh_available_at"), event.refresh_available_at)
    return UUID(event.user_id), event.version, last_at, available_at
