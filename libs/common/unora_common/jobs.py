"""Jobs run by themselves on every replica, so they must be safe there: rows are taken with SKIP LOCKED."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from unora_common import call, trace

if TYPE_CHECKING:
    from unora_common.declare import Every
    from unora_common.service import App


class Job:
    """One job of one process."""

    def __init__(self, app: App[Any], every: Every, method: Any) -> None:
        self.name: str = method.__name__
        self._every = every
        self._method = method
        self._app = app

    async def run(self) -> None:
        """Runs until cancelled: again at once while there was something to do, else after its time."""
        while True:
            try:
                while await self.step():
                    pass
            except Exception as error:
                self._app.log.error("job failed", job=self.name, failure=error)
            await asyncio.sleep(self._every.seconds)

    async def step(self) -> int:
        """Runs once; returns how much was done."""
        trace.begin()
        call.set_deadline(60.0)
        done: int = await self._method()
        if done:
            self._app.metrics.jobs_done.labels(self.name).inc(done)
        return done


class Housekeeping:
    """Forgets what has been kept long enough; by the machine's clock, so that moving the rule clock purges nothing."""

    BATCH = 5000

    def __init__(self, app: App[Any]) -> None:
        config, schema = app.config, app.context
        self._app = app
        # An event's age counts from its telling, not from when it was last published: it must not outlive, by being
        # published again and again, what the inboxes remember of it.
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
        """One batch of each table."""
        done = 0
        for sql, hours in self._purges:
            async with self._app.database.transaction() as tx:
                done += await tx.run(sql, hours)
        return done
