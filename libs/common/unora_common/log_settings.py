"""The level and the sample of the log, which an operator changes while processes run (decision 0055).

UNORA_LOG_LEVEL_FILE and UNORA_LOG_SAMPLE_FILE name files, such as keys of a mounted ConfigMap, that are read again
every few seconds. A value that cannot be used changes nothing, and is said once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from unora_sdk.environment import ConfigError, given

from unora_common.logs import Log, control_of

INTERVAL: Final = 5.0
"""Seconds between two looks at the files."""
LEVEL: Final = "UNORA_LOG_LEVEL"
SAMPLE: Final = "UNORA_LOG_SAMPLE"


class LogSettings:
    """Follows the files of one process."""

    def __init__(self, log: Log, environ: Mapping[str, str]) -> None:
        control = control_of(log)
        self._log = log
        self._environ = environ
        setters: dict[str, Callable[[str], None]] = {
            LEVEL: control.set_level,
            SAMPLE: lambda text: control.set_sample(float(text)),
        }
        self._setters = {name: setter for name, setter in setters.items() if f"{name}_FILE" in environ}
        self._last = {name: self._read(name) for name in self._setters}

    async def follow(self) -> None:
        """Looks at the files again and again, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            self.step()

    def step(self) -> None:
        """Looks once."""
        for name, setter in self._setters.items():
            text = self._read(name)
            if text != self._last[name]:
                self._last[name] = text
                self._apply(name, text, setter)

    def _apply(self, name: str, text: str | None, setter: Callable[[str], None]) -> None:
        try:
            if text is None:
                raise ValueError("the file cannot be read")
            setter(text)
        except ValueError as error:
            self._log.warning("log setting cannot be used", source=f"{name}_FILE", failure=error)
        else:
            self._log.warning("log setting changed", source=f"{name}_FILE", value=text)

    def _read(self, name: str) -> str | None:
        try:
            return given(name, self._environ)
        except ConfigError:
            return None
