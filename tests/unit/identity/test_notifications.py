"""ID-17: what a member wants to be told, and when."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_common.errors import InvalidArgument
from unora_identity.domain.notifications import (
    Category,
    QuietHours,
    quiet_until,
    read_locale,
    read_quiet_hours,
    read_token,
)

pytestmark = pytest.mark.rule("ID-17")
NIGHT = QuietHours(time(22, 30), time(7))
NOON = QuietHours(time(12), time(13))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def until(quiet: QuietHours | None, zone: str, now: str, category: Category = Category.STREAKS) -> datetime | None:
    return quiet_until(quiet, zone, category, at(now))


@pytest.mark.parametrize(
    ("quiet", "zone", "now", "ends"),
    [
        (None, "Europe/Berlin", "2026-01-10T23:00", None),
        (NIGHT, "Europe/Berlin", "2026-01-10T21:29:59", None),  # 22:29:59 in Berlin
        (NIGHT, "Europe/Berlin", "2026-01-10T21:30", "2026-01-11T06:00"),
        (NIGHT, "Europe/Berlin", "2026-01-10T23:30", "2026-01-11T06:00"),  # after midnight there
        (NIGHT, "Europe/Berlin", "2026-01-11T05:59:59", "2026-01-11T06:00"),
        (NIGHT, "Europe/Berlin", "2026-01-11T06:00", None),
        (NIGHT, "America/New_York", "2026-01-10T21:30", None),
        (NIGHT, "", "2026-01-10T22:30", "2026-01-11T07:00"),  # without a zone by UTC
        (NOON, "Asia/Kolkata", "2026-01-10T06:45", "2026-01-10T07:30"),
        (NOON, "Asia/Kolkata", "2026-01-10T07:30", None),
        # The night in which clocks go forward, and back.
        (NIGHT, "Europe/Berlin", "2026-03-28T23:00", "2026-03-29T05:00"),
        (NIGHT, "Europe/Berlin", "2026-10-24T23:00", "2026-10-25T06:00"),
        # 02:30 comes twice: after the first time it is quiet again from 02:00 on.
        (QuietHours(time(23), time(2, 30)), "Europe/Berlin", "2026-10-24T23:00", "2026-10-25T00:30"),
        (QuietHours(time(23), time(2, 30)), "Europe/Berlin", "2026-10-25T00:45", None),
        (QuietHours(time(23), time(2, 30)), "Europe/Berlin", "2026-10-25T01:10", "2026-10-25T01:30"),
    ],
)
def test_quiet_hours_are_by_the_clock_where_the_member_lives(
    quiet: QuietHours | None, zone: str, now: str, ends: str | None
) -> None:
    assert until(quiet, zone, now) == (at(ends) if ends else None)


def test_a_warning_of_a_stranger_is_told_in_quiet_hours_too() -> None:
    assert until(NIGHT, "UTC", "2026-01-10T23:00", Category.SECURITY) is None


@given(
    begin=st.times().map(lambda each: each.replace(second=0, microsecond=0)),
    end=st.times().map(lambda each: each.replace(second=0, microsecond=0)),
    seconds=st.integers(0, 366 * 86_400),
    zone=st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]),
)
def test_quiet_hours_end_in_the_future_within_a_day_and_then_nothing_is_held_back(
    begin: time, end: time, seconds: int, zone: str
) -> None:
    now = at("2026-01-01T00:00") + timedelta(seconds=seconds)
    ends = quiet_until(QuietHours(begin, end), zone, Category.REVEALS, now) if begin != end else None
    if ends is not None:
        assert 0 < (ends - now).total_seconds() <= 25 * 3600
        assert quiet_until(QuietHours(begin, end), zone, Category.REVEALS, ends) is None


@pytest.mark.parametrize(("begin", "end"), [("24:00", "07:00"), ("22:30", "29:59"), ("07:00", "07:00")])
def test_hours_that_are_none_are_refused(begin: str, end: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read_quiet_hours(begin, end)
    assert all(field.startswith("settings.quiet_hours.") for field in refused.value.violations)
    assert read_quiet_hours("22:30", "07:00") == NIGHT


@pytest.mark.parametrize("locale", ["", "de", "pt-BR", "zh-Hant-TW", "sr-Latn-RS", "gsw"])
def test_a_locale_is_taken_as_it_was_given(locale: str) -> None:
    assert read_locale("locale", locale) == locale


@pytest.mark.parametrize("locale", ["d", "de_DE", "de-", "-", "english please", "de\n", "é", "de-" + "a" * 9, "a" * 40])
def test_what_is_no_locale_is_refused(locale: str) -> None:
    with pytest.raises(InvalidArgument):
        read_locale("locale", locale)


@pytest.mark.parametrize("token", ["\0" * 8, "a\nb", "töken", "        "])
def test_what_no_platform_gives_is_no_token(token: str) -> None:
    with pytest.raises(InvalidArgument):
        read_token(token)
    assert read_token('{"endpoint": "https://push.example/x"}')
