"""ST-03: zones, midnights, first days."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_streak.domain.days import Day, end_of, first_day, next_day
from unora_streak.domain.events import CycleBegan, StreakStarted

from tests.examples import examples

from .story import HOUR, INSTANT, A, B, Story, local, utc

SIX_HOURS = timedelta(hours=6)
MORNING = utc("2026-11-22T09:00")
YEARS = (datetime.fromisoformat("2005-01-01"), datetime.fromisoformat("2037-12-01"))  # hypothesis adds the zone


@pytest.mark.rule("ST-03")
@pytest.mark.parametrize(
    ("zone", "day", "ends_at", "hours"),
    [
        ("UTC", "2026-11-22", "2026-11-23T00:00", 24),
        ("Asia/Kolkata", "2026-11-22", "2026-11-22T18:30", 24),
        ("Asia/Kathmandu", "2026-11-22", "2026-11-22T18:15", 24),
        ("Pacific/Kiritimati", "2026-11-22", "2026-11-22T10:00", 24),
        ("Europe/Berlin", "2026-03-29", "2026-03-29T22:00", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-25T23:00", 25),
        ("America/New_York", "2026-03-08", "2026-03-09T04:00", 23),
        ("America/New_York", "2026-11-01", "2026-11-02T05:00", 25),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-05T13:30", 24.5),
        # the midnight itself is jumped over: the date begins at 01:00
        ("America/Sao_Paulo", "2018-11-03", "2018-11-04T03:00", 24),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-05T02:00", 23),
        ("Asia/Beirut", "2026-03-28", "2026-03-28T22:00", 24),
        ("Asia/Beirut", "2026-03-29", "2026-03-29T21:00", 23),
        ("Africa/Cairo", "2026-04-23", "2026-04-23T22:00", 24),
        ("America/Havana", "2026-03-07", "2026-03-08T05:00", 24),
        # at midnight back to 23:00: that evening has an hour more
        ("America/Sao_Paulo", "2018-02-17", "2018-02-18T03:00", 25),
        ("Africa/Cairo", "2026-10-29", "2026-10-29T22:00", 25),
        # at 01:00 back to midnight, which comes twice: the first one ends the day
        ("America/Havana", "2026-10-31", "2026-11-01T04:00", 24),
        ("America/Havana", "2024-11-03", "2024-11-04T05:00", 25),
        # a minute past midnight back to the evening before: again the first one
        ("America/St_Johns", "2010-11-06", "2010-11-07T02:30", 24),
        ("America/St_Johns", "2010-11-07", "2010-11-08T03:30", 25),
        # at 23:00 forward to midnight
        ("America/Nuuk", "2026-03-28", "2026-03-29T01:00", 23),
    ],
)
def test_a_day_ends_at_its_midnight_daylight_saving_included(zone: str, day: str, ends_at: str, hours: float) -> None:
    on = date.fromisoformat(day)

    assert end_of(on, zone) == utc(ends_at)
    assert end_of(on, zone) - end_of(on - timedelta(days=1), zone) == timedelta(hours=hours)


@cache
def zone_names() -> list[str]:
    return sorted(available_timezones() - {"localtime", "Factory"})


@pytest.mark.rule("ST-03")
@examples(300)
@given(zone=st.deferred(lambda: st.sampled_from(zone_names())), day=st.dates(date(2012, 1, 1), date(2037, 12, 31)))
def test_in_every_zone_the_date_changes_at_the_end_of_the_day(zone: str, day: date) -> None:
    ends_at = end_of(day, zone)

    assert (ends_at - INSTANT).astimezone(ZoneInfo(zone)).date() == day
    assert ends_at.astimezone(ZoneInfo(zone)).date() == day + timedelta(days=1)


@pytest.mark.rule("ST-03")
@examples(300)
@given(
    zone=st.deferred(lambda: st.sampled_from(zone_names())),
    now=st.datetimes(*YEARS, timezones=st.just(UTC)),
)
def test_days_follow_each_other_without_gap_and_none_is_short(zone: str, now: datetime) -> None:
    day = first_day(now, zone, SIX_HOURS)
    assert SIX_HOURS <= day.closes_at - now < timedelta(hours=31 + 24)

    for _ in range(5):
        following = next_day(day, zone)
        assert following.check_in_date > day.check_in_date
        assert timedelta(hours=22) <= following.closes_at - day.closes_at <= timedelta(hours=49)
        day = following


@pytest.mark.rule("ST-03")
def test_a_date_that_a_zone_skips_is_no_day() -> None:
    """Samoa went from 29 to 31 December 2011."""
    day = next_day(Day(date(2011, 12, 28), local("2011-12-29T00:00", "Pacific/Apia")), "Pacific/Apia")
    assert day == Day(date(2011, 12, 29), utc("2011-12-30T10:00"))
    assert next_day(day, "Pacific/Apia") == Day(date(2011, 12, 31), utc("2011-12-31T10:00"))


@pytest.mark.rule("ST-03")
@pytest.mark.parametrize(
    ("now", "day", "hours"),
    [
        ("2026-11-22T00:00", "2026-11-22", 24),
        ("2026-11-22T17:59", "2026-11-22", 6 + 1 / 60),
        ("2026-11-22T18:00", "2026-11-22", 6),
        ("2026-11-22T18:01", "2026-11-23", 30 - 1 / 60),
        ("2026-11-22T23:59", "2026-11-23", 24 + 1 / 60),
        ("2026-03-28T18:30", "2026-03-29", 28.5),  # the clocks go forward that night
        ("2026-10-24T18:30", "2026-10-25", 30.5),  # and back
        ("2026-10-25T02:30", "2026-10-25", 22.5),  # the first 02:30 of two
    ],
)
def test_the_first_day_ends_at_the_first_midnight_at_least_six_hours_ahead(now: str, day: str, hours: float) -> None:
    zone = "Europe/Berlin"
    start = local(now, zone)
    first = first_day(start, zone, SIX_HOURS)

    assert first.check_in_date == date.fromisoformat(day)
    assert first.closes_at - start == pytest.approx(timedelta(hours=hours), abs=timedelta(seconds=1))


@pytest.mark.rule("ST-03")
def test_six_hours_are_real_hours_in_any_zone() -> None:
    """Nuuk skips from 23:00 to midnight: at 17:30 that is 5 and a half real hours away."""
    now = datetime(2026, 3, 28, 17, 30, tzinfo=ZoneInfo("America/Nuuk"))
    assert first_day(now, "America/Nuuk", SIX_HOURS).check_in_date == date(2026, 3, 29)
    assert first_day(now - HOUR, "America/Nuuk", SIX_HOURS).check_in_date == date(2026, 3, 28)


@pytest.mark.rule("ST-03")
def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        first_day(MORNING.replace(tzinfo=None), "UTC", SIX_HOURS)


@pytest.mark.rule("ST-03")
def test_the_check_in_date_is_the_date_that_ends_with_the_day() -> None:
    story = Story(local("2026-11-22T20:00", "Europe/Berlin"), "Europe/Berlin")  # less than six hours left of the 22nd
    started = story.last_events[0]

    assert isinstance(started, StreakStarted)
    assert started.check_in_date == date(2026, 11, 23)
    assert story.both_check_in(local("2026-11-22T21:00", "Europe/Berlin")).streak.check_in_date == date(2026, 11, 23)
    assert story.waits_until(story.streak.closes_at).streak.check_in_date == date(2026, 11, 24)


@pytest.mark.rule("ST-03")
def test_the_zone_is_fixed_for_a_cycle_and_read_again_for_the_next() -> None:
    story = Story(utc("2026-11-22T09:00"), "Europe/Berlin")
    story.zone = "Asia/Tokyo"  # both have moved
    story.keeps(2).waits_until(story.streak.closes_at)
    assert story.streak.zone == "Europe/Berlin"
    assert story.streak.closes_at == local("2026-11-25T00:00", "Europe/Berlin")

    story.waits_until(utc("2026-12-01T00:00"))  # no check-in: reset
    story.checks_in(B, utc("2026-12-01T00:00"))  # nine in the morning in Tokyo

    began = story.last_events[0]
    assert isinstance(began, CycleBegan)
    assert (began.time_zone, began.check_in_date) == ("Asia/Tokyo", date(2026, 12, 1))
    assert story.streak.zone == "Asia/Tokyo"
    assert story.streak.closes_at == began.day_ends_at == local("2026-12-02T00:00", "Asia/Tokyo")


@pytest.mark.rule("ST-03", "ST-04")
def test_a_date_played_twice_by_a_change_of_zone_lies_in_two_cycles() -> None:
    """The 24th ends first on Kiritimati, 14 hours ahead, and once more in UTC."""
    story = Story(local("2026-11-23T01:00", "Pacific/Kiritimati"), "Pacific/Kiritimati")
    story.keeps(1).waits_until(story.streak.closes_at)
    story.waits_until(story.streak.closes_at)
    assert (story.state, story.streak.check_in_date) == ("reset", date(2026, 11, 24))

    story.zone = "UTC"
    story.checks_in(A, story.streak.closes_at + HOUR)
    assert (story.streak.cycle, story.streak.check_in_date) == (2, date(2026, 11, 24))
