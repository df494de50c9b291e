"""Runs the jobs of the services that delete what is old: their own code, on the simulated clock.

A job belongs to it if its name begins with one of these words; so a new one is run without being named here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final

import msgspec
from unora_common.common_metrics import COMMON_METRICS
from unora_common.config import CONTEXTS, load
from unora_common.database import Database
from unora_common.declarations import load_service
from unora_common.jobs import Housekeeping
from unora_common.logs import logger
from unora_common.metrics import Metrics
from unora_common.service import marked
from unora_common.timeouts import Timeouts

WORDS: Final = ("purge", "forget", "delete", "remove_old", "drop", "trim")
PATIENT: Final = Timeouts(statement=600, lock=60, command=660, idle_transaction=600)


class Retention:
    """The jobs of all contexts, each in the role of its context."""

    def __init__(self) -> None:
        self._now: datetime
        self._databases: list[Database] = []
        self.jobs: dict[str, Callable[[], Awaitable[int]]] = {}
        """By context and name."""

    async def open(self, dsn_of: Callable[[str], str]) -> None:
        """Makes the jobs. `dsn_of` tells the address for the role of a context."""
        for context in CONTEXTS:
            service = load_service(context)
            fields = msgspec.structs.fields(service.config)
            required = {f"UNORA_{each.name.upper()}": "none" for each in fields if each.required}
            config: Any = load(service.config, required | {"UNORA_DATABASE_URL": dsn_of(context)})
            database = await Database.open(
                config.database_url,
                context,
                connections=2,
                kept=0,
                timeouts=PATIENT,
                wake=_nothing,
                metrics=Metrics(COMMON_METRICS),
            )
            self._databases.append(database)
            resources = SimpleNamespace(
                machine_now=lambda: self._now,
                policy=getattr(config, "policy", None),
                photo_store=None,  # nobody has objects here
            )
            log = logger("simulate", config.log_level)
            self.jobs[f"{context} housekeeping"] = Housekeeping(context, config, database, log).purge
            runtime: Any = SimpleNamespace(
                context=context,
                config=config,
                database=database,
                resources=resources,
                log=log,
                clients=SimpleNamespace(stub=lambda *_: None),  # retention calls nobody
            )
            for make in service.jobs:
                if any(name.startswith(WORDS) for name in vars(make)):
                    for method in marked(make(runtime), "every"):
                        if method.__name__.startswith(WORDS):
                            self.jobs[f"{context} {method.__name__}"] = method

    async def run(self, now: datetime) -> int:
        """Runs each job until it finds nothing more; returns the number of rows that they deleted."""
        self._now = now
        return sum(await asyncio.gather(*(_until_done(job) for job in self.jobs.values())))

    async def close(self) -> None:
        """Closes the connections."""
        for database in self._databases:
            await database.close()


async def _until_done(job: Callable[[], Awaitable[int]]) -> int:
    done = 0
    while deleted := await job():
        done += deleted
    return done


def _nothing() -> None:
    return
