"""Where the time of a service goes: py-spy samples it, and each sample counts for the innermost layer it is in."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path
from typing import Final

LAYERS: Final = (
    ("idle", ("epoll", "select (", "_worker (concurrent", "wait (threading")),
    ("asyncpg: statements to Postgres", ("asyncpg/",)),
    ("NATS: relay, events, wake-ups", ("nats/", "relay.py")),
    ("log line", ("structlog/", "logs.py")),
    ("validation", ("protovalidate/",)),
    ("token", ("tokens.py", "joserfc/")),
    ("metrics", ("prometheus_client/",)),
    ("outbox and kept answer", ("outbox.py", "idempotency.py", "ids.py")),
    ("transaction", ("database.py",)),
    ("domain", ("/domain/",)),
    ("proto and domain", ("messages.py", "well_known_types.py", "enum_type_wrapper.py")),
    ("use case and store", ("unora_streak/", "rows.py")),
    ("pipeline", ("unora_common/",)),
    ("grpc.aio", ("grpc/",)),
    ("event loop", ("uvloop", "asyncio/", "Runner")),
)
OTHER: Final = "other"


async def sample(pid: int, seconds: int, folder: Path) -> list[tuple[str, float]]:
    """Samples a process for so long; returns the share of each layer in the time it was busy, largest first."""
    file = folder / "samples.txt"
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("py-spy")), "record", "--nonblocking", "--format", "raw"),
        *("--rate", "250", "--duration", str(seconds), "--output", str(file), "--pid", str(pid)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"py-spy failed: {errors.decode()[-500:]}")
    return shares(file.read_text().splitlines())


def shares(lines: list[str]) -> list[tuple[str, float]]:
    """The share of each layer in py-spy's raw samples: `frame;frame;frame count`."""
    counts: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        counts[_layer(stack.split(";"))] += int(count)
    del counts["idle"]
    busy = sum(counts.values()) or 1
    return [(layer, count / busy) for layer, count in counts.most_common()]


def _layer(frames: list[str]) -> str:
    """The layer of the innermost frame that belongs to one."""
    for frame in reversed(frames):
        for layer, marks in LAYERS:
            if any(mark in frame for mark in marks):
                return layer
    return OTHER
