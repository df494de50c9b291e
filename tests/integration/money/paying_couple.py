"""A connected couple with a streak, reveals and a wallet each. No context is replaced."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

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
from tests.integration.reveal.reveal_pair import RevealPair, insert_member
from tests.integration.safety.moderators import Moderators
from tests.integration.safety.safety_calls import SafetyCalls
from tests.integration.streak.conftest import Couple
from tests.support import Pair, request_id

RECOVERY, REVEAL, NUDGE, PLUS, PRO = 299, 199, 99, 999, 1999
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HOLD = timedelta(minutes=10)


@dataclass
class PayingCouple(Couple):
    """A couple. b is the member who misses a day and pays; a is the partner."""

    def wallet_of(self, owner: Caller) -> Wallet:
        """The payments of a member for this streak."""
        other = self.a if owner is self.b else self.b
        return Wallet(self.world, owner, other, self.streak_id, self.pair.connection_id)

    @property
    def payer(self) -> Wallet:
        return self.wallet_of(self.b)

    @property
    def reveals(self) -> RevealPair:
        """The reveals of the couple."""
        return RevealPair(self.world, self.a, self.b, UUID(self.pair.connection_id), UUID(self.streak_id))

    async def state(self) -> str:
        """The state of the streak, also after the end of the connection."""
        return StreakState.Name((await self.whole()).streak.state).removeprefix("STREAK_STATE_")

    async def complete_days(self, days: int) -> None:
        """Both check in on this number of days, and the next day begins."""
        await self.play(days)
        await self.to_next_day()

    async def end_connection(self, by: Caller) -> None:
        await People(self.world).end(by, self.pair.connection_id)
        await self.world.drain()

    async def end_in_matching_only(self) -> None:
        """a ends the connection; no other context has received the event yet."""
        await People(self.world).end(self.a, self.pair.connection_id)

    async def block(self, by: Caller) -> None:
        await self.block_in_safety_only(by)
        await self.world.drain()

    async def block_in_safety_only(self, by: Caller) -> None:
        """No other context has received the event yet."""
        await SafetyCalls(self.world).block(by, Target(connection_id=self.pair.connection_id))

    async def suspend(self, member: Caller) -> None:
        await self.suspend_in_safety_only(member)
        await self.world.drain()

    async def suspend_in_safety_only(self, member: Caller) -> None:
        """The other member reports this one, and a moderator decides; no other context has received the event yet."""
        reporter = self.a if member is self.b else self.b
        await SafetyCalls(self.world).report(reporter, Target(connection_id=self.pair.connection_id))
        await self.world.drain()
        await Moderators(self.world).decide_newest_case(member, DECISION_SUSPEND)

    async def nudge(self, sender: Caller) -> SendNudgeResponse:
        asked = SendNudgeRequest(request_id=request_id(), streak_id=self.streak_id)
        return await self.streaks.SendNudge(asked, metadata=sender.metadata)

    async def nudges(self, viewer: Caller) -> ListNudgesResponse:
        asked = ListNudgesRequest(streak_id=self.streak_id)
        return await self.streaks.ListNudges(asked, metadata=viewer.metadata)

    async def deliver_and_sweep_at_once(self) -> None:
        """Streak receives the events of billing at the same moment as its job closes days."""
        await self.world.relay("billing")
        app = self.world.apps["streak"]
        await asyncio.gather(*(job.step() for job in app.jobs[:-1]), *(each.step() for each in app.consumers))
        await self.world.drain()


async def make_couple(world: World, a: Caller | None = None, b: Caller | None = None) -> PayingCouple:
    """A couple of these two, or of two new members for whom identity has all that reveals need."""
    one, other = a or await insert_member(world), b or await insert_member(world)
    connection = await People(world).connect(one, other, SERVER_TYPE_PARTNER)
    await world.drain()
    streaks = world.stub(StreakServiceStub, "streak")
    answer = await streaks.GetDashboard(GetDashboardRequest(), metadata=one.metadata)
    (streak,) = (each for each in answer.streaks if each.connection_id == connection.connection_id)
    recovery = world.stub(RecoveryServiceStub, "streak", caller="billing")
    pair = Pair(connection.connection_id, one, other, SERVER_TYPE_PARTNER)
    return PayingCouple(world, streaks, recovery, pair, streak.streak_id)


async def make_member_with_credits(world: World, payer: Caller | None = None) -> Caller:
    """A member with the price of a recovery in credits, and a free slot, since a partner left."""
    couple = await make_couple(world, b=payer)
    await couple.miss()
    await couple.payer.pay()
    await couple.end_connection(couple.a)
    assert await couple.payer.credits() == RECOVERY
    return couple.b
