"""The days of the streak: kept, saved in the evening, missed, begun again (ST-03 to ST-12)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from unora.streak.v1.streak_service_pb2 import (
    EFFORT_SIGNAL_HIGH,
    EFFORT_SIGNAL_LOW,
    CheckInRequest,
    CheckInResponse,
    EffortSignal,
    GetDashboardRequest,
    GetStreakRequest,
    GetStreakResponse,
    Streak,
    StreakState,
)
from unora_local.cast import ZONE
from unora_local.client import refused, request_id

from unora_demo.matching import inventory
from unora_demo.people import Member
from unora_demo.stage import Stage
from unora_demo.timeline import Mark, Note, expect

MORNING: Final = timedelta(hours=8)
"""After midnight."""
EVENING: Final = timedelta(hours=2)
"""Before midnight."""
FINAL_DAY: Final = 15


async def begins(stage: Stage, note: Note) -> None:
    """ST-01, ST-03, ST-15: the connection has a streak, whose days end at the couple's own midnight."""
    for member, partner in (stage.couple, stage.couple[::-1]):
        dashboard = await member.session.call(stage.gateway.streaks.GetDashboard, GetDashboardRequest())
        expect("streaks on the dashboard", 1, len(dashboard.streaks))
        streak = dashboard.streaks[0]
        expect("its connection", stage.connection.connection_id, streak.connection_id)
        expect("the partner", partner.id, streak.partner_id)
        expect("state, day and cycle", ("ACTIVE", 1, 1), (state(streak), streak.current_day, streak.cycle))
        expect("its time zone", ZONE, streak.time_zone)
        stage.streak = streak
    note.detail = f"day 1 ends {ends(stage.streak):%a %H:%M} UTC, midnight in {ZONE}"


async def first_day(stage: Stage, note: Note) -> None:
    """ST-04, ST-05: one check-in a day; a repeat gets its first answer; both make the day count at once."""
    request = _check_in(stage, EFFORT_SIGNAL_HIGH)
    first = await stage.one.session.call(stage.gateway.streaks.CheckIn, request)
    expect("checked in", (True, False), (first.streak.checked_in, first.streak.partner_checked_in))
    again = await stage.one.session.call(stage.gateway.streaks.CheckIn, request)
    expect("the answer to a repeat", first, again)
    await refused(check_in(stage, stage.one), "ALREADY_CHECKED_IN")
    await _both_in(stage, await check_in(stage, stage.other), 1)
    stage.strip.add(Mark.KEPT)
    note.detail = "a repeated call gets its first answer, a second check-in is refused"


async def keep(stage: Stage, note: Note, until: int) -> None:
    """ST-05: days on which both check in, each after the midnight that ended the one before."""
    first = stage.streak.completed_days + 1
    for day in range(first, until + 1):
        note.now(f"day {day}   {' '.join(mark.value for mark in stage.strip.cycles[-1])}")
        await dawn(stage, day)
        await check_in(stage, stage.one)
        await _both_in(stage, await check_in(stage, stage.other), day)
        stage.strip.add(Mark.KEPT)
    note.detail = f"days {first} to {until} kept by both" if until > first else f"day {until} kept by both"


async def saved_evening(stage: Stage, note: Note) -> None:
    """ST-06: one has checked in, little time remains, the day is at risk; the other saves it before midnight."""
    day = stage.streak.completed_days + 1
    await dawn(stage, day)
    await check_in(stage, stage.one)
    await stage.clock.move(ends(stage.streak) - EVENING)
    for member in stage.couple:
        expect("the state two hours before midnight", "AT_RISK", state((await look(stage, member)).streak))
    await _both_in(stage, await check_in(stage, stage.other), day)
    stage.strip.add(Mark.SAVED)
    note.detail = f"day {day} at risk at {await stage.clock.now():%H:%M} UTC, saved two hours before midnight"


async def missed_day(stage: Stage, note: Note) -> None:
    """ST-06, ST-08: one misses the day; it ends, and only the breaker could recover, until the end of the next."""
    day = stage.streak.completed_days + 1
    await dawn(stage, day)
    await check_in(stage, stage.one)
    await stage.clock.move(ends(stage.streak))
    for member in stage.couple:
        streak = (await look(stage, member)).streak
        expect("the state after midnight", "PAYMENT_WINDOW", state(streak))
        expect("the breaker", stage.other.id, streak.breaker_id)
        expect("the count", day - 1, streak.completed_days)
        await refused(check_in(stage, member), "CHECK_IN_CLOSED")
    stage.streak = (await look(stage, stage.one)).streak
    stage.strip.add(Mark.MISSED)
    closes = stage.streak.window_ends_at.ToDatetime(UTC)
    note.detail = f"day {day} missed by {stage.other.person.name}; the window is open until {closes:%a %H:%M} UTC"


async def window_runs_out(stage: Stage, note: Note) -> None:
    """ST-09: no recovery in time takes the count back to zero; the connection stays."""
    lost = stage.streak.completed_days
    stage.strip.add(Mark.WINDOW)
    await stage.clock.move(stage.streak.window_ends_at.ToDatetime(UTC) + MORNING)
    for member in stage.couple:
        streak = (await look(stage, member)).streak
        seen = (state(streak), streak.completed_days, streak.current_day, streak.cycle)
        expect("state, count, day and cycle", ("RESET", 0, 0, 2), seen)
        expect("slots taken", 1, (await inventory(stage, member)).active_connection_count)
    note.detail = f"{lost} days are lost, the connection stays"


async def new_cycle(stage: Stage, note: Note) -> None:
    """ST-10: the next check-in of either begins again at day 1."""
    stage.strip.begin_cycle()
    begun = (await check_in(stage, stage.other)).streak
    expect("state, day and cycle", ("ACTIVE", 1, 2), (state(begun), begun.current_day, begun.cycle))
    await _both_in(stage, await check_in(stage, stage.one), 1)
    stage.strip.add(Mark.KEPT)
    note.detail = f"{stage.other.person.name} begins cycle 2, {stage.one.person.name} follows"


async def completed(stage: Stage, note: Note) -> None:
    """ST-11: the fifteenth day that both keep completes the streak, for good."""
    await dawn(stage, FINAL_DAY)
    await check_in(stage, stage.one)
    done = (await check_in(stage, stage.other)).streak
    expect("state and count", ("COMPLETED", FINAL_DAY), (state(done), done.completed_days))
    await refused(check_in(stage, stage.one), "CHECK_IN_CLOSED")
    stage.strip.add(Mark.COMPLETED)
    await stage.clock.wait_until_idle()
    history = await look(stage, stage.other)
    expect("the state", "COMPLETED", state(history.streak))
    expect("check-ins of the cycle", 2 * FINAL_DAY, len(history.check_ins))
    note.detail = f"{FINAL_DAY} days and {len(history.check_ins)} check-ins, completed"


async def dawn(stage: Stage, day: int) -> None:
    """Move to the morning after the day that was last seen; a new day has begun without a check-in."""
    await stage.clock.move(ends(stage.streak) + MORNING)
    stage.streak = (await look(stage, stage.one)).streak
    expect("state and day in the morning", ("ACTIVE", day), (state(stage.streak), stage.streak.current_day))
    checked_in = (stage.streak.checked_in, stage.streak.partner_checked_in)
    expect("check-ins in the morning", (False, False), checked_in)


async def look(stage: Stage, member: Member) -> GetStreakResponse:
    """The streak as a member sees it."""
    request = GetStreakRequest(streak_id=stage.streak.streak_id)
    return await member.session.call(stage.gateway.streaks.GetStreak, request)


async def check_in(stage: Stage, member: Member, effort: EffortSignal.ValueType = EFFORT_SIGNAL_LOW) -> CheckInResponse:
    """Check in for today."""
    return await member.session.call(stage.gateway.streaks.CheckIn, _check_in(stage, effort))


def state(streak: Streak) -> str:
    """The state in one word."""
    return StreakState.Name(streak.state).removeprefix("STREAK_STATE_")


def ends(streak: Streak) -> datetime:
    """When the day ends (UTC)."""
    return streak.day_ends_at.ToDatetime(UTC)


async def _both_in(stage: Stage, answer: CheckInResponse, day: int) -> None:
    stage.streak = answer.streak
    seen = (state(stage.streak), stage.streak.completed_days)
    expect("state and count when both are in", ("ACTIVE", day), seen)


def _check_in(stage: Stage, effort: EffortSignal.ValueType) -> CheckInRequest:
    return CheckInRequest(request_id=request_id(), streak_id=stage.streak.streak_id, effort_signal=effort)
