"""ST-03: the time zone of a pair's days."""

from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from unora_common.time_zones import canonical_time_zone

UTC_NAME: Final = "UTC"


@cache  # zoneinfo itself caches only eight; a sweep needs hundreds
def zone_info(name: str) -> ZoneInfo:
    """The zone's rules. Raises what ZoneInfo raises if the data set does not have the name."""
    return ZoneInfo(name)


def pair_zone(a: str | None, b: str | None) -> str:
    """ST-03: one of the two names if both mean the same zone, else UTC; UTC also for a zone that tzdata does not have.

    Of two names it is the canonical one if a member gave it, else the first in the alphabet: the order of the members
    makes no difference.
    """
    if a is None or b is None or canonical_time_zone(a) != canonical_time_zone(b):
        return UTC_NAME
    canonical = canonical_time_zone(a)
    name = canonical if canonical in (a, b) else min(a, b)
    try:
        zone_info(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # what ZoneInfo raises for a typo, a path, a folder
        return UTC_NAME
    return name
