"""What safety and billing tell, and the same below the events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from unora.billing.v1.events_pb2 import TierChanged
from unora.safety.v1.events_pb2 import MemberBlocked, MemberUnblocked, RestrictionChanged
from unora_common.database import Tx
from unora_common.errors import RetryLater
from unora_common.ids import uuid7
from unora_common.messages import TIERS, from_timestamp
from unora_local.inprocess import Caller
from unora_matching.domain import Tier
from unora_matching.store.blocks import Told
from unora_matching.use_cases import block, change_standing, change_tier, unblock

from tests.integration.matching.people import POLICY, People

SLOTS = POLICY.slots


def blocked(blocker: Caller, other: Caller, at: datetime, block_id: UUID | None = None) -> MemberBlocked:
    """The beginning of a block."""
    event = MemberBlocked(block_id=str(block_id or uuid7()), version=1, blocker_id=blocker.id, blocked_id=other.id)
    event.occurred_at.FromDatetime(at)
    return event


def unblocked(event: MemberBlocked, at: datetime) -> MemberUnblocked:
    """Its end."""
    told = MemberUnblocked(
        block_id=event.block_id, version=event.version + 1, blocker_id=event.blocker_id, blocked_id=event.blocked_id
    )
    told.occurred_at.FromDatetime(at)
    return told


def standing(
    member: Caller, version: int, at: datetime, *, restricted: bool = False, suspended: bool = False
) -> RestrictionChanged:
    """A member's whole standing."""
    event = RestrictionChanged(user_id=member.id, version=version, restricted=restricted, suspended=suspended)
    event.occurred_at.FromDatetime(at)
    return event


def tier(member: Caller, version: int, to: str, at: datetime) -> TierChanged:
    """A member's tier from now on."""
    event = TierChanged(user_id=member.id, version=version, tier=TIERS[to])
    event.occurred_at.FromDatetime(at)
    return event


class Below:
    """The same as one transaction each, so that many of them can race."""

    def __init__(self, people: People) -> None:
        self.people = people

    @asynccontextmanager
    async def _tx(self) -> AsyncIterator[Tx]:
        async with self.people.database.transaction() as tx:
            yield tx

    async def block(self, event: MemberBlocked) -> None:
        async with self._tx() as tx:
            await self.within(tx, event)

    async def within(self, tx: Tx, event: MemberBlocked) -> None:
        """In a transaction that is open already."""
        await block(tx, _told(event), SLOTS)

    async def unblock(self, event: MemberUnblocked) -> None:
        async with self._tx() as tx:
            await unblock(tx, _told(event), SLOTS)

    async def standing(self, event: RestrictionChanged) -> None:
        """Again when a connection formed between its look and its lock, as the consumer would."""
        for _ in range(20):
            try:
                async with self._tx() as tx:
                    await change_standing(
                        tx,
                        UUID(event.user_id),
                        restricted=event.restricted,
                        suspended=event.suspended,
                        version=event.version,
                        at=from_timestamp(event.occurred_at),
                        slots=SLOTS,
                    )
            except RetryLater:
                continue
            return
        raise AssertionError("connections formed faster than they could be ended")

    async def tier(self, member: Caller, version: int, to: str) -> None:
        async with self._tx() as tx:
            await change_tier(tx, member.user, Tier(to), version, SLOTS)


def _told(event: MemberBlocked | MemberUnblocked) -> Told:
    return Told(
        UUID(event.blocker_id),
        UUID(event.blocked_id),
        UUID(event.block_id),
        event.version,
        from_timestamp(event.occurred_at),
    )
