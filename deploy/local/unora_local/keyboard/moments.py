"""Moments as a person names them: `now`, `+6h`, `next-midnight`, `next-day`; and as programs do, by RFC 3339."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from unora_sdk.times import read_zoned_time

from unora_local.mistakes import Mistake

NOW: Final = "now"
NEXT_MIDNIGHT: Final = "next-midnight"
NEXT_DAY: Final = "next-day"
EXAMPLES: Final = (NOW, "+6h", NEXT_MIDNIGHT, NEXT_DAY)
MORNING: Final = time(8)
MAX_MOVE: Final = timedelta(days=366)
"""At once: all that is due meanwhile has to be worked off."""
_AHEAD: Final = re.compile(r"\+(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")


def target(asked: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment (UTC) that is meant at `now`. `next-midnight` ends the current day of `zone`, `next-day` is 8 o'clock
    after it; `+2d6h30m` is as much later. `2026-05-01T18:00:00Z` is this moment, or `now` if that is past: who is not
    sure whether a move was made asks for it again, and moves nothing. Raises Mistake for another text, and for more
    than a year.
    """
    if asked == NOW:
        return now
    if asked in (NEXT_MIDNIGHT, NEXT_DAY):
        tomorrow = now.astimezone(zone).date() + timedelta(days=1)
        at = MORNING if asked == NEXT_DAY else time(0)
        return datetime.combine(tomorrow, at, zone).astimezone(UTC)
    ahead = _ahead(asked, now)
    if ahead is None:
        raise Mistake(f"{asked} is no moment; such are {', '.join(EXAMPLES)}, +1d12h. The rule clock only goes forward")
    if ahead > MAX_MOVE:
        raise Mistake(f"{asked} is more than {MAX_MOVE.days} days; move in steps")
    return now + ahead


def _ahead(asked: str, now: datetime) -> timedelta | None:
    """How much later than `now`; None for what is no moment."""
    found = _AHEAD.fullmatch(asked)
    if found is not None and any(found.groups()):
        days, hours, minutes, seconds = (int(group or 0) for group in found.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    try:
        return max(read_zoned_time(asked) - now, timedelta(0))
    except ValueError:
        return None
