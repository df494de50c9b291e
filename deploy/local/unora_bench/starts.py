"""How long discovery needs to be ready when it starts with a large pool, and how much memory idle services take.

What is resident counts the code of libraries in full, although all services share it in memory. The share of a process
(its PSS) counts only its part of what is shared.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

import asyncpg
import psutil
from unora_common.health import READINESS, ask
from unora_local import ports, services
from unora_local.run_folder import RunFolder

from unora_bench import pool
from unora_bench.figures import Figure, Group
from unora_bench.run import Run
from unora_bench.stack import new_folder, own_stack, say

READY_WITHIN: Final = 60.0
SMALL: Final = 95.0
LARGE: Final = 200.0
SERVICES: Final = ("identity", "matching", "streak", "reveal", "billing", "safety")


async def measure(run: Run) -> None:
    """Starts one process of discovery that serves calls, beside a stack with the largest pool."""
    with new_folder("bench-starts") as folder:
        async with own_stack(folder) as env:
            say(f"a pool of {run.largest:,}")
            connection = await asyncpg.connect(env.postgres)
            await pool.grow(connection, 0, run.largest)
            await connection.close()
            for name in SERVICES:
                memory = _process(folder, name).memory_full_info()
                run.add(Figure(group=Group.STARTS, name=f"idle {name}", value=memory.rss / 1e6, unit="MB", aim=SMALL))
                run.add(Figure(group=Group.STARTS, name=f"idle {name}, its share", value=memory.pss / 1e6, unit="MB"))
            async with run.watched() as noise:
                seconds, size = await _start(_process(folder, "discovery"))
    at = f"at {run.largest:,}"
    for name, value, unit, aim in (("cold start", seconds, "s", READY_WITHIN), ("idle", size, "MB", LARGE)):
        named = f"{name} of discovery {at}"
        run.add(Figure(group=Group.STARTS, name=named, value=value, unit=unit, aim=aim, noise=noise.value))


async def _start(like: psutil.Process) -> tuple[float, float]:
    """Starts a process like this one; returns the seconds until it is ready, and its megabytes then."""
    listen, health = ports.free(2)
    own = {"UNORA_LISTEN": listen, "UNORA_HEALTH_LISTEN": health}
    environment = like.environ() | {name: f"127.0.0.1:{port}" for name, port in own.items()}
    environment.pop("UNORA_METRICS_LISTEN", None)
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *services.module("discovery"),
        *("--role", "api"),
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        while await asyncio.to_thread(ask, environment["UNORA_HEALTH_LISTEN"], READINESS, 2.0) != "SERVING":
            if process.returncode is not None or time.perf_counter() - started > 10 * READY_WITHIN:
                raise RuntimeError("discovery did not become ready")
            await asyncio.sleep(0.1)  # the figure is in seconds, and asking takes processor time from the start
        return time.perf_counter() - started, psutil.Process(process.pid).memory_info().rss / 1e6
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _process(folder: RunFolder, name: str) -> psutil.Process:
    return psutil.Process(next(row.pid for row in folder.rows() if row.name == name))
