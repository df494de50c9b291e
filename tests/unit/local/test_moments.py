"""What a person at the keyboard means by a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from unora_local.keyboard.moments import target
from unora_local.mistakes import Mistake

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)
"""Half an hour before midnight in Berlin, on the evening before summer time begins there."""
NO_MOMENTS = (
    "2026-03-29",
    "2026-03-29T04:30:00",
    "2026-02-30T00:00:00Z",
    "2026-03-29T04:30:00+99:00",
    "20260329T043000Z",
)


@pytest.mark.parametrize(
    ("asked", "ahead"),
    [
        ("+6h", timedelta(hours=6)),
        ("+90m", timedelta(minutes=90)),
        ("+45s", timedelta(seconds=45)),
        ("+2d12h", timedelta(days=2, hours=12)),
        ("+1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("+366d", timedelta(days=366)),
        ("now", timedelta(0)),
        ("+0h", timedelta(0)),
    ],
)
def test_a_moment_is_so_much_later(asked: str, ahead: timedelta) -> None:
    assert target(asked, NOW, BERLIN) == NOW + ahead


@pytest.mark.parametrize(
    ("asked", "ahead"),
    [
        ("2026-03-29T04:30:00Z", timedelta(hours=6)),
        ("2026-03-29T06:30:00.500+02:00", timedelta(hours=6, milliseconds=500)),
        ("2026-03-28T22:29:59Z", timedelta(0)),
        ("0001-01-01T00:00:00+12:00", timedelta(0)),
    ],
)
def test_a_moment_that_a_program_names_is_meant_once_and_a_past_one_moves_nothing(asked: str, ahead: timedelta) -> None:
    assert target(asked, NOW, BERLIN) == NOW + ahead


def test_the_next_midnight_and_the_next_day_are_those_of_the_zone() -> None:
    assert target("next-midnight", NOW, BERLIN) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert target("next-day", NOW, BERLIN) == datetime(2026, 3, 29, 6, tzinfo=UTC)  # 8 o'clock in summer time
    assert target("next-midnight", NOW, ZoneInfo("UTC")) == datetime(2026, 3, 29, tzinfo=UTC)


def test_at_midnight_the_next_midnight_is_a_day_later() -> None:
    midnight = datetime(2026, 5, 1, tzinfo=UTC)
    assert target("next-midnight", midnight, ZoneInfo("UTC")) == midnight + timedelta(days=1)


@pytest.mark.parametrize(
    "asked", ["", "+", "6h", "-6h", "+6", "+6x", "+1h2d", "tomorrow", "+1.5h", "+99999999h", *NO_MOMENTS]
)
def test_another_text_is_no_moment(asked: str) -> None:
    with pytest.raises(Mistake, match="is no moment; such are now"):
        target(asked, NOW, BERLIN)


def test_more_than_a_year_at_once_is_refused() -> None:
    with pytest.raises(Mistake, match="more than 366 days"):
        target("+367d", NOW, BERLIN)
    with pytest.raises(Mistake, match="more than 366 days"):
        target("9999-12-31T23:59:59-12:00", NOW, BERLIN)
