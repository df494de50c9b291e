"""Makes members to play with; some are connected and in the middle of a streak.

All is done by the services' own methods, as apps do it; only the rule clock is moved.
"""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

from unora_local.cast import ZONE
from unora_local.client import Gateway
from unora_local.clock import Clock
from unora_local.env import Env
from unora_local.keyboard import couples, moments, newcomers
from unora_local.keyboard.newcomers import Seeding
from unora_local.keyboard.people import Login, People
from unora_local.keyboard.sessions import session_of
from unora_local.progress import Progress, table

USUAL: Final = 12
MAX_MEMBERS: Final = 500
DAYS: Final = 4
"""Days that couples have kept at least. It is the morning after: the day reveals something (RE-02), and of every third
couple one has checked in. Every third couple is not connected: each has the other's card.
"""
ALONE: Final = "nobody is connected: a batch needs five others who wait in the server; seed more"


async def seed(env: Env, people: People, number: int, progress: Progress) -> list[str]:
    """Make `number` members and keep their logins; returns these. The rule clock moves by five days or six (ST-03).
    On each, all whose logins are known check in: a further seed breaks no streak of an earlier one.

    Raises ClockInUseError while another command moves the clock, and Refused.
    """
    async with Clock(env) as clock, Gateway.at(env) as gateway:
        run = Seeding(gateway, clock, env, people, progress)
        made = await newcomers.make(run, number)
        with progress.step("the stack takes them in"):
            await clock.wait_until_idle()
        with progress.step("first batches"):
            paired = 2 * newcomers.couples_among(number)
            found = await couples.meet(list(zip(made[:paired:2], made[1:paired:2], strict=True)))
        if found:
            await _live(run, found)
        else:
            progress.say(f"  ! {ALONE}")
    return [newcomer.login.login for newcomer in made]


async def add(env: Env, people: People, number: int, progress: Progress) -> list[str]:
    """Make `number` members who wait in the partner server, and keep their logins; returns these. No time passes, so
    that no streak suffers. Raises ClockInUseError while another command moves the clock, and Refused.
    """
    async with Clock(env) as clock, Gateway.at(env) as gateway:
        made = await newcomers.make(Seeding(gateway, clock, env, people, progress), number)
        with progress.step("the stack takes them in"):
            await clock.wait_until_idle()
    return [newcomer.login.login for newcomer in made]


async def _live(run: Seeding, found: list[couples.Couple]) -> None:
    connected = [couple for at, couple in enumerate(found) if at % 3 < 2]
    with run.progress.step("a new day"):
        # The clock shows any hour: a day that is nearly over could end between two check-ins.
        await couples.all_check_in(run)
        await _next_day(run)
    with run.progress.step("connections") as step:
        for couple in found:
            if couple in connected:
                await couples.connect(run, couple)
            else:
                await couples.leave(run, couple)
        step.now(f"{len(connected)} couples")
        await run.clock.wait_until_idle()
    with run.progress.step("days") as step:
        for _ in range(DAYS + 1):
            await couples.all_check_in(run)
            kept = min([await couples.days_of(couple) for couple in connected])
            step.now(f"{kept} of {DAYS}")
            await _next_day(run)
            if kept >= DAYS:
                break
    with run.progress.step("today"):
        for couple in found[1::3]:
            _, session = await session_of(run.gateway, run.env, run.people, couple.one.login.login)
            await couples.check_in(session)
        await run.clock.wait_until_idle()


async def _next_day(run: Seeding) -> None:
    """It is the morning of the next day."""
    await run.clock.move(moments.target(moments.NEXT_DAY, await run.clock.now(), ZoneInfo(ZONE)))


def describe(known: dict[str, Login], logins: list[str]) -> str:
    """The people that were made, who is with whom, and who could be."""
    people = [known[each] for each in logins]
    rows = [(each.login, each.name, each.city, each.partner or "-", each.meets or "-") for each in people]
    return table(("login", "name", "city", "connected with", "has the card of"), rows)
