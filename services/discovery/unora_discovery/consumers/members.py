"""What discovery follows: members, their slots, tiers and standing, and the pairs that are kept apart."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from unora.billing.v1.events_pb2 import TierChanged
from unora.identity.v1.events_pb2 import DiscoveryProfileChanged
from unora.matching.v1 import events_pb2
from unora.matching.v1.events_pb2 import (
    ConnectionEnded,
    ConnectionFormed,
    InterestClosed,
    InterestSent,
    InventoryChanged,
)
from unora.safety.v1.events_pb2 import MemberBlocked, MemberUnblocked, RestrictionChanged
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import SERVER_NAMES, TIER_NAMES, from_timestamp
from unora_common.runtime import Runtime

from unora_discovery.clients import Directory
from unora_discovery.config import DiscoveryConfig
from unora_discovery.domain import Exclusion, Profile, Reason, ServerType, Tier, Wait
from unora_discovery.messages import from_block, from_inventory, from_standing
from unora_discovery.store import pairs, pool
from unora_discovery.use_cases import change_tier

CLOSED: Final = {
    # A match comes of a connection, whose own event may be read later: until then the pair stays apart by this.
    events_pb2.INTEREST_CLOSURE_MATCHED: Reason.CONNECTED,
    # It looks pending to its sender until it expires (MA-11): were the other shown again, it would look so no longer.
    events_pb2.INTEREST_CLOSURE_VOID: Reason.INTEREST_PENDING,
    events_pb2.INTEREST_CLOSURE_WIPED: Reason.LIFTED,
    events_pb2.INTEREST_CLOSURE_WITHDRAWN: Reason.LIFTED,
    events_pb2.INTEREST_CLOSURE_EXPIRED: Reason.LIFTED,
}


class Pool:
    """The pool of candidates, as the other contexts tell of them; the newest version of each counts."""

    def __init__(self, runtime: Runtime[DiscoveryConfig, None]) -> None:
        self.directory = Directory(runtime.clients)
        self.policy = runtime.config.policy

    async def _profile(self, event: DiscoveryProfileChanged) -> Profile:
        return await self.directory.profile(UUID(event.user_id))

    @on(DiscoveryProfileChanged, prepare=_profile)
    async def profile(self, event: DiscoveryProfileChanged, tx: Tx, profile: Profile) -> None:
        """DI-08, PR-06. The event says that something changed; what it is was asked just now."""
        await pool.project_profile(tx, profile)

    @on(InventoryChanged)
    async def inventory(self, event: InventoryChanged, tx: Tx) -> None:
        """DI-06, DI-09: capacity. The tier is billing's to tell: matching repeats it later."""
        await pool.project_inventory(tx, from_inventory(event))

    @on(TierChanged)
    async def tier(self, event: TierChanged, tx: Tx) -> None:
        """DI-14: the timer follows at once."""
        await change_tier(tx, UUID(event.user_id), event.version, Tier(TIER_NAMES[event.tier]), self.policy)

    @on(RestrictionChanged)
    async def standing(self, event: RestrictionChanged, tx: Tx) -> None:
        """DI-09, DI-10: who is not shown, and who is shown less often."""
        await pool.project_standing(tx, from_standing(event))


class Pairs:
    """DI-09, DI-13: who is not shown to whom, and whose interest waits."""

    def __init__(self, runtime: Runtime[DiscoveryConfig, None]) -> None:
        self.runtime = runtime

    @on(InterestSent)
    async def sent(self, event: InterestSent, tx: Tx) -> None:
        """The sender is not shown the receiver again; the receiver, who knows nothing, may well be shown the sender."""
        # A matching of the version before does not say when it expires; then it is over when that is told.
        ends = from_timestamp(event.expires_at) if event.HasField("expires_at") else None
        await _interest(tx, event, Reason.INTEREST_PENDING, waits=True, ends=ends)

    @on(InterestClosed)
    async def closed(self, event: InterestClosed, tx: Tx) -> None:
        """It waits no more, whatever closed it (DI-13)."""
        await _interest(tx, event, CLOSED[event.closure], waits=False)

    @on(ConnectionFormed)
    async def formed(self, event: ConnectionFormed, tx: Tx) -> None:
        """Neither is shown to the other."""
        await pairs.exclude(tx, *_of_connection(event, Reason.CONNECTED))

    @on(ConnectionEnded)
    async def ended(self, event: ConnectionEnded, tx: Tx) -> None:
        """Nor ever again (MA-12)."""
        await pairs.exclude(tx, *_of_connection(event, Reason.ENDED))

    @on(MemberBlocked)
    async def blocked(self, event: MemberBlocked, tx: Tx) -> None:
        """Neither is shown to the other. Cards that are shown stay: one that went would tell of the block (XX-04)."""
        await pairs.block(tx, from_block(event, in_force=True))

    @on(MemberUnblocked)
    async def unblocked(self, event: MemberUnblocked, tx: Tx) -> None:
        """Unless the other blocks them, too, or they were connected."""
        await pairs.block(tx, from_block(event, in_force=False))


async def _interest(
    tx: Tx, event: InterestSent | InterestClosed, reason: Reason, *, waits: bool, ends: datetime | None = None
) -> None:
    interest, sender, receiver = UUID(event.interest_id), UUID(event.sender_id), UUID(event.receiver_id)
    await pairs.exclude(
        tx,
        Exclusion(
            source_id=interest,
            version=event.version,
            user_id=sender,
            other_id=receiver,
            reason=reason,
            apart_until=ends,
        ),
    )
    await pairs.wait(
        tx,
        Wait(
            interest_id=interest,
            version=event.version,
            sender_id=sender,
            receiver_id=receiver,
            server_type=ServerType(SERVER_NAMES[event.server_type]),
            waits=waits,
            waits_until=ends,
        ),
    )


def _of_connection(event: ConnectionFormed | ConnectionEnded, reason: Reason) -> list[Exclusion]:
    a, b = UUID(event.user_a_id), UUID(event.user_b_id)
    return [
        Exclusion(
            source_id=UUID(event.connection_id), version=event.version, user_id=one, other_id=other, reason=reason
        )
        for one, other in ((a, b), (b, a))
    ]
