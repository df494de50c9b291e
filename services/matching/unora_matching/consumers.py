"""What matching does when other contexts tell something."""

from __future__ import annotations

from uuid import UUID

from unora.billing.v1.events_pb2 import TierChanged
from unora.safety.v1.events_pb2 import MemberBlocked, MemberUnblocked, RestrictionChanged
from unora.streak.v1.events_pb2 import StreakCompleted
from unora_common import trace
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import TIER_NAMES, from_timestamp
from unora_common.runtime import Runtime

from unora_matching.config import MatchingConfig
from unora_matching.domain import Tier, unlock_chat
from unora_matching.messages import chat_unlocked
from unora_matching.store import connections
from unora_matching.store.blocks import Told
from unora_matching.use_cases import block, change_standing, change_tier, unblock


class Streaks:
    """Day 15 opens the chat."""

    def __init__(self, runtime: Runtime[MatchingConfig, None]) -> None:
        self.runtime = runtime

    @on(StreakCompleted)
    async def unlock_chat(self, event: StreakCompleted, tx: Tx) -> None:
        """ST-11. A connection that has ended meanwhile stays without; one that is not here will never come, since its
        streak could only begin after it was stored.
        """
        connection = await connections.lock(tx, UUID(event.connection_id))
        if connection is None:
            self.runtime.log.warning("a streak was completed without a connection", trace=trace.current())
            return
        unlocked = unlock_chat(connection, from_timestamp(event.occurred_at), tx.now)
        if unlocked is not None:
            connections.unlock_chat(tx, unlocked)
            tx.emit(chat_unlocked(unlocked))


class Safety:
    """Blocks and standings. Each is one transaction on the way to its effect (MA-12)."""

    def __init__(self, runtime: Runtime[MatchingConfig, None]) -> None:
        self.slots = runtime.config.policy.slots

    @on(MemberBlocked)
    async def block(self, event: MemberBlocked, tx: Tx) -> None:
        """MA-12: the pair is over and apart."""
        await block(tx, _told(event), self.slots)

    @on(MemberUnblocked)
    async def unblock(self, event: MemberUnblocked, tx: Tx) -> None:
        """MA-12. It may come before its block."""
        await unblock(tx, _told(event), self.slots)

    @on(RestrictionChanged)
    async def standing(self, event: RestrictionChanged, tx: Tx) -> None:
        """SA-06, SA-08: what the member sends never matches; who is suspended has no connections."""
        await change_standing(
            tx,
            UUID(event.user_id),
            restricted=event.restricted,
            suspended=event.suspended,
            version=event.version,
            at=from_timestamp(event.occurred_at),
            slots=self.slots,
        )


class Billing:
    """Tiers have slots."""

    def __init__(self, runtime: Runtime[MatchingConfig, None]) -> None:
        self.slots = runtime.config.policy.slots

    @on(TierChanged)
    async def tier(self, event: TierChanged, tx: Tx) -> None:
        """MA-07: slots come at once, and go with the connections that end."""
        await change_tier(tx, UUID(event.user_id), Tier(TIER_NAMES[event.tier]), event.version, self.slots)


def _told(event: MemberBlocked | MemberUnblocked) -> Told:
    return Told(
        UUID(event.blocker_id),
        UUID(event.blocked_id),
        UUID(event.block_id),
        event.version,
        from_timestamp(event.occurred_at),
    )
