"""What a drill prints: what was broken, how it was noticed, what brought it back, what was lost, how long it took."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unora_local.progress import Progress
from unora_upgrade.checks import Check

if TYPE_CHECKING:
    from unora_drill.scene import Scene


@dataclass
class Record:
    """One drill, while it is played and afterwards."""

    title: str
    progress: Progress
    broken: str = ""
    noticed: list[str] = field(default_factory=list)
    steps: list[tuple[str, float]] = field(default_factory=list)
    """What was done, as an operator types it, and the seconds that it took."""
    lost: list[str] = field(default_factory=list)
    lost_seconds: float = 0.0
    """For how long changes were answered that are lost (RPO)."""
    seconds: float = 0.0
    """From the first call that failed, or the break if none did, to the moment when all worked again (RTO)."""
    checks: list[Check] = field(default_factory=list)

    @contextmanager
    def step(self, command: str) -> Iterator[None]:
        """One step of an operator."""
        begin = time.monotonic()
        with self.progress.step(command):
            yield
        self.steps.append((command, time.monotonic() - begin))

    def expect(self, what: str, *, holds: bool, found: str) -> None:
        """Something that must hold besides what every drill checks."""
        self.checks.append(Check(what, [] if holds else [found], found))

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return all(check.ok for check in self.checks)

    def __str__(self) -> str:
        lines = [f"\n{self.title}", f"  broken: {self.broken}"]
        lines += [f"  noticed: {each}" for each in self.noticed]
        lines += [f"  {seconds:6.1f} s  {command}" for command, seconds in self.steps]
        lines += [f"  lost: {each}" for each in self.lost or ["nothing"]]
        lines.append(f"  RPO {self.lost_seconds:.1f} s, RTO {self.seconds:.1f} s")
        for check in self.checks:
            lines.append(f"  {'✓' if check.ok else '✗'} {check.name}: {check.found}")
            lines += [f"      {fault}" for fault in check.faults]
        return "\n".join(lines)


@dataclass(frozen=True)
class Drill:
    """A disaster, and what plays it."""

    name: str
    title: str
    play: Callable[[Scene, Record], Awaitable[None]]
