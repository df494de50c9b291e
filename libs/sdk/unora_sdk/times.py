"""Times as RFC 3339 writes them, as in the headers of events and on command lines."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def read_time(text: str) -> datetime:
    """The time in UTC. Raises ValueError for a text that is no time, has no zone, or is out of range in UTC."""
    try:
        return read_zoned_time(text).astimezone(UTC)
    except OverflowError:
        raise ValueError(_refusal(text)) from None


def read_zoned_time(text: str) -> datetime:
    """The time in the zone that the text names. Raises ValueError for a text that is no time, or has no zone."""
    if _TIME.fullmatch(text) is None:
        raise ValueError(_refusal(text))
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError(_refusal(text)) from None


def _refusal(text: str) -> str:
    return f"{text!r} is no time as RFC 3339 has it, with its zone"
