"""The command `rebuild` of each context that keeps projections (XX-08)."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from unora_common.config import Config
from unora_common.logs import describe
from unora_common.meter import Meter
from unora_common.rebuild_progress import Progress
from unora_common.rebuilding import Part, Rebuild, RebuildTakenOverError, RowsKeepChangingError
from unora_common.runtime import Runtime
from unora_common.service import Command
from unora_common.transient import is_transient

C = TypeVar("C", bound=Config)
R = TypeVar("R")
DESCRIPTION = (
    "Makes this context's projections anew from the contexts that own their facts, one part after the other, while "
    "all services run. A row that differs from what its owner tells is replaced, whatever its version, unless an event "
    "changes it meanwhile; a row of which its owner knows nothing vanishes. It may run in several contexts at the same "
    "time; of two runs that make the same part of one context, one ends with status 1. "
    "Interrupted, it goes on at the same page when run again with the same parts. "
    "Exit status: 0 done, 1 not done (run it again), 130 stopped by a signal."
)


def rebuild_command(names: Sequence[str], parts: Callable[[Runtime[C, R]], Sequence[Part[Any]]]) -> Command[C, R]:
    """The command. `parts` makes the parts with these names, in the order in which they are made anew."""

    def arguments(parser: argparse.ArgumentParser) -> None:
        parser.description = DESCRIPTION
        parser.add_argument("--only", choices=names, metavar="PART", help=f"one part alone: {', '.join(names)}")
        parser.add_argument("--restart", action="store_true", help="begin anew, even if one before has not ended")

    async def run(runtime: Runtime[C, R], options: argparse.Namespace) -> int:
        made = [part for part in parts(runtime) if options.only in (None, part.name)]
        return await _run(Rebuild(runtime.database, made), restart=options.restart)

    return Command("make projections anew from the contexts that own their facts", arguments, run)


async def _run(work: Rebuild, *, restart: bool) -> int:
    started, done = time.monotonic(), 0
    parts = await work.begin(restart=restart)
    if any(each.members for each in parts):
        print("rebuild: goes on where the one before stopped; --restart begins anew", file=sys.stderr)
    for part in parts:
        meter = _Meter(part)
        try:
            async for progress in work.run(part):
                meter.show(progress)
        except RebuildTakenOverError:
            print(f"\nrebuild: another process makes {part.part} anew; this one ends", file=sys.stderr)
            return 1
        except Exception as error:
            again = isinstance(error, RowsKeepChangingError) or is_transient(error)
            hint = "; run it again" if again else ""
            print(f"\nrebuild: {part.part} was not made anew: {describe(error)}{hint}", file=sys.stderr)
            if not again:
                raise
            return 1
        done += meter.end()
    print(
        f"made anew in {time.monotonic() - started:.1f} s: {', '.join(each.part for each in parts)}; {done} facts of "
        "their owners"
    )
    return 0


class _Meter:
    """The progress of one part."""

    def __init__(self, progress: Progress) -> None:
        self._latest = progress
        self._before = progress.members
        self._started = time.monotonic()
        self._meter = Meter()

    def show(self, progress: Progress) -> None:
        """Shows where the part is, unless it was shown just now."""
        self._latest = progress
        self._meter.show(self._text())

    def end(self) -> int:
        """Shows the result. Returns how many this run did."""
        self._meter.end(self._text())
        return self._latest.members - self._before

    def _text(self) -> str:
        count = self._latest.members
        rate = (count - self._before) / max(time.monotonic() - self._started, 0.001)
        return f"{self._latest.part}: {count} told, {rate:.0f}/s"
