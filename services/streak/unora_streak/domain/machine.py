"""ST-19: what moves a streak. Every function gives the streak as it is afterwards and the events that led there.

`now` decides (ST-04): the time read after the row is locked. At exactly a deadline, the deadline has passed.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from unora_streak.domain import steps
from unora_streak.domain.days import first_day, utc
from unora_streak.domain.errors import AlreadyCheckedIn, CheckInClosed, NotInStreak
from unora_streak.domain.events import CheckedIn, Event, StreakStarted, StreakTerminated, head
from unora_streak.domain.state import INITIAL, PLAYING, TERMINAL, Effort, Policy, State, Streak


def begin(
    *,
    streak_id: UUID,
    connection_id: UUID,
    pair: tuple[UUID, UUID],
    zone: str,
    formed_at: datetime,
    now: datetime,
    policy: Policy,
) -> tuple[Streak, list[Event]]:
    """ST-01. `pair` is ordered (MA-08); `zone` is `pair_zone` of the two.

    The streak starts when the connection forms, but the first day is measured from `now`: nobody could check in before
    the news arrived, so a late message costs the pair nothing.
    """
    user_a_id, user_b_id = pair
    if not user_a_id < user_b_id:
        raise ValueError("the pair is not ordered")
    now = utc(now)
    formed_at = min(utc(formed_at), now)
    day = first_day(now, zone, policy.first_day)
    streak = Streak(
        id=streak_id,
        connection_id=connection_id,
        user_a_id=user_a_id,
        user_b_id=user_b_id,
        state=INITIAL,
        cycle=1,
        completed_days=0,
        zone=zone,
        check_in_date=day.check_in_date,
        closes_at=day.closes_at,
        here=frozenset(),
        started_at=formed_at,
    )
    told = head(None, streak, formed_at, now)
    return streak, [StreakStarted(**told, zone=zone, check_in_date=day.check_in_date, closes_at=day.closes_at)]


def next_due(streak: Streak, policy: Policy) -> datetime | None:
    """The next instant at which `settle` changes something, if nobody does anything before."""
    match streak.state:
        case State.ACTIVE if len(streak.here) == 1:
            return streak.closes_at - policy.at_risk
        case State.ACTIVE | State.AT_RISK:
            return streak.closes_at
        case State.PAYMENT_WINDOW:
            return streak.hold.until if streak.hold else streak.window_closes_at
        case State.RESET | State.COMPLETED | State.TERMINATED:
            return None


def step(streak: Streak, until: datetime, now: datetime, policy: Policy) -> tuple[Streak, Event] | None:
    """The one thing that is due first, if anything is due by `until`: what `settle` does over and over."""
    due = next_due(streak, policy)
    return _fall_due(streak, due, now) if due is not None and due <= until else None


def settle(streak: Streak, now: datetime, policy: Policy) -> tuple[Streak, list[Event]]:
    """ST-16: everything that time alone has brought about up to now, in order, each with its own effective time.

    One jump over an outage equals many small steps, and settling twice equals once.
    """
    return settle_until(streak, utc(now), utc(now), policy)


def settle_until(streak: Streak, until: datetime, now: datetime, policy: Policy) -> tuple[Streak, list[Event]]:
    """What time alone brought about up to `until`, as it is seen now: for news of something that happened then."""
    events: list[Event] = []
    while made := step(streak, until, now, policy):
        streak, event = made
        events.append(event)
    return streak, events


def check_in(
    streak: Streak, member: UUID, effort: Effort, now: datetime, zone: str, policy: Policy
) -> tuple[Streak, list[Event]]:
    """ST-04, 05, 06, 10. `zone` is the pair's at this moment; it is used only if a new cycle begins."""
    now = utc(now)
    if member not in streak.pair:
        raise NotInStreak
    streak, events = settle(streak, now, policy)
    if streak.state is State.RESET:
        streak, began = steps.begin_cycle(streak, zone, now, policy)
        events.append(began)
    if streak.state not in PLAYING:
        raise CheckInClosed(streak.state)
    if member in streak.here:
        raise AlreadyCheckedIn(streak.closes_at)

    before = streak
    streak = replace(before, here=before.here | {member}, version=before.version + 1)
    # A check-in by itself moves nothing that the head tells; the day it may complete is counted by the next event.
    told = head(before, before, now, now)
    events.append(CheckedIn(**told, user_id=member, check_in_date=before.check_in_date, effort=effort))

    if streak.here == streak.pair:
        streak, counted = steps.count_day(streak, now, policy)
        events += counted
    elif streak.closes_at - now <= policy.at_risk:
        streak, at_risk = steps.put_at_risk(streak, now, now)
        events.append(at_risk)
    return streak, events


def terminate(streak: Streak, ended_at: datetime, now: datetime, policy: Policy) -> tuple[Streak, list[Event]]:
    """ST-12: the connection ended. A streak that is over already stays as it is (ST-19).

    The message may be late: days are settled up to the ending and not beyond. What was settled beyond it before the
    message came is not undone; the event still takes effect at the true moment, by which others judge (BI-05).
    """
    now = utc(now)
    ended_at = min(utc(ended_at), now)
    if streak.state in TERMINAL:
        return streak, []
    before, events = settle_until(streak, ended_at, now, policy)
    after = replace(
        before,
        state=State.TERMINATED,
        ended_at=ended_at,
        version=before.version + 1,
        **steps.NO_WINDOW,
    )
    return after, [*events, StreakTerminated(**head(before, after, ended_at, now))]


def _fall_due(streak: Streak, due: datetime, now: datetime) -> tuple[Streak, Event]:
    """One step of time: the instant `next_due` has come."""
    match streak.state, len(streak.here):
        case State.ACTIVE, 2:
            return steps.begin_day(streak, due, now)
        case State.ACTIVE, 1:
            return steps.put_at_risk(streak, due, now)
        case State.AT_RISK, _:
            return steps.open_window(streak, due, now)
        case State.PAYMENT_WINDOW, _ if streak.hold:
            return steps.release(streak, due, now)
        case _:  # active with nobody in, or a window that ran out
            return steps.reset(streak, due, now)
