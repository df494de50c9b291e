"""ST-19: what changes a streak. Each function returns the streak after the change, and the events that led there.

`now` decides (ST-04): the rule clock, read after the row was locked. At exactly a deadline, the deadline has passed.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from unora_streak.domain import steps
from unora_streak.domain.days import first_day, utc
from unora_streak.domain.due import next_due, next_version
from unora_streak.domain.errors import AlreadyCheckedIn, CheckInClosed, NotInStreak
from unora_streak.domain.events import CheckedIn, Event, StreakStarted, StreakTerminated, event_header
from unora_streak.domain.state import INITIAL, PLAYING, TERMINAL, Connection, Effort, Policy, State, Streak


def begin(
    *, streak_id: UUID, connection: Connection, zone: str, formed_at: datetime, now: datetime, policy: Policy
) -> tuple[Streak, list[Event]]:
    """ST-01. `zone` is `pair_zone` of the two. Raises ValueError if the connection's pair is not ordered (MA-08).

    The streak starts when the connection forms, but the first day is measured from `now`: no check-in was possible
    before the service learned of the connection, so a late message costs the pair nothing.
    """
    user_a_id, user_b_id = connection.pair
    if not user_a_id < user_b_id:
        raise ValueError("the pair is not ordered")
    now = utc(now)
    formed_at = min(utc(formed_at), now)
    day = first_day(now, zone, policy.first_day)
    new = Streak(
        id=streak_id,
        connection_id=connection.id,
        user_a_id=user_a_id,
        user_b_id=user_b_id,
        server_type=connection.server_type,
        state=INITIAL,
        cycle=1,
        completed_days=0,
        zone=zone,
        check_in_date=day.check_in_date,
        closes_at=day.closes_at,
        checked_in=frozenset(),
        started_at=formed_at,
    )
    streak = next_version(new, policy)
    header = event_header(None, streak, formed_at, now)
    started = StreakStarted(**header, time_zone=zone, check_in_date=day.check_in_date, day_ends_at=day.closes_at)
    return streak, [started]


def step(streak: Streak, until: datetime, now: datetime, policy: Policy) -> tuple[Streak, Event] | None:
    """The first step of time that is due by `until`, or None if none is due. `advance` repeats it."""
    due = next_due(streak, policy)
    return _due_step(streak, due, now, policy) if due is not None and due <= until else None


def advance(streak: Streak, now: datetime, policy: Policy) -> tuple[Streak, list[Event]]:
    """ST-16: every step of time that is due up to now, in order, each with its own effective time.

    One jump over an outage equals many small steps, and advancing twice equals once.
    """
    now = utc(now)
    return advance_until(streak, now, now, policy)


def advance_until(streak: Streak, until: datetime, now: datetime, policy: Policy) -> tuple[Streak, list[Event]]:
    """Every step of time that is due up to `until`, recorded now: for late news of something that happened then."""
    events: list[Event] = []
    while made := step(streak, until, now, policy):
        streak, event = made
        events.append(event)
    return streak, events


def check_in(
    streak: Streak, member: UUID, effort: Effort, now: datetime, zone: str, policy: Policy
) -> tuple[Streak, list[Event]]:
    """ST-04, 05, 06, 10. `zone` is the pair's at this moment; it is used only if a new cycle begins.

    Raises NotInStreak, CheckInClosed or AlreadyCheckedIn.
    """
    now = utc(now)
    if member not in streak.pair:
        raise NotInStreak
    streak, events = advance(streak, now, policy)
    if streak.state is State.RESET:
        streak, began = steps.begin_cycle(streak, zone, now, policy)
        events.append(began)
    if streak.state not in PLAYING:
        raise CheckInClosed(streak.state)
    if member in streak.checked_in:
        raise AlreadyCheckedIn(streak.closes_at)

    before = streak
    streak = next_version(replace(before, checked_in=before.checked_in | {member}), policy)
    # A check-in by itself changes no field of the header; the day that it may complete is counted by the next event.
    header = event_header(before, before, now, now)
    events.append(CheckedIn(**header, user_id=member, check_in_date=before.check_in_date, effort_signal=effort))

    if streak.checked_in == streak.pair:
        streak, counted = steps.count_day(streak, now, policy)
        events += counted
    elif streak.closes_at - now <= policy.at_risk:
        streak, at_risk = steps.put_at_risk(streak, now, now, policy)
        events.append(at_risk)
    return streak, events


def terminate(streak: Streak, ended_at: datetime, now: datetime, policy: Policy) -> tuple[Streak, list[Event]]:
    """ST-12: the connection ended. A streak that is over already stays as it is (ST-19).

    The message may be late: days are closed up to the ending and not beyond. Days that were closed beyond it before the
    message came stay closed. The event still takes effect when the connection ended, because billing judges by that
    moment (BI-05).
    """
    now = utc(now)
    ended_at = min(utc(ended_at), now)
    if streak.state in TERMINAL:
        return streak, []
    before, events = advance_until(streak, ended_at, now, policy)
    after = next_version(replace(before, state=State.TERMINATED, ended_at=ended_at, **steps.NO_WINDOW), policy)
    return after, [*events, StreakTerminated(**event_header(before, after, ended_at, now))]


def _due_step(streak: Streak, due: datetime, now: datetime, policy: Policy) -> tuple[Streak, Event]:
    """The step of time that takes effect at `due`, which has come."""
    match streak.state, len(streak.checked_in):
        case State.ACTIVE, 2:
            return steps.begin_day(streak, due, now, policy)
        case State.ACTIVE, 1:
            return steps.put_at_risk(streak, due, now, policy)
        case State.ACTIVE, 0 if not streak.told_ends_soon:
            return steps.tell_ends_soon(streak, due, now, policy)
        case State.AT_RISK, _:
            return steps.open_window(streak, due, now, policy)
        case State.PAYMENT_WINDOW, _ if streak.hold:
            return steps.release(streak, due, now, policy)
        case _:  # active without a check-in, or a window that has ended
            return steps.reset(streak, due, now, policy)
