"""One run of `make bench`: what its groups share, and the floor call that shows the noise of the machine."""

from __future__ import annotations

import asyncio
import hashlib
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from unora_bench.figures import Figure

FLOOR_WORK: Final = b"x" * 4_000_000
FLOOR_SAMPLES: Final = 9
SIZES: Final = (10_000, 100_000, 1_000_000)


@dataclass(slots=True)
class Noise:
    """The floor calls before and after a measurement."""

    value: float = 0.0


@dataclass(slots=True, kw_only=True)
class Run:
    """What a group gets: sizes, a folder for its files, and where its figures go.

    A group is a module with `async def measure(run: Run) -> None`. It measures its limits itself, in the same run.
    """

    folder: Path
    """For files of the measurement; removed at the end."""
    members: tuple[int, ...] = SIZES
    """The sizes of the pool, of the backlog, of the sweep, ascending. A test or a quick run takes smaller ones."""
    calls: int = 10_000
    concurrency: int = 32
    figures: list[Figure] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    """What else was found, such as profiles: written beside the figures."""
    _usual: list[float] = field(default_factory=list)

    @property
    def largest(self) -> int:
        """The largest of the sizes."""
        return self.members[-1]

    def add(self, figure: Figure) -> None:
        """Keeps a figure."""
        self.figures.append(figure)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[Noise]:
        """Around one measurement: makes the floor call before and after it. The noise is known when the block ends, so
        figures are added behind it.
        """
        noise = Noise()
        before = await asyncio.to_thread(_floor)
        yield noise
        samples = [before, await asyncio.to_thread(_floor)]
        self._usual += samples
        usual = statistics.median(self._usual)
        noise.value = max(samples) / usual - 1


def _floor() -> float:
    """Seconds of a fixed piece of work, the median of some: as long as nothing else runs they are always the same."""
    seconds = []
    for _ in range(FLOOR_SAMPLES):
        started = time.perf_counter()
        hashlib.sha256(FLOOR_WORK).digest()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)
