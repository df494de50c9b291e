"""The level and the sample of the log, which an operator changes while processes run (decision 0055).

UNORA_LOG_LEVEL_FILE and UNORA_LOG_SAMPLE_FILE name files, such as keys of a mounted ConfigMap, that are read again
every few seconds. A value that cannot be used changes nothing, and is said once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

from unora_sdk.environment import ConfigError, given

from unora_common.logs import Log, LogControl, control_of

INTERVAL: Final = 5.0
"""Seconds between two looks at the files."""
SETTERS: Final[Mapping[str, Callable[[LogControl, str], None]]] = {
    "UNORA_LOG_LEVEL": LogControl.set_level,
    "UNORA_LOG_SAMPLE": lambda control, text: control.set_sample(float(text)),
}


class LogSettings:
    """Follows the files of one process."""

    def __init__(self, log: Log, environ: Mapping[str, str], level: str, sample: float) -> None:
        """`level` and `sample` are what the process began with. If a file says something else by now, because the start
        took long, it counts from the first read on.
        """
        self._log = log
        self._control = control_of(log)
        self._environ = environ
        began_with: dict[str, str | float] = {"UNORA_LOG_LEVEL": level, "UNORA_LOG_SAMPLE": sample}
        self._last = {name: self._seen(name, began_with[name]) for name in SETTERS if f"{name}_FILE" in environ}

    async def follow(self) -> None:
        """Looks at the files again and again, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            self.step()

    def step(self) -> None:
        """Looks once."""
        for name, last in self._last.items():
            text = self._read(name)
            if text != last:
                self._last[name] = text
                self._apply(name, text)

    def _apply(self, name: str, text: str | None) -> None:
        """The line of a change is written by the level before it or by the one after it, whichever writes more."""
        try:
            if text is None:
                raise ValueError("the file cannot be read")
            SETTERS[name](LogControl("info"), text)
        except ValueError as error:
            self._log.warning("log setting cannot be used", source=f"{name}_FILE", failure=error)
            return
        was_written = self._control.takes(logging.WARNING)
        if was_written:
            self._log.warning("log setting changed", source=f"{name}_FILE", value=text)
        SETTERS[name](self._control, text)
        if not was_written:
            self._log.warning("log setting changed", source=f"{name}_FILE", value=text)

    def _seen(self, name: str, began_with: str | float) -> str | None:
        """The text of the file if it is what the process began with, else that value."""
        text = self._read(name)
        try:
            same = text is not None and type(began_with)(text) == began_with
        except ValueError:
            same = False
        return text if same else str(began_with)

    def _read(self, name: str) -> str | None:
        try:
            return given(name, self._environ)
        except ConfigError:
            return None
