"""The honest members' process, as the process that measures sees it."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from unora_attack.figures import DEADLINES, Kind, Sample, percentile, seconds_until_normal
from unora_attack.honest import Plan

POLL: Final = 0.05
"""Seconds between two looks at the samples: how exactly it is known when calls are normal again."""
NORMAL_WITHIN: Final = 30.0
"""Seconds after which the wait for normal calls is given up."""
QUIET_SECONDS: Final = 2.0
"""How long calls are watched without an attack, to learn how quick they normally are."""
LEAST_LIMIT: Final = 0.25
"""Seconds: an answer that is not slower counts as normal, however quick the calls were before."""


class Traffic:
    """Runs the process, and keeps all that it told."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._file = folder / "honest.json"
        self._file.write_bytes(msgspec.json.encode(plan))
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._open: set[float] = set()
        self.samples: list[Sample] = []
        self.limit = LEAST_LIMIT
        """Seconds within which an answer is normal."""

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "unora_attack.honest", str(self._file)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in a terminal is for this process, which ends the other
        )
        self._reading = asyncio.create_task(self._read(self._process))
        await self._learn_what_is_normal()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        assert self._reading is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def until_normal(self, ended: float) -> float | None:
        """Seconds from the end of an attack until calls are answered quickly again; None after NORMAL_WITHIN."""
        latest = time.monotonic() + NORMAL_WITHIN
        while (seconds := seconds_until_normal(self.samples, ended, self.limit)) is None:
            self._check()
            if time.monotonic() > latest:
                return None
            await asyncio.sleep(POLL)
        return seconds

    async def until_over(self, ended: float) -> None:
        """Waits for the calls that began before this moment."""
        latest = time.monotonic() + max(DEADLINES.values()) + 1
        while any(began < ended for began in self._open) and time.monotonic() < latest:
            self._check()
            await asyncio.sleep(POLL)

    async def _learn_what_is_normal(self) -> None:
        await self.until_normal(time.monotonic())
        begin = time.monotonic()
        await asyncio.sleep(QUIET_SECONDS)
        quiet = [each.seconds for each in self.samples if each.began >= begin and each.kind is Kind.MEMBER]
        self.limit = max(LEAST_LIMIT, 2 * percentile(quiet, 0.99))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            told = msgspec.json.decode(line, type=Sample | float)
            if isinstance(told, Sample):
                self._open.discard(told.began)
                self.samples.append(told)
            else:
                self._open.add(told)

    def _check(self) -> None:
        assert self._process is not None
        if self._process.returncode is not None:
            raise RuntimeError("the process of the honest members has ended; see above")
