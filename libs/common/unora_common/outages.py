"""Work that runs again and again meets the same outage again and again: the log says it once, and when it is over."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from unora_sdk.outages import Failures

from unora_common.logs import Log, describe
from unora_common.transient import is_transient

T = TypeVar("T")


class Outage:
    """Logs the failures of one piece of work."""

    def __init__(self, log: Log, event: str) -> None:
        """`event` is the line that is logged, as a warning."""
        self._log = log
        self._event = event
        self._failures = Failures()

    def failed(self, error: BaseException) -> None:
        """Logs the error, unless it was logged since the work last ran."""
        if self._failures.is_new(describe(error)):
            self._log.warning(self._event, failure=error)

    async def bridge(self, work: Awaitable[T] | None, instead: T) -> T:
        """What the work gives; `instead` while it fails with an error that may pass by itself: for what an answer may
        lack. Without work, as when there is nothing to ask for, it is `instead` too, and an outage goes on.
        """
        if work is None:
            return instead
        try:
            done = await work
        except Exception as error:
            if not is_transient(error):
                raise
            self.failed(error)
            return instead
        self.over()
        return done

    def over(self) -> None:
        """Logs that the work runs again, if it did not."""
        if self._failures.end():
            self._log.info(f"{self._event}: over")
