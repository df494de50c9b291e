"""A world in which the journey of the demo was played, and two more pairs: one in its payment window, one ended."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

import asyncpg
from unora.matching.v1.matching_service_pb2 import END_REASON_NO_TIME, EndConnectionRequest
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora_local.contexts import CONTEXTS
from unora_local.demo import days, discovering, journey, meeting
from unora_local.demo.client import Gateway, request_id
from unora_local.demo.people import Member, SmsBox
from unora_local.demo.stage import Stage
from unora_local.demo.timeline import Timeline
from unora_local.inprocess import World
from unora_local.run_folder import RunFolder


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

    async def settle(self) -> None:
        await self._world.settle()


async def play(world: World) -> Timeline:
    """The journey but for its audit, for which an admin is made by a process; then the two other pairs."""
    timeline = Timeline(io.StringIO())
    gateway = Gateway({context: world.channel(context) for context in CONTEXTS})
    stage = Stage(RunFolder(world.folder), gateway, WorldClock(world), SmsBox(world.sms))
    await journey.play(stage, timeline, journey.STEPS[:-1])
    await _end(stage, *stage.members[4:6])
    await _break(stage, *stage.members[6:8])
    return timeline


async def _connect(stage: Stage, one: Member, other: Member) -> str:
    card = await discovering.find(stage, one, other)
    answer = await discovering.find(stage, other, one)
    await meeting.send(stage, one, card)
    made = await meeting.send(stage, other, answer)
    await stage.clock.settle()
    return made.connection.connection_id


async def _end(stage: Stage, one: Member, other: Member) -> None:
    """They connect, and one ends it."""
    request = EndConnectionRequest(
        request_id=request_id(), connection_id=await _connect(stage, one, other), reason=END_REASON_NO_TIME
    )
    await other.session.call(stage.gateway.matching.EndConnection, request)
    await stage.clock.settle()


async def _break(stage: Stage, one: Member, other: Member) -> None:
    """They connect, keep a day, and one misses the next."""
    await _connect(stage, one, other)
    dashboard = await one.session.call(stage.gateway.streaks.GetDashboard, GetDashboardRequest())
    stage.streak = dashboard.streaks[0]
    await days.check_in(stage, one)
    await days.check_in(stage, other)
    await stage.clock.move(days.ends(stage.streak) + days.MORNING)
    stage.streak = (await days.check_in(stage, one)).streak
    await stage.clock.move(days.ends(stage.streak))
