"""Moments as a person names them: `now`, `+6h`, `next-midnight`, `next-day`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from unora_local.mistakes import Mistake

NOW: Final = "now"
NEXT_MIDNIGHT: Final = "next-midnight"
NEXT_DAY: Final = "next-day"
EXAMPLES: Final = (NOW, "+6h", NEXT_MIDNIGHT, NEXT_DAY)
MORNING: Final = time(8)
LONGEST: Final = timedelta(days=366)
"""At once: all that is due meanwhile has to be worked off."""
_AHEAD: Final = re.compile(r"\+(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")


def target(asked: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment (UTC) that is meant at `now`. `next-midnight` ends the current day of `zone`, `next-day` is 8 o'clock
    after it; `+2d6h30m` is as much later. Raises Mistake for another text, and for more than a year.
    """
    if asked == NOW:
        return now
    if asked in (NEXT_MIDNIGHT, NEXT_DAY):
        tomorrow = now.astimezone(zone).date() + timedelta(days=1)
        at = MORNING if asked == NEXT_DAY else time(0)
        return datetime.combine(tomorrow, at, zone).astimezone(UTC)
    found = _AHEAD.fullmatch(asked)
    if found is None or not any(found.groups()):
        raise Mistake(f"{asked} is no moment; such are {', '.join(EXAMPLES)}, +1d12h. The rule clock only goes forward")
    days, hours, minutes, seconds = (int(group or 0) for group in found.groups())
    ahead = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if ahead > LONGEST:
        raise Mistake(f"{asked} is more than {LONGEST.days} days; move in steps")
    return now + ahead
