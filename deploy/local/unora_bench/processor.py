"""How much processor time each process of a stack spends on a call: steadier than a rate on a busy machine."""

from __future__ import annotations

from collections.abc import Iterable

import psutil
from unora_local.run_folder import Row


def spent(rows: Iterable[Row]) -> dict[str, float]:
    """Seconds of processor time that each process and its children have spent since they began."""
    return {row.name: _seconds(psutil.Process(row.pid)) for row in rows}


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
