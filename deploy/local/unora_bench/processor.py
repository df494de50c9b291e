"""How much processor time each process of a stack spends on a call: steadier than a rate on a busy machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

import psutil
from unora_local.run_folder import Row

POLL: Final = 0.5
"""Seconds between two looks at what a stack does: shorter, and one call would make a resting stack look busy."""
IDLE_LOAD: Final = 0.25
"""Of one processor: what an idle stack takes with its jobs, and some more."""
MAX_POLLS: Final = 240


def spent(rows: Iterable[Row]) -> dict[str, float]:
    """Seconds of processor time that each process and its children have spent since they began."""
    return {row.name: _seconds(psutil.Process(row.pid)) for row in rows}


async def at_rest(rows: Sequence[Row]) -> None:
    """Waits until a stack does little: until what follows from its last calls is done too. Two minutes at most."""
    before, calm = spent(rows), 0
    for _ in range(MAX_POLLS):
        await asyncio.sleep(POLL)
        after = spent(rows)
        calm = calm + 1 if sum(after.values()) - sum(before.values()) < POLL * IDLE_LOAD else 0
        if calm == 2:
            return
        before = after
    raise TimeoutError("the stack still worked two minutes after the calls of a measurement")


def per_call(before: dict[str, float], after: dict[str, float], calls: int) -> list[tuple[str, float]]:
    """Microseconds a call, the most first."""
    found = [(name, (after[name] - before[name]) / calls * 1e6) for name in before if name in after]
    return sorted(found, key=lambda pair: -pair[1])


def _seconds(process: psutil.Process) -> float:
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:  # a backend that has ended meanwhile
            continue
        total += times.user + times.system
    return total
