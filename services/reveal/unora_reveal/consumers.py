"""What reveal does when streak and matching tell of a pair, and billing of money and tiers."""

from __future__ import annotations

from datetime import UTC
from uuid import UUID

from unora.billing.v1.billing_service_pb2 import PAYMENT_PURPOSE_REVEAL
from unora.billing.v1.events_pb2 import PaymentSucceeded, TierChanged
from unora.matching.v1.events_pb2 import ConnectionEnded
from unora.streak.v1.events_pb2 import DayCompleted, StreakCompleted, StreakStarted
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import TIER_NAMES
from unora_common.runtime import Runtime

from unora_reveal.clients import Bonds
from unora_reveal.config import RevealConfig
from unora_reveal.domain import can_be_bought
from unora_reveal.resources import Resources
from unora_reveal.store import purchases, tiers
from unora_reveal.store import reveals as store


class Progress:
    """Reveals are earned by the days of a streak (RE-01, RE-02). A reset is not heard: it takes nothing (RE-08)."""

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime

    @on(StreakStarted)
    async def begin(self, event: StreakStarted, tx: Tx) -> None:
        """Five for each of the two."""
        await store.reach(tx, _streak(event), event.completed_days)

    @on(DayCompleted)
    async def earn(self, event: DayCompleted, tx: Tx) -> None:
        """What is due by now, for each by their own tier (RE-03)."""
        await store.reach(tx, _streak(event), event.completed_days)

    @on(StreakCompleted)
    async def complete(self, event: StreakCompleted, tx: Tx) -> None:
        """Day 15: the identity, for all tiers (RE-04)."""
        await store.reach(tx, _streak(event), event.completed_days)


class Endings:
    """A connection that is over opens nothing (RE-10)."""

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime

    @on(ConnectionEnded)
    async def end(self, event: ConnectionEnded, tx: Tx) -> None:
        """Leaves a tombstone."""
        pair = (UUID(event.user_a_id), UUID(event.user_b_id))
        await store.end(tx, UUID(event.connection_id), *pair, event.occurred_at.ToDatetime(UTC))


class Purchases:
    """What was paid for is given, or becomes credits (RE-05, BI-11)."""

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime
        self._bonds = Bonds(runtime.clients)

    async def together(self, event: PaymentSucceeded) -> bool:
        """Whether the two are, at this moment: the ending may have happened, and its news not have come."""
        if event.purpose != PAYMENT_PURPOSE_REVEAL:
            return False
        async with self.runtime.database.session() as session:
            reveal = await store.one(session, UUID(event.streak_id), UUID(event.payer_id), event.reveal_number)
        return await self._bonds.hold(reveal.look)

    @on(PaymentSucceeded, prepare=together)
    async def give(self, event: PaymentSucceeded, tx: Tx, together: bool) -> None:
        """Once a payment, however often it is told. What was sold is looked at anew, under the lock: it may have been
        earned or bought meanwhile, the tier may sell it no more, the connection may be over.
        """
        if event.purpose != PAYMENT_PURPOSE_REVEAL:
            return
        payment, number = UUID(event.payment_id), event.reveal_number
        reveals = await store.lock(tx, UUID(event.streak_id), UUID(event.payer_id))
        if await purchases.decided(tx, payment):
            return
        (wanted,) = (reveal for reveal in reveals if reveal.number == number)
        offers = [reveal.offer for reveal in reveals]
        given = can_be_bought(number, offers, ended=wanted.ended or not together)
        await purchases.decide(tx, payment, wanted, given=given)


class Tiers:
    """A member earns by the tier that they have (RE-08)."""

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime

    @on(TierChanged)
    async def change(self, event: TierChanged, tx: Tx) -> None:
        """What is due by the new tier is earned at once, and nothing is taken back; the partner's stays (RE-03)."""
        member = UUID(event.user_id)
        if await tiers.take(tx, member, TIER_NAMES[event.tier], event.version):
            await store.earn_due(tx, member)


def _streak(event: StreakStarted | DayCompleted | StreakCompleted) -> store.Streak:
    return store.Streak(
        id=UUID(event.streak_id),
        connection_id=UUID(event.connection_id),
        user_a_id=UUID(event.user_a_id),
        user_b_id=UUID(event.user_b_id),
    )
