"""Events of safety and billing, and the use cases that they start."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from unora.billing.v1.events_pb2 import TierChanged
from unora.identity.v1.events_pb2 import AccountClosed, AccountPaused, AccountReopened, AccountResumed
from unora.safety.v1.events_pb2 import MemberBlocked, MemberUnblocked, RestrictionChanged
from unora_common.database import Tx
from unora_common.errors import RetryLater
from unora_common.ids import uuid7
from unora_common.messages import TIERS
from unora_matching.domain.notices import AccountNotice
from unora_matching.domain.policy import Tier
from unora_matching.messages import from_account, from_block, from_restriction
from unora_matching.use_cases.accounts import change_account
from unora_matching.use_cases.blocks import block_pair, unblock_pair
from unora_matching.use_cases.restrictions import change_restriction
from unora_matching.use_cases.tiers import change_tier
from unora_testing.world import Caller

from tests.integration.matching.people import POLICY, People

SLOTS = POLICY.slots


def member_blocked(blocker: Caller, other: Caller, at: datetime, block_id: UUID | None = None) -> MemberBlocked:
    """The beginning of a block."""
    event = MemberBlocked(block_id=str(block_id or uuid7()), version=1, blocker_id=blocker.id, blocked_id=other.id)
    event.occurred_at.FromDatetime(at)
    return event


def member_unblocked(block: MemberBlocked, at: datetime) -> MemberUnblocked:
    """The end of a block."""
    event = MemberUnblocked(
        block_id=block.block_id, version=block.version + 1, blocker_id=block.blocker_id, blocked_id=block.blocked_id
    )
    event.occurred_at.FromDatetime(at)
    return event


def restriction_changed(
    member: Caller, version: int, at: datetime, *, restricted: bool = False, suspended: bool = False
) -> RestrictionChanged:
    """All measures that are in force for a member."""
    event = RestrictionChanged(user_id=member.id, version=version, restricted=restricted, suspended=suspended)
    event.occurred_at.FromDatetime(at)
    return event


def tier_changed(member: Caller, version: int, to: str, at: datetime) -> TierChanged:
    """A member's tier from now on."""
    event = TierChanged(user_id=member.id, version=version, tier=TIERS[to])
    event.occurred_at.FromDatetime(at)
    return event


E = TypeVar("E", AccountPaused, AccountResumed, AccountClosed, AccountReopened)


def account_event(kind: type[E], member: Caller, version: int, at: datetime) -> E:
    """An event of identity that only says what a member did."""
    event = kind(user_id=member.id, version=version)
    event.occurred_at.FromDatetime(at)
    return event


class UseCases:
    """The use cases of these events, each in one transaction and without a consumer, so that many can race."""

    def __init__(self, people: People) -> None:
        self.people = people

    @asynccontextmanager
    async def _tx(self) -> AsyncIterator[Tx]:
        async with self.people.database.transaction() as tx:
            yield tx

    async def block(self, event: MemberBlocked) -> None:
        async with self._tx() as tx:
            await self.block_in(tx, event)

    async def block_in(self, tx: Tx, event: MemberBlocked) -> None:
        """In a transaction that is open already."""
        await block_pair(tx, from_block(event, blocked=True), SLOTS)

    async def unblock(self, event: MemberUnblocked) -> None:
        async with self._tx() as tx:
            await unblock_pair(tx, from_block(event, blocked=False), SLOTS)

    async def restrict(self, event: RestrictionChanged) -> None:
        """Runs it again, as the consumer would, if a connection was formed before its lock."""
        for _ in range(20):
            try:
                async with self._tx() as tx:
                    await change_restriction(tx, from_restriction(event), SLOTS)
            except RetryLater:
                continue
            return
        raise AssertionError("connections formed faster than they could be ended")

    async def pause(self, event: AccountPaused) -> None:
        async with self._tx() as tx:
            await change_account(tx, from_account(event, paused=True), POLICY)

    async def resume(self, event: AccountResumed) -> None:
        await self._retried(from_account(event))

    async def close(self, event: AccountClosed) -> None:
        await self._retried(from_account(event, closed=True))

    async def _retried(self, notice: AccountNotice) -> None:
        for _ in range(20):
            try:
                async with self._tx() as tx:
                    await change_account(tx, notice, POLICY)
            except RetryLater:
                continue
            return
        raise AssertionError("others came faster than they could be locked")

    async def change_tier(self, member: Caller, version: int, to: str) -> None:
        async with self._tx() as tx:
            await change_tier(tx, member.user, Tier(to), version, SLOTS)
