"""Two connected members and their streak."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.message import Message
from unora.billing.v1.billing_service_pb2 import (
    PAYMENT_FAILURE_DECLINED,
    PAYMENT_METHOD_MONEY,
    PAYMENT_PURPOSE_RECOVERY,
    PaymentPurpose,
)
from unora.billing.v1.events_pb2 import PaymentFailed, PaymentSucceeded
from unora.streak.v1.recovery_service_pb2 import AuthorizeRecoveryRequest, AuthorizeRecoveryResponse
from unora.streak.v1.recovery_service_pb2_grpc import RecoveryServiceStub
from unora.streak.v1.streak_service_pb2 import (
    EFFORT_SIGNAL_MEDIUM,
    CheckInRequest,
    GetDashboardRequest,
    GetStreakRequest,
    GetStreakResponse,
    Streak,
)
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_testing.world import Caller, World

from tests.support import Pair, connect, disconnect, request_id

MINUTE = timedelta(minutes=1)


@dataclass
class Couple:
    """A connected pair, what the two do, and what billing does for them."""

    world: World
    streaks: StreakServiceStub
    recovery: RecoveryServiceStub
    pair: Pair
    streak_id: str

    @property
    def a(self) -> Caller:
        return self.pair.a

    @property
    def b(self) -> Caller:
        return self.pair.b

    async def seen_by(self, member: Caller) -> Streak:
        """The streak as the member's dashboard shows it."""
        dashboard = await self.streaks.GetDashboard(GetDashboardRequest(), metadata=member.metadata)
        (streak,) = (each for each in dashboard.streaks if each.streak_id == self.streak_id)
        return streak

    async def now(self) -> Streak:
        return await self.seen_by(self.a)

    async def whole(self) -> GetStreakResponse:
        return await self.streaks.GetStreak(GetStreakRequest(streak_id=self.streak_id), metadata=self.a.metadata)

    async def check_in(self, *members: Caller) -> Streak:
        """Each member checks in, in this order. Returns the streak after the last check-in."""
        for member in members:
            request = CheckInRequest(
                request_id=request_id(), streak_id=self.streak_id, effort_signal=EFFORT_SIGNAL_MEDIUM
            )
            answer = await self.streaks.CheckIn(request, metadata=member.metadata)
        return answer.streak

    async def day_ends_at(self) -> datetime:
        streak = await self.now()
        return streak.day_ends_at.ToDatetime((await self.world.now()).tzinfo)

    async def to_end_of_day(self, offset: timedelta = timedelta(0)) -> None:
        """Moves the clock to the midnight that ends the day, or by `offset` beyond it."""
        await self.world.move_clock(await self.day_ends_at() + offset)

    async def to_next_day(self) -> None:
        await self.to_end_of_day(MINUTE)

    async def play(self, days: int) -> Streak:
        """Both check in on so many days; the clock stays on the last of them."""
        for day in range(days):
            streak = await self.check_in(self.a, self.b)
            if day < days - 1:
                await self.to_next_day()
        return streak

    async def miss(self) -> datetime:
        """a checks in today and b does not; the clock moves to just after midnight. Returns when the window ends."""
        await self.check_in(self.a)
        await self.to_next_day()
        return (await self.now()).window_ends_at.ToDatetime(UTC)

    async def to_at_risk(self) -> None:
        """a checks in today and b does not; the clock moves to three hours before midnight."""
        await self.check_in(self.a)
        await self.to_end_of_day(timedelta(hours=-3))

    async def authorize(self, payment_id: str, payer: Caller | None = None) -> AuthorizeRecoveryResponse:
        """Billing asks to hold the window for a payment of the payer, by default b."""
        request = AuthorizeRecoveryRequest(
            streak_id=self.streak_id, payer_id=(payer or self.b).id, payment_id=payment_id
        )
        return await self.recovery.AuthorizeRecovery(request)

    async def pay(
        self,
        payment_id: str,
        purpose: PaymentPurpose.ValueType = PAYMENT_PURPOSE_RECOVERY,
        payer: Caller | None = None,
        at: datetime | None = None,
        version: int = 2,
    ) -> None:
        """Billing publishes that a payment, by default of b, succeeded at a moment, by default now."""
        event = PaymentSucceeded(
            payment_id=payment_id,
            version=version,
            payer_id=(payer or self.b).id,
            purpose=purpose,
            method=PAYMENT_METHOD_MONEY,
            amount=299,
            streak_id=self.streak_id,
        )
        event.occurred_at.FromDatetime(at or await self.world.now())
        await self.world.publish(event)

    async def fail(self, payment_id: str, version: int = 2) -> None:
        """Billing publishes that a payment of b for a recovery failed now."""
        event = PaymentFailed(
            payment_id=payment_id,
            version=version,
            payer_id=self.b.id,
            purpose=PAYMENT_PURPOSE_RECOVERY,
            streak_id=self.streak_id,
            failure=PAYMENT_FAILURE_DECLINED,
        )
        event.occurred_at.FromDatetime(await self.world.now())
        await self.world.publish(event)

    async def jump(self, to: datetime) -> None:
        """Moves the clock without running relays, consumers or jobs."""
        await self.world.superuser.execute("UPDATE clock.shift SET ahead = ahead + $1", to - await self.world.now())

    async def events(self, *kinds: type[Message]) -> list[Any]:
        """The events of these kinds that the streak emitted, in order."""
        events = [event for kind in kinds for event in await self.world.events(kind, self.streak_id)]
        return sorted(events, key=lambda event: event.version)

    async def end(self) -> None:
        await disconnect(self.world, self.pair, by=self.b)


@pytest.fixture
def streaks(world: World) -> StreakServiceStub:
    return world.stub(StreakServiceStub, "streak")


@pytest.fixture
async def couple(world: World, streaks: StreakServiceStub) -> Couple:
    pair = await connect(world)
    answer = await streaks.GetDashboard(GetDashboardRequest(), metadata=pair.a.metadata)
    (streak,) = answer.streaks
    recovery = world.stub(RecoveryServiceStub, "streak", caller="billing")
    return Couple(world, streaks, recovery, pair, streak.streak_id)
