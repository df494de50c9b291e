"""Shows the rule clock, and moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from unora_local.cast import ZONE
from unora_local.clock import ClockInUseError
from unora_local.keyboard import moments, rule_clock
from unora_local.page import bodies
from unora_local.page.refusals import ClockBusy
from unora_local.page.stack import RunningStack
from unora_local.page.work import Work

WORK: Final = "clock"


class RuleClock:
    """The rule clock of the stack."""

    def __init__(self, stack: RunningStack, work: Work) -> None:
        self._env = stack.env
        self._work = work

    async def show(self, request: web.Request) -> web.Response:
        """What time it is for the rules (UTC), and how far that is ahead of this machine."""
        return _answer(await rule_clock.read(self._env))

    async def move(self, request: web.Request) -> web.Response:
        """Move it, and wait until the stack has done what is due. A page whose answer was lost may ask once more for
        the moment that it meant (RFC 3339): if the clock is there already, nothing moves. Raises ClockBusy while
        another move is under way, and Mistake for what is no moment.
        """
        asked = (await bodies.read(request, move=str))["move"]
        zone = ZoneInfo(ZONE)
        try:
            moments.target(asked, await rule_clock.read(self._env), zone)
            now = await self._work.alone(WORK, lambda: rule_clock.move(self._env, asked, zone), ClockBusy)
        except ClockInUseError:
            raise ClockBusy from None
        return _answer(now)


def _answer(now: datetime) -> web.Response:
    ahead = max(now - datetime.now(UTC), timedelta(0))
    return web.json_response(
        {"now": now.isoformat().replace("+00:00", "Z"), "ahead_seconds": round(ahead.total_seconds())}
    )
