"""The sweep in a process of its own: `python -m unora_bench.sweeper DSN` runs the job until nothing is due, and prints
how many streaks it locked, its seconds, and the longest batch as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any, cast

import uvloop
from unora_common.common_metrics import COMMON_METRICS
from unora_common.database import Database
from unora_common.logs import logger
from unora_common.metrics import Metrics
from unora_common.runtime import Runtime
from unora_common.timeouts import PRODUCTION
from unora_streak.config import StreakConfig
from unora_streak.jobs import StreakJobs
from unora_streak.metrics import METRICS


async def sweep(dsn: str) -> dict[str, float]:
    """Runs the job as its process does: again at once while it finds work."""
    nowhere = Path("/nonexistent")
    config = StreakConfig(
        database_url=dsn, nats_url="tls://127.0.0.1:1", tls_ca=nowhere, tls_cert=nowhere, tls_key=nowhere
    )
    metrics = Metrics((*COMMON_METRICS, *METRICS))
    database = await Database.open(
        dsn,
        "streak",
        connections=config.database_connections,
        kept=config.kept_connections,
        timeouts=PRODUCTION,
        wake=lambda: None,
        metrics=metrics,
    )
    clients = cast("Any", None)  # the job calls nobody
    jobs = StreakJobs(Runtime("streak", config, None, database, clients, logger("streak", "error"), metrics))
    started, locked, longest = time.perf_counter(), 0, 0.0
    try:
        while True:
            began = time.perf_counter()
            done = await jobs.close_days()
            if not done:
                break
            longest = max(longest, time.perf_counter() - began)
            locked += done
        spent = time.perf_counter() - started
    finally:
        await database.close()
    return {"streaks": locked, "seconds": spent, "longest": longest, "processor": time.process_time()}


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(sweep(sys.argv[1]))))
