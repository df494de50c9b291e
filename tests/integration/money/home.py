"""Two members whom matching has connected, with a streak, reveals and purses of their own: nobody is stood in for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.safety.v1.events_pb2 import DECISION_SUSPEND
from unora.safety.v1.safety_service_pb2 import Target
from unora.streak.v1.recovery_service_pb2_grpc import RecoveryServiceStub
from unora.streak.v1.streak_service_pb2 import (
    GetDashboardRequest,
    ListNudgesRequest,
    ListNudgesResponse,
    SendNudgeRequest,
    SendNudgeResponse,
    StreakState,
)
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_testing.world import Caller, World

from tests.integration.billing.conftest import Wallet
from tests.integration.matching.people import People
from tests.integration.reveal.couple import Couple as Pages
from tests.integration.reveal.couple import member
from tests.integration.safety.moderators import Moderators
from tests.integration.safety.safety_calls import SafetyCalls
from tests.integration.streak.conftest import Couple
from tests.support import Pair, request_id

RECOVERY, REVEAL, NUDGE, PLUS, PRO = 299, 199, 99, 999, 1999
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HOLD = timedelta(minutes=10)


@dataclass
class Home(Couple):
    """A couple. Where a day is missed it is b who misses it and pays; a is the partner."""

    # Who they are to each context

    def purse(self, owner: Caller) -> Wallet:
        """A member's money, for things of this streak."""
        other = self.a if owner is self.b else self.b
        return Wallet(self.world, owner, other, self.streak_id, self.pair.connection_id)

    @property
    def payer(self) -> Wallet:
        return self.purse(self.b)

    @property
    def pages(self) -> Pages:
        """Their reveals."""
        return Pages(self.world, self.a, self.b, UUID(self.pair.connection_id), UUID(self.streak_id))

    async def state(self) -> str:
        """Of the streak, also after the connection's end."""
        return StreakState.Name((await self.whole()).streak.state).removeprefix("STREAK_STATE_")

    # What they do

    async def reach(self, days: int) -> None:
        """Both keep so many days, and the next one begins."""
        await self.play(days)
        await self.to_next_day()

    async def ended(self, by: Caller) -> None:
        await People(self.world).end(by, self.pair.connection_id)
        await self.world.drain()

    async def ended_in_matching_alone(self) -> None:
        """a ends it, and nobody has heard of it yet."""
        await People(self.world).end(self.a, self.pair.connection_id)

    async def blocked(self, by: Caller) -> None:
        await self.blocked_in_safety_alone(by)
        await self.world.drain()

    async def blocked_in_safety_alone(self, by: Caller) -> None:
        """Nobody has heard of it yet."""
        await SafetyCalls(self.world).block(by, Target(connection_id=self.pair.connection_id))

    async def suspended(self, whom: Caller) -> None:
        await self.suspended_in_safety_alone(whom)
        await self.world.drain()

    async def suspended_in_safety_alone(self, whom: Caller) -> None:
        """The other reports them, and a moderator decides; nobody has heard of it yet."""
        reporter = self.a if whom is self.b else self.b
        await SafetyCalls(self.world).report(reporter, Target(connection_id=self.pair.connection_id))
        await self.world.drain()
        await Moderators(self.world).decide_newest_case(whom, DECISION_SUSPEND)

    async def nudge(self, sender: Caller) -> SendNudgeResponse:
        asked = SendNudgeRequest(request_id=request_id(), streak_id=self.streak_id)
        return await self.streaks.SendNudge(asked, metadata=sender.metadata)

    async def nudges(self, viewer: Caller) -> ListNudgesResponse:
        asked = ListNudgesRequest(streak_id=self.streak_id)
        return await self.streaks.ListNudges(asked, metadata=viewer.metadata)

    # Time that does not wait for the others

    async def heard_and_swept_at_once(self) -> None:
        """What billing has told comes to streak in the very moment in which its days are closed."""
        await self.world.apps["billing"].relay.step()
        app = self.world.apps["streak"]
        await asyncio.gather(*(job.step() for job in app.jobs[:-1]), *(each.step() for each in app.consumers))
        await self.world.drain()


async def met(world: World, a: Caller | None = None, b: Caller | None = None) -> Home:
    """A couple of these two, or of two of whom identity has all that reveals need."""
    one, other = a or await member(world), b or await member(world)
    connection = await People(world).connect(one, other, SERVER_TYPE_PARTNER)
    await world.drain()
    streaks = world.stub(StreakServiceStub, "streak")
    answer = await streaks.GetDashboard(GetDashboardRequest(), metadata=one.metadata)
    (streak,) = (each for each in answer.streaks if each.connection_id == connection.connection_id)
    recovery = world.stub(RecoveryServiceStub, "streak", caller="billing")
    pair = Pair(connection.connection_id, one, other, SERVER_TYPE_PARTNER)
    return Home(world, streaks, recovery, pair, streak.streak_id)


async def with_credits(world: World, payer: Caller | None = None) -> Caller:
    """A member with the price of a recovery in credits, whose slot is free again: a partner left them."""
    home = await met(world, b=payer)
    await home.miss()
    await home.payer.pay()
    await home.ended(home.a)
    assert await home.payer.credits() == RECOVERY
    return home.b


def at(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)
