"""Scheduled jobs. Every replica runs them, so a job takes its rows with SKIP LOCKED."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from unora_common import call, trace
from unora_common.config import Config
from unora_common.database import Database
from unora_common.handlers import Every
from unora_common.logs import Log
from unora_common.metrics import Metrics
from unora_common.outages import Outage
from unora_common.transient import is_transient

MAX_SECONDS = 60.0
"""The deadline of one run; calls to other contexts get less."""


class Job:
    """One job of one process."""

    def __init__(self, every: Every, method: Callable[[], Awaitable[int]], log: Log, metrics: Metrics) -> None:
        self.name: str = method.__name__
        self._every = every
        self._method = method
        self._log = log.bind(job=self.name)
        self._outage = Outage(self._log, "job interrupted")
        self._done = metrics.jobs_done.labels(self.name)
        self.caught_up = False
        """Whether it has found nothing more to do at least once."""

    async def run(self) -> None:
        """Runs until cancelled: again at once after a run that found work, else after `every`."""
        while True:
            try:
                while await self.step():
                    pass
                self.caught_up = True
                self._outage.over()
            except Exception as error:
                if is_transient(error):
                    self._outage.failed(error)
                else:
                    self._log.error("job failed", failure=error)
            await asyncio.sleep(self._every.seconds)

    async def step(self) -> int:
        """Runs once; returns how much it did."""
        trace.begin()
        call.set_deadline(MAX_SECONDS)
        done = await self._method()
        if done:
            self._done.inc(done)
        return done


class Housekeeping:
    """Deletes old rows of the messaging tables, by the machine's clock: moving the rule clock deletes nothing."""

    BATCH = 5000

    def __init__(self, schema: str, config: Config, database: Database) -> None:
        self._database = database
        # An event's age counts from when it was written, not from when it was last published: otherwise an event that
        # is published again and again would outlive the inbox rows that make a repeat harmless.
        self._purges = [
            (self._sql(schema, table, key, column), keep)
            for table, key, column, keep in (
                ("outbox", "id", "published_at IS NOT NULL AND created_at", config.outbox_days * 24),
                ("inbox", "(consumer, event_id)", "applied_at", config.inbox_days * 24),
                ("inbox_failures", "(consumer, event_id)", "failed_at", config.inbox_days * 24),
                ("kept_answers", "(caller, method, request_id)", "kept_at", config.kept_answer_hours),
            )
        ]

    def _sql(self, schema: str, table: str, key: str, column: str) -> str:
        return f"""
            DELETE FROM {schema}.{table} WHERE {key} IN (
                SELECT {key.strip("()")} FROM {schema}.{table}
                WHERE {column} < (SELECT clock_timestamp() - make_interval(hours => $1))
                ORDER BY {column.split()[-1]} LIMIT {self.BATCH} FOR UPDATE SKIP LOCKED)"""

    async def purge(self) -> int:
        """Deletes one batch from each table; returns the number of rows."""
        done = 0
        for sql, hours in self._purges:
            async with self._database.transaction() as tx:
                done += await tx.run(sql, hours)
        return done
