"""ID-08, DI-08: ages, by dates in the member's own time zone."""

from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo


class AgeBand(StrEnum):
    """DI-08: what a card shows in place of an age. Bands are narrow where most members are; the last one is open."""

    FROM_18 = "18_24"
    FROM_25 = "25_29"
    FROM_30 = "30_34"
    FROM_35 = "35_39"
    FROM_40 = "40_49"
    FROM_50 = "50_59"
    FROM_60 = "60_plus"


_BANDS: Final = tuple((int(band.value[:2]), band) for band in AgeBand)


def local_date(now: datetime, time_zone: str) -> date:
    """The calendar date in `time_zone`. ValueError if `now` has no time zone of its own."""
    if now.tzinfo is None:
        raise ValueError("a time without a zone")
    return now.astimezone(ZoneInfo(time_zone)).date()


def age_on(born: date, today: date) -> int:
    """The age in whole years. A member born on 29 February turns a year older on 1 March in common years: never a day
    too soon.
    """
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def age_at(born: date, time_zone: str, now: datetime) -> int:
    """ID-08: the age in whole years at `now`; birthdays begin at midnight in `time_zone`."""
    return age_on(born, local_date(now, time_zone))


def age_band(age: int) -> AgeBand:
    """DI-08: the band of an adult. ValueError below 18: there is no band, since there is no card."""
    begun = [band for first, band in _BANDS if age >= first]
    if not begun:
        raise ValueError("no band below 18")
    return begun[-1]


def age_band_changes_at(born: date, time_zone: str, now: datetime) -> datetime | None:
    """DI-08: the midnight (UTC) in `time_zone` at which the next band begins; None in the last band."""
    age = age_at(born, time_zone, now)
    first = next((first for first, _ in _BANDS if first > age), None)
    if first is None:
        return None
    # Where clocks go forward at midnight, this is the moment at which they do: the date begins then.
    midnight = datetime.combine(_birthday(born, born.year + first), time(), ZoneInfo(time_zone))
    return midnight.astimezone(UTC)


def _birthday(born: date, year: int) -> date:
    try:
        return born.replace(year=year)
    except ValueError:  # 29 February, see age_on
        return date(year, 3, 1)
