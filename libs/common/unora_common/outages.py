"""Work that runs again and again meets the same outage again and again: the log says it once, and when it is over."""

from __future__ import annotations

from unora_common.logs import Log, describe


class Outage:
    """The failures of one piece of work, in a row."""

    def __init__(self, log: Log, event: str) -> None:
        """`event` is the line that is logged, as a warning."""
        self._log = log
        self._event = event
        self._last = ""

    def failed(self, error: BaseException) -> None:
        """Logs the error, unless the run before failed with the same one."""
        said = describe(error)
        if said != self._last:
            self._log.warning(self._event, failure=error)
            self._last = said

    def over(self) -> None:
        """Says that the work runs again, if it did not."""
        if self._last:
            self._log.info(f"{self._event}: over")
            self._last = ""
