"""The command of discovery besides serving: the pool made anew (XX-08)."""

from __future__ import annotations

import argparse
import sys
import time

from unora_common.runtime import Runtime
from unora_common.service import Command

from unora_discovery.config import DiscoveryConfig
from unora_discovery.domain.rebuild import Part, Progress
from unora_discovery.resources import Resources
from unora_discovery.use_cases.rebuild import Rebuild, RebuildTakenOverError


async def _rebuild(runtime: Runtime[DiscoveryConfig, Resources], options: argparse.Namespace) -> int:
    work, started, done = Rebuild(runtime), time.monotonic(), 0
    parts = await work.begin(restart=options.restart)
    if any(each.members for each in parts.values()):
        print("rebuild: goes on where the one before stopped; --restart begins anew", file=sys.stderr)
    try:
        for part in Part:
            meter = _Meter(parts[part])
            async for progress in work.run(parts[part]):
                meter.show(progress)
            done += meter.end()
    except RebuildTakenOverError:
        print("\nrebuild: another process does the same work; this one ends", file=sys.stderr)
        return 1
    print(f"the pool is made anew: {done} rows of {len(Part)} parts in {time.monotonic() - started:.1f} s")
    return 0


class _Meter:
    """The progress of one part on stderr: one line that changes on a terminal, else a line now and then."""

    INTERVAL = 5.0

    def __init__(self, progress: Progress) -> None:
        self._latest = progress
        self._before = progress.members
        self._started = time.monotonic()
        self._shown = float("-inf")
        self._every = 0.2 if sys.stderr.isatty() else self.INTERVAL

    def show(self, progress: Progress) -> None:
        """Shows where the part is, unless it was shown just now."""
        self._latest = progress
        now = time.monotonic()
        if now - self._shown >= self._every:
            self._shown = now
            self._print("\r" if sys.stderr.isatty() else "", "" if sys.stderr.isatty() else "\n")

    def end(self) -> int:
        """Shows the result. Returns how many members this run did."""
        self._print("\r" if sys.stderr.isatty() else "", "\n")
        return self._latest.members - self._before

    def _print(self, begin: str, end: str) -> None:
        members = self._latest.members
        rate = (members - self._before) / max(time.monotonic() - self._started, 0.001)
        print(f"{begin}{self._latest.part}: {members} members, {rate:.0f}/s   ", end=end, file=sys.stderr, flush=True)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Makes the pool anew from identity, matching, billing and safety, while the service runs. Of what this reads "
        "and what events tell, the newest version counts. Interrupted, it goes on at the same page when run again. "
        "Exit status: 0 done, 1 not done (run it again), 130 stopped by a signal."
    )
    parser.add_argument("--restart", action="store_true", help="begin anew, even if one before has not ended")


rebuild: Command[DiscoveryConfig, Resources] = Command(
    "make the pool anew from the contexts that own it; goes on where it was interrupted", _arguments, _rebuild
)
