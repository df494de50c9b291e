"""XX-06: a budget for each member: calls at once, and calls a second as a token bucket. In memory, per process.

A bucket is one number, the time at which it is full again (the generic cell rate algorithm): each call moves that time
on by 1 / rate, and is refused if it lies further ahead than the burst allows.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

from unora_common.errors import Exhausted

K = TypeVar("K", bound=Hashable)
LOOKED_AT: Final = 2
"""How many old entries each new one looks at. More than one, so that the table shrinks while new callers come."""
RETRY_AFTER: Final = 1.0
"""Seconds after which a caller who has too many calls at once may try again."""


class TooManyCalls(Exhausted):
    """XX-06: this caller has too many calls at once, or calls too often. `retry_after` is in seconds."""

    reason = "TOO_MANY_CALLS"
    sentence = "That was too fast. Wait a moment, then try again."


class _Entry:
    """What one caller has used."""

    __slots__ = ("at_once", "full_at")

    def __init__(self) -> None:
        self.at_once = 0
        self.full_at = float("-inf")


class Budgets(Generic[K]):
    """The budgets of all callers of one kind. Each key is one caller: a member's id, or a certificate's name."""

    def __init__(
        self, *, at_once: int, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` counts seconds and never goes back."""
        self._at_once = at_once
        self._interval = 1.0 / per_second
        self._ahead = (burst - 1) * self._interval
        self._clock = clock
        self._entries: OrderedDict[K, _Entry] = OrderedDict()

    def __len__(self) -> int:
        """How many callers are in the table: those who called within the last moments."""
        return len(self._entries)

    def take(self, key: K) -> None:
        """Counts a call of `key`; `give_back` ends it. Raises TooManyCalls, and then counts nothing."""
        now = self._clock()
        entry = self._entries.get(key)
        if entry is None:
            self._forget_idle(now)
            entry = self._entries[key] = _Entry()
        if entry.at_once >= self._at_once:
            raise TooManyCalls(RETRY_AFTER)
        over = entry.full_at - now - self._ahead
        if over > 0:
            raise TooManyCalls(over)
        entry.full_at = max(entry.full_at, now) + self._interval
        entry.at_once += 1

    def give_back(self, key: K) -> None:
        """Ends a call that was counted."""
        self._entries[key].at_once -= 1

    def _forget_idle(self, now: float) -> None:
        """Removes callers whose budget is whole again. Looks at the oldest entries, and moves the others to the end."""
        for _ in range(min(LOOKED_AT, len(self._entries))):
            key, entry = self._entries.popitem(last=False)
            if entry.at_once or entry.full_at > now:
                self._entries[key] = entry
