"""Work that runs again and again meets the same outage again and again: the log says it once, and when it is over."""

from __future__ import annotations

from logging import Logger


class Outage:
    """The failures of one piece of work, in a row."""

    def __init__(self, log: Logger, what: str) -> None:
        """`what` is away while the work fails, such as `NATS`."""
        self._log = log
        self._what = what
        self._last = ""

    def failed(self, error: BaseException) -> None:
        """Logs the error, unless the run before failed with the same one."""
        said = f"{type(error).__name__}: {error}"
        if said != self._last:
            self._log.warning("%s: %s; trying again", self._what, said)
            self._last = said

    def over(self) -> None:
        """Says that the work runs again, if it did not."""
        if self._last:
            self._log.warning("%s: over", self._what)
            self._last = ""
