"""Events of billing."""

from __future__ import annotations

from uuid import UUID

from unora.billing.v1.events_pb2 import TierChanged
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import TIER_NAMES
from unora_common.runtime import Runtime

from unora_matching.config import MatchingConfig
from unora_matching.domain.policy import Tier
from unora_matching.use_cases.tiers import change_tier


class TierEvents:
    """The tier sets the number of slots."""

    def __init__(self, runtime: Runtime[MatchingConfig, None]) -> None:
        self.runtime = runtime
        self.slots = runtime.config.policy.slots

    @on(TierChanged)
    async def on_tier_changed(self, event: TierChanged, tx: Tx) -> None:
        """MA-07: new slots are open at once; connections above a lower limit stay until they end."""
        await change_tier(tx, UUID(event.user_id), Tier(TIER_NAMES[event.tier]), event.version, self.slots)
