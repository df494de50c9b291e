"""ST-03: where the days of a streak end.

A day is a calendar date of the streak's zone and ends at the midnight that ends the date. So `check_in_date` is the
date that ends there, not the date that begins. A first day that starts in the last hours of a date continues through
the next date, and all its check-ins have that next date.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from unora_streak.domain.time_zones import zone_info

ONE_DAY = timedelta(days=1)


class Day(NamedTuple):
    """A day of a streak: its date, and the instant at which it is over."""

    check_in_date: date
    closes_at: datetime


def utc(instant: datetime) -> datetime:
    """The instant in UTC. Raises ValueError for a datetime without a zone.

    Arithmetic on an aware datetime of another zone is wall-clock arithmetic: wrong by an hour twice a year.
    """
    if instant.tzinfo is None:
        raise ValueError("a naive datetime is not an instant")
    return instant.astimezone(UTC)


def end_of(day: date, zone: str) -> datetime:
    """The first instant of the next date.

    Where clocks jump forward over that midnight, fold 0 uses the offset before the jump, so the result is the instant
    of the jump. Where clocks go back over it, midnight comes twice and fold 0 is the first.
    """
    return datetime.combine(day + ONE_DAY, time.min, zone_info(zone)).astimezone(UTC)


def first_day(now: datetime, zone: str, at_least: timedelta) -> Day:
    """The day that ends at the first midnight that is at least `at_least` after now; exactly that far is enough."""
    earliest = utc(now) + at_least
    today = now.astimezone(zone_info(zone)).date()
    while (closes_at := end_of(today, zone)) < earliest:
        today += ONE_DAY
    return Day(today, closes_at)


def next_day(day: Day, zone: str) -> Day:
    """The day after. A date that a zone skips completely (Samoa, 30 December 2011) has no length, so it is no day."""
    following = day.check_in_date + ONE_DAY
    while (closes_at := end_of(following, zone)) <= day.closes_at:
        following += ONE_DAY
    return Day(following, closes_at)
