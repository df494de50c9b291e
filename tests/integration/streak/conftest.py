"""Two members and their streak."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from unora.streak.v1.streak_service_pb2 import (
    EFFORT_SIGNAL_MEDIUM,
    CheckInRequest,
    GetDashboardRequest,
    GetStreakRequest,
    GetStreakResponse,
    Streak,
)
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_local.inprocess import Caller, World

from tests.support import Pair, connect, disconnect, request_id

MINUTE = timedelta(minutes=1)


@dataclass
class Couple:
    """A connected pair and what they do."""

    world: World
    streaks: StreakServiceStub
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
        answer = await self.streaks.GetDashboard(GetDashboardRequest(), metadata=member.metadata)
        (streak,) = (each for each in answer.streaks if each.streak_id == self.streak_id)
        return streak

    async def now(self) -> Streak:
        return await self.seen_by(self.a)

    async def whole(self) -> GetStreakResponse:
        return await self.streaks.GetStreak(GetStreakRequest(streak_id=self.streak_id), metadata=self.a.metadata)

    async def check_in(self, *members: Caller) -> Streak:
        """Each checks in, in this order; the streak after the last."""
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
        """Moves the clock to the midnight that ends the day, or so long after it."""
        await self.world.move_clock(await self.day_ends_at() + offset)

    async def to_next_day(self) -> None:
        await self.to_end_of_day(MINUTE)

    async def play(self, days: int) -> Streak:
        """Both keep so many days; the clock stays on the last."""
        for day in range(days):
            streak = await self.check_in(self.a, self.b)
            if day < days - 1:
                await self.to_next_day()
        return streak

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
    return Couple(world, streaks, pair, streak.streak_id)
