"""What identity follows: completed streaks and ended connections, suspensions, tiers, slots and timers."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from unora.billing.v1.events_pb2 import TierChanged
from unora.discovery.v1.events_pb2 import BatchRefreshed, RefreshTimerChanged
from unora.identity.v1.events_pb2 import DisclosureEnded, IdentityDisclosed, SuspensionChanged
from unora.matching.v1.events_pb2 import ConnectionEnded, InventoryChanged
from unora.safety.v1.events_pb2 import RestrictionChanged
from unora.streak.v1.events_pb2 import StreakCompleted
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import TIER_NAMES, to_timestamp
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.disclosures import DISCLOSURE_DAY, Disclosure
from unora_identity.domain.sessions import Revocation
from unora_identity.domain.signals import STREAK
from unora_identity.messages import moment
from unora_identity.resources import Resources
from unora_identity.store import accounts, disclosures, members
from unora_identity.use_cases.member_update import tell_card
from unora_identity.use_cases.phone_verification import revoke
from unora_identity.use_cases.verification import boost


class Pairs:
    """Identity's own record of who may see whom (RE-04, RE-10)."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.policy = runtime.config.policy

    @on(StreakCompleted)
    async def disclose(self, event: StreakCompleted, tx: Tx) -> None:
        """RE-04: the two may see each other, unless their connection's end came first; and they are trusted more."""
        disclosure = Disclosure(
            connection_id=UUID(event.connection_id),
            streak_id=UUID(event.streak_id),
            user_a_id=UUID(event.user_a_id),
            user_b_id=UUID(event.user_b_id),
            completed_days=event.completed_days,
        )
        if disclosure.completed_days != DISCLOSURE_DAY:
            raise ValueError("a streak was called complete before its last day")
        now = await tx.read_clock()
        if await disclosures.disclose(tx, disclosure, now):
            tx.emit(
                IdentityDisclosed(
                    connection_id=event.connection_id,
                    version=1,
                    streak_id=event.streak_id,
                    user_a_id=event.user_a_id,
                    user_b_id=event.user_b_id,
                    occurred_at=to_timestamp(now),
                )
            )
        await self._trust(tx, disclosure.user_a_id, disclosure.user_b_id)

    @on(ConnectionEnded)
    async def end(self, event: ConnectionEnded, tx: Tx) -> None:
        """RE-10: the two see each other no more; if they never did, a tombstone keeps a late completion out."""
        now = await tx.read_clock()
        pair = (UUID(event.user_a_id), UUID(event.user_b_id))
        version = await disclosures.end(tx, UUID(event.connection_id), *pair, now)
        if version:
            tx.emit(DisclosureEnded(connection_id=event.connection_id, version=version, occurred_at=to_timestamp(now)))

    async def _trust(self, tx: Tx, *users: UUID) -> None:
        """ID-04: a completed streak counts for both, also if their connection has ended since."""
        locked = await members.lock(tx, *users)
        before = await members.read(tx, *users)
        await members.completed_a_streak(tx, users)
        for user, kept in before.items():
            tell_card(tx, locked[user], kept.member, replace(kept.member, streak_completed=True), self.policy)
        await boost(tx, locked, STREAK)
        await members.save_versions(tx, locked.values())


class Standing:
    """SA-06: who is suspended, as safety decides it."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.resources: Resources = runtime.resources

    @on(RestrictionChanged)
    async def follow(self, event: RestrictionChanged, tx: Tx) -> None:
        """Who comes to be suspended loses all sessions; tokens of later ones say that they are."""
        user = UUID(event.user_id)
        locked = (await members.lock(tx, user)).get(user)
        if locked is None or not await accounts.project_standing(tx, user, event.version, event.suspended):
            return
        if event.suspended == locked.suspended:
            return
        locked.tell(tx, SuspensionChanged, suspended=event.suspended)
        if event.suspended:
            await revoke(tx, self.resources, locked, None, Revocation.SUSPENSION)
        await members.save_versions(tx, [locked])


class Projections:
    """What `users` carries of other contexts, for one read of a client's home screen; the newest version counts."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime

    @on(TierChanged)
    async def tier(self, event: TierChanged, tx: Tx) -> None:
        """The tier, of billing."""
        await accounts.project_tier(tx, UUID(event.user_id), event.version, TIER_NAMES[event.tier])

    @on(InventoryChanged)
    async def inventory(self, event: InventoryChanged, tx: Tx) -> None:
        """The slots, of matching."""
        slots = (event.active_connection_count, event.connection_limit)
        await accounts.project_inventory(tx, UUID(event.user_id), event.version, *slots)

    @on(BatchRefreshed)
    async def refresh(self, event: BatchRefreshed, tx: Tx) -> None:
        """The refresh timer, of discovery, after a refresh."""
        await self._timer(event, tx)

    @on(RefreshTimerChanged)
    async def recomputed(self, event: RefreshTimerChanged, tx: Tx) -> None:
        """The refresh timer, of discovery, after a change of tier (DI-14)."""
        await self._timer(event, tx)

    async def _timer(self, event: BatchRefreshed | RefreshTimerChanged, tx: Tx) -> None:
        last_at = moment(event.HasField("last_global_refresh_at"), event.last_global_refresh_at)
        available_at = moment(event.HasField("refresh_available_at"), event.refresh_available_at)
        await accounts.project_refresh(tx, UUID(event.user_id), event.version, last_at, available_at)
