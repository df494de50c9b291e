"""The time by which the notifier decides what is over, and whose quiet hours have ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from unora_sdk import ConfigError

MACHINE: Final = "machine"
EVENTS: Final = "events"


class Clock:
    """The machine's clock. A stack of one machine may have a clock that was moved: then the newest event counts, if it
    is ahead. Elsewhere one event with a wrong time would make all others look late.
    """

    def __init__(self, *, follows_events: bool = False) -> None:
        self._follows = follows_events
        self._latest = datetime.min.replace(tzinfo=UTC)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Clock:
        """By UNORA_NOTIFIER_CLOCK. Raises ConfigError."""
        by = environ.get("UNORA_NOTIFIER_CLOCK") or MACHINE
        if by not in (MACHINE, EVENTS):
            raise ConfigError(f"UNORA_NOTIFIER_CLOCK is {by!r}; write {MACHINE} or, on one machine, {EVENTS}")
        return cls(follows_events=by == EVENTS)

    def now(self) -> datetime:
        """UTC."""
        return max(self._latest, datetime.now(UTC))

    def hear(self, time: datetime, message: Any) -> None:
        """Notes when an event took effect, and when it was written."""
        if self._follows:
            recorded = getattr(message, "recorded_at", None)
            self._latest = max(self._latest, time, recorded.ToDatetime(UTC) if recorded is not None else time)
