"""Scheduled jobs. Every replica runs them, so a job takes its rows with SKIP LOCKED."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial

from unora_common import call, failed_rows
from unora_common.common_metrics import (
    JOB_DURATION,
    JOB_FAILURES,
    JOB_INTERVAL,
    JOB_LAST_SUCCESS,
    JOB_ROWS_FAILED,
    JOBS_DONE,
)
from unora_common.config import Config
from unora_common.database import Database, Session, Tx
from unora_common.due import Due
from unora_common.handler_marks import Every
from unora_common.job_batches import purge_each
from unora_common.logs import Log
from unora_common.metrics import Metrics
from unora_common.outages import Outage
from unora_common.tracing.tracing import DONE, NOT_RECORDED, Tracing
from unora_common.transient import is_transient

MAX_SECONDS = 60.0
"""The deadline of one run; calls to other contexts get less."""


class Job:
    """One job of one process."""

    def __init__(
        self,
        every: Every,
        method: Callable[[], Awaitable[int]],
        log: Log,
        metrics: Metrics,
        tracing: Tracing = NOT_RECORDED,
        part: object = None,
    ) -> None:
        """`part` is the object whose method it is, for the function `every.due`."""
        self.name: str = method.__name__
        self._part = part
        self.every = every
        self._method = method
        self._tracing = tracing
        self._log = log.bind(job=self.name)
        self._outage = Outage(self._log, "job interrupted")
        self._metrics = metrics
        self.caught_up = False
        """Whether it has found nothing more to do at least once."""

    @property
    def due(self) -> Callable[[Session], Awaitable[Due]] | None:
        """What says how much it has left to do; None if nothing does."""
        return partial(self.every.due, self._part) if self.every.due else None

    @cached_property
    def _measured(self) -> _Measured:
        """Its metrics. They are there where it runs, and not in processes that only serve calls."""
        return _Measured(self.name, self.every.seconds, self._metrics)

    async def run(self) -> None:
        """Runs until cancelled: again at once after a run that found work, else after `every`."""
        _ = self._measured
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
            await asyncio.sleep(self.every.seconds)

    async def step(self) -> int:
        """Runs once; returns how much it did. If rows failed and the others are tried at once, it is not 0."""
        call.set_deadline(MAX_SECONDS)
        rows = failed_rows.begin()
        with self._measured.run(rows), self._tracing.job(self.name) as run:
            done = await self._method()
            if run:
                run.note(DONE, done)
        self._measured.ended(done, rows)
        return done or int(rows.goes_on)


class _Measured:
    """The metrics of one job."""

    def __init__(self, name: str, interval: float, metrics: Metrics) -> None:
        metrics.of(JOB_INTERVAL).labels(name).set(interval)
        self._done = metrics.of(JOBS_DONE).labels(name)
        self._rows_failed = metrics.of(JOB_ROWS_FAILED).labels(name)
        self._failures = metrics.of(JOB_FAILURES).labels(name)
        self._duration = metrics.of(JOB_DURATION).labels(name)
        self._name, self._last_success = name, metrics.of(JOB_LAST_SUCCESS)  # absent until the first success

    @contextmanager
    def run(self, rows: failed_rows.Run) -> Iterator[None]:
        """Around one run."""
        began = time.perf_counter()
        try:
            yield
        except Exception:
            self._failures.inc()
            raise
        finally:
            self._duration.observe(time.perf_counter() - began)
            self._rows_failed.inc(rows.failed)

    def ended(self, done: int, rows: failed_rows.Run) -> None:
        """A run has ended without an error."""
        self._done.inc(done)
        if done or not (rows.failed or rows.is_interrupted):
            self._last_success.labels(self._name).set_to_current_time()


class Housekeeping:
    """Deletes old rows of the messaging tables, by the machine's clock: moving the rule clock deletes nothing."""

    BATCH = 5000

    def __init__(self, schema: str, config: Config, database: Database, log: Log) -> None:
        self._database = database
        self._log = log
        # An event's age counts from when it was written, not from when it was last published: otherwise an event that
        # is published again and again would outlive the inbox rows that make a repeat harmless.
        hours = {
            "outbox": config.outbox_days * 24,
            "inbox": config.inbox_days * 24,
            "inbox_failures": config.inbox_days * 24,
            "kept_answers": config.kept_answer_hours,
        }
        self._purges = [_purge(sql, hours[table]) for table, sql in self.statements(schema).items()]

    @classmethod
    def statements(cls, schema: str) -> dict[str, str]:
        """The statement of each table of one schema; $1 is for how many hours its rows are kept."""
        return {
            "outbox": cls._sql(schema, "outbox", "published_at IS NOT NULL AND created_at"),
            "inbox": cls._sql(schema, "inbox", "applied_at"),
            "inbox_failures": cls._sql(schema, "inbox_failures", "failed_at"),
            "kept_answers": cls._sql(schema, "kept_answers", "kept_at"),
        }

    @classmethod
    def _sql(cls, schema: str, table: str, column: str) -> str:
        # By the places of the rows, which are locked: a join by their keys would read the whole table.
        return f"""
            DELETE FROM {schema}.{table} WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM {schema}.{table}
                WHERE {column} < (SELECT clock_timestamp() - make_interval(hours => $1))
                ORDER BY {column.split()[-1]} LIMIT {cls.BATCH} FOR UPDATE SKIP LOCKED))"""

    async def purge(self) -> int:
        """Deletes one batch from each table, also if another table's fails; returns the number of rows."""
        return await purge_each(self._database, self._log, *self._purges)


def _purge(sql: str, hours: int) -> Callable[[Tx], Awaitable[int]]:
    return lambda tx: tx.run(sql, hours)
