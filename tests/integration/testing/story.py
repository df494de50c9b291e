"""A world in which the journey of the demo was played, and another pair recovered for free and broke again."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import asyncpg
from unora.common.v1.types_pb2 import TIER_PLUS
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora_common.config import CONTEXTS
from unora_demo import days, discovery, journey, matching, payments
from unora_demo.cast import LEAST, PRINCIPALS
from unora_demo.people import Member
from unora_demo.provider import Provider
from unora_demo.stage import Stage
from unora_demo.timeline import Timeline
from unora_identity.use_cases.admins import NewFactor, grant_admin
from unora_local.client import Gateway
from unora_local.sms_box import SmsBox
from unora_testing.world import World


class WorldClock:
    """The rule clock of a world, as the steps of the journey use it."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def superuser(self) -> asyncpg.Connection[asyncpg.Record]:
        return self._world.superuser

    async def now(self) -> datetime:
        return await self._world.now()

    async def move(self, to: datetime | timedelta) -> None:
        ahead = to if isinstance(to, timedelta) else to - await self.now()
        await self._world.move_clock(max(ahead, timedelta()))

    async def wait_until_idle(self) -> None:
        await self._world.drain()


async def play(world: World) -> Timeline:
    """Play the journey with fewer people, then the other pair."""
    timeline = Timeline(io.StringIO())
    channels = {context: world.channel(context) for context in CONTEXTS}
    gateway = Gateway(channels | {"notifier": world.channel("identity", "notifier")})
    stage = Stage(
        gateway,
        WorldClock(world),
        SmsBox(world.sms),
        Provider(world.payments_url, world.payments_key),
        partial(_make_admin, world),
        size=LEAST,
    )
    await journey.play(stage, timeline)
    await _break(stage, *stage.members[PRINCIPALS : PRINCIPALS + 2])
    return timeline


async def _make_admin(world: World, user_id: str) -> str:
    """What the command of identity does, and says."""
    made = await grant_admin(world.apps["identity"].runtime, UUID(user_id))
    assert isinstance(made, NewFactor)
    await world.drain()
    return f"secret {made.secret}"


async def _connect(stage: Stage, one: Member, other: Member) -> str:
    card = await discovery.find(stage, one, other)
    answer = await discovery.find(stage, other, one)
    await matching.send(stage, one, card)
    made = await matching.send(stage, other, answer)
    await stage.clock.wait_until_idle()
    return made.connection.connection_id


async def _break(stage: Stage, one: Member, other: Member) -> None:
    """They connect and keep a day. Then one misses a day, recovers it for free by a plan, and misses it again."""
    await _connect(stage, one, other)
    dashboard = await one.session.call(stage.gateway.streaks.GetDashboard, GetDashboardRequest())
    stage.streak = dashboard.streaks[0]
    await days.check_in(stage, one)
    await days.check_in(stage, other)
    await stage.clock.move(days.ends(stage.streak) + days.MORNING)
    await _keep_alone(stage, one)
    await payments.subscribe(stage, other, TIER_PLUS)
    free = await payments.begin(stage, other)
    assert free.payment.amount == 0
    assert await payments.outcome(stage, other, free.payment) == "APPLIED"
    await _keep_alone(stage, one)


async def _keep_alone(stage: Stage, member: Member) -> None:
    """The other misses the day."""
    stage.streak = (await days.check_in(stage, member)).streak
    await stage.clock.move(days.ends(stage.streak))
