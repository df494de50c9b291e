"""Events of billing's tiers, which limit the nudges (ST-13)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora.billing.v1.events_pb2 import TierChanged
from unora_common.database import Tx
from unora_common.handlers import on_batch
from unora_common.messages import TIER_NAMES
from unora_common.runtime import Runtime

from unora_streak.config import StreakConfig
from unora_streak.store import tiers


class TierEvents:
    """Keeps the members' tiers."""

    def __init__(self, runtime: Runtime[StreakConfig, None]) -> None:
        self.runtime = runtime

    @on_batch(TierChanged)
    async def on_tiers_changed(self, events: Sequence[TierChanged], tx: Tx) -> None:
        """Events may come out of order: only a newer version counts."""
        await tiers.save(tx, [(UUID(event.user_id), TIER_NAMES[event.tier], event.version) for event in events])
