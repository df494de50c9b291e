"""The output of the journey: a line for each step, and the days of the streak as a strip."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TextIO

from unora_local import progress
from unora_local.client import Unexpected
from unora_local.progress import Progress

WIDTH: Final = 36
GREEN, RED, PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[0m"


class StepFailed(Exception):
    """A step saw what it did not expect; its line has been printed."""


@dataclass(frozen=True)
class Step:
    """What was done, whether it went as expected, and what was seen."""

    name: str
    ok: bool
    detail: str


@dataclass
class Note:
    """The text of a step: while it runs, and at its end."""

    under_way: progress.Step
    detail: str = ""

    def now(self, doing: str) -> None:
        """Show what is under way: on a terminal at once, elsewhere every few seconds."""
        self.under_way.now(doing)


class Mark(Enum):
    """How a day of the streak went."""

    KEPT = "●"
    SAVED = "◐"
    MISSED = "○"
    WINDOW = "…"
    COMPLETED = "★"


LEGEND: Final = {
    Mark.KEPT: "both checked in",
    Mark.SAVED: "saved in the at-risk evening",
    Mark.MISSED: "one missed it",
    Mark.WINDOW: "the window of the breaker",
    Mark.COMPLETED: "Day 15",
}


@dataclass
class Strip:
    """The days of a streak, cycle by cycle."""

    cycles: list[list[Mark]] = field(default_factory=lambda: [[]])

    @property
    def days(self) -> int:
        """How many there were in all."""
        return sum(map(len, self.cycles))

    def add(self, mark: Mark) -> None:
        """One more day."""
        self.cycles[-1].append(mark)

    def begin_cycle(self) -> None:
        """What follows belongs to the next cycle."""
        self.cycles.append([])

    def lines(self) -> list[str]:
        """A line a cycle, and what the marks mean."""
        rows = [
            f"cycle {number}  {' '.join(mark.value for mark in days)}" for number, days in enumerate(self.cycles, 1)
        ]
        return [*rows, "   ".join(f"{mark.value} {meaning}" for mark, meaning in LEGEND.items())]


class Timeline:
    """Prints the steps as they are made, and remembers them."""

    def __init__(self, out: TextIO | None = None) -> None:
        out = out or sys.stdout
        self._progress = Progress(out)
        self._terminal = out.isatty()
        self.steps: list[Step] = []

    def say(self, text: str = "") -> None:
        """A line that stays."""
        self._progress.say(text)

    @contextmanager
    def step(self, name: str) -> Iterator[Note]:
        """One step: what is raised inside makes it fail, and ends the journey."""
        begin = time.monotonic()
        try:
            with self._progress.waiting(name) as under_way:
                note = Note(under_way)
                yield note
        except asyncio.CancelledError:
            self._done(Step(name, ok=False, detail="stopped"), begin)
            raise
        except Exception as error:
            detail = str(error) if isinstance(error, Unexpected) else f"{type(error).__name__}: {error}"
            self._done(Step(name, ok=False, detail=detail), begin)
            raise StepFailed(f"{name}: {detail}") from error
        self._done(Step(name, ok=True, detail=note.detail), begin)

    def _done(self, step: Step, begin: float) -> None:
        self.steps.append(step)
        mark, colour = ("✓", GREEN) if step.ok else ("✗", RED)
        shown = f"{colour}{mark}{PLAIN}" if self._terminal else mark
        self.say(f"  {shown} {step.name.ljust(WIDTH)}  {time.monotonic() - begin:5.1f} s  {step.detail}")


def expect(what: str, expected: object, seen: object) -> None:
    """Raise if what was seen is not what was expected."""
    if expected != seen:
        raise Unexpected(f"{what}: expected {expected}, saw {seen}")
