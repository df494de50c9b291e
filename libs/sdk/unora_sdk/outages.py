"""Work that runs again and again meets the same outage again and again: the log says it once, and when it is over."""

from __future__ import annotations

from logging import Logger


class Failures:
    """The failures of one piece of work in a row, of which each is told once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def is_new(self, failure: str) -> bool:
        """Whether the failure was not told since the work last ran. From now on it was."""
        if failure in self._told:
            return False
        self._told.add(failure)
        return True

    def end(self) -> bool:
        """The work has run. Returns whether it had failed before."""
        failed = bool(self._told)
        self._told.clear()
        return failed


class Outage:
    """Logs the failures of one piece of work."""

    def __init__(self, log: Logger, what: str) -> None:
        """`what` is away while the work fails, such as `NATS`."""
        self._log = log
        self._what = what
        self._failures = Failures()

    def failed(self, error: BaseException) -> None:
        """Logs the error, unless it was logged since the work last ran."""
        failure = f"{type(error).__name__}: {error}"
        if self._failures.is_new(failure):
            self._log.warning("%s: %s; trying again", self._what, failure)

    def over(self) -> None:
        """Logs that the work runs again, if it did not."""
        if self._failures.end():
            self._log.warning("%s: over", self._what)
