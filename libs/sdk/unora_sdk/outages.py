"""Work that runs again and again meets the same outage again and again: the log says it once, and when it is over."""

from __future__ import annotations

from logging import Logger


class Outage:
    """The failures of one piece of work, in a row."""

    def __init__(self, log: Logger, what: str) -> None:
        """`what` is away while the work fails, such as `NATS`."""
        self._log = log
        self._what = what
        self._said: set[str] = set()

    def failed(self, error: BaseException) -> None:
        """Logs the error, unless it was logged since the work last ran."""
        said = f"{type(error).__name__}: {error}"
        if said not in self._said:
            self._log.warning("%s: %s; trying again", self._what, said)
            self._said.add(said)

    def over(self) -> None:
        """Says that the work runs again, if it did not."""
        if self._said:
            self._log.warning("%s: over", self._what)
            self._said.clear()
