"""Publishes the outbox to the context's JetStream stream, in order per aggregate, at least once.

One relay leads per context. It holds a session advisory lock on the same connection that marks the rows, so a leader
that lost its connection can mark nothing. It reads unpublished rows in the order of `seq`, and keeps no cursor, because
sequence numbers become visible out of order.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from uuid import UUID

import asyncpg
from nats.errors import Error as NatsError
from unora_sdk.names import type_of
from unora_sdk.nats_client import NatsClient

from unora_common.common_metrics import EVENTS_PUBLISHED, RELAY_LEADER
from unora_common.connections import session_settings
from unora_common.event_names import event_names
from unora_common.logs import Log
from unora_common.metrics import Metrics
from unora_common.outages import Outage
from unora_common.publisher import Publisher, Row
from unora_common.timeouts import Timeouts
from unora_common.tracing.tracing import NOT_RECORDED, Tracing

BATCH = 1000
MOST_LEFT_OUT = 10 * BATCH
"""If more aggregates than this are left out, the stream takes nothing at all: the fault is not in one of them."""
WAKE_DELAY = 0.01
"""Seconds between the wake-up and the read. Under load one batch then holds many events and costs little more."""


def relay_lock(context: str) -> str:
    """The name of the lock of the session whose relay leads."""
    return f"relay {context}"


class Relay:
    """The relay of one process. Any number may run; one of them leads."""

    def __init__(
        self,
        context: str,
        dsn: str,
        client: NatsClient,
        log: Log,
        metrics: Metrics,
        timeouts: Timeouts,
        tracing: Tracing = NOT_RECORDED,
    ) -> None:
        self._context = context
        self._dsn = dsn
        self._timeouts = timeouts
        self._publisher = Publisher(context, client, timeouts.nats, tracing=tracing)
        self._log = log
        self._outage = Outage(log, "relay interrupted")
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._leads = False
        self._woken = asyncio.Event()
        self._left_out: set[UUID] = set()
        """The aggregates of batches that the stream refused whole: they must not block the aggregates behind them."""
        self._published = metrics.of(EVENTS_PUBLISHED)
        for name in event_names(context):
            self._published.labels(name)  # it is there from the start, with 0
        metrics.of(RELAY_LEADER).set_function(lambda: self._leads)
        self._select = f"""
            SELECT id, aggregate_id, subject, payload, occurred_at, trace FROM {context}.outbox
            WHERE published_at IS NULL AND aggregate_id <> ALL ($1::uuid[]) ORDER BY seq LIMIT {BATCH}"""
        self._mark = f"UPDATE {context}.outbox SET published_at = clock_timestamp() WHERE id = ANY($1::uuid[])"

    @property
    def leads(self) -> bool:
        """Whether this relay publishes the outbox, as far as it knows."""
        return self._leads

    def wake(self) -> bool:
        """Reads the outbox at once if this relay leads. Returns whether it leads."""
        if self._leads:
            self._woken.set()
        return self._leads

    async def run(self, interval: float) -> None:
        """Publishes until cancelled; reads the outbox every `interval` seconds when nothing wakes it."""
        while True:
            self._woken.clear()
            try:
                while await self.step():
                    pass
                self._outage.over()
            except Exception as error:  # whatever it is, the outbox must not wait for a restart
                self._outage.failed(error)
                await self.close()
                self._woken.clear()
            await _wait_at_most(self._woken.wait, interval)
            await asyncio.sleep(WAKE_DELAY)

    async def step(self) -> int:
        """Publishes one batch if this relay leads; returns the number of events."""
        connection = await self._leading()
        if connection is None:
            return 0
        rows = await connection.fetch(self._select, self._left_out)
        if not rows and self._left_out:
            self._left_out.clear()
            rows = await connection.fetch(self._select, [])
        if not rows:
            return 0
        done, refused = await self._publisher.publish(rows)
        for row, error in refused:
            self._log.warning("event not published", subject=row["subject"], error=error)
        if done:
            await connection.execute(self._mark, done)
            self._count(rows, done)
            self._left_out.clear()
        else:
            self._left_out.update(row["aggregate_id"] for row in rows)
            if len(self._left_out) > MOST_LEFT_OUT:
                self._left_out.clear()
        if len(done) < len(rows):
            raise NatsError(f"{len(rows) - len(done)} events were not acknowledged by the stream")
        return len(done)

    def _count(self, rows: Sequence[Row], done: Collection[UUID]) -> None:
        published = set(done)
        subjects = Counter(row["subject"] for row in rows if row["id"] in published)
        for subject, number in subjects.items():
            self._published.labels(type_of(subject).rpartition(".")[2]).inc(number)

    async def close(self) -> None:
        """Gives up leadership."""
        self._leads = False
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.terminate()

    async def _leading(self) -> asyncpg.Connection[asyncpg.Record] | None:
        if self._connection is None or self._connection.is_closed():
            self._leads = False
            self._connection = await asyncpg.connect(
                self._dsn,
                command_timeout=self._timeouts.command,
                server_settings=session_settings(f"unora_{self._context}_relay", self._timeouts),
            )
        if not self._leads:
            self._leads = await self._connection.fetchval(
                "SELECT pg_try_advisory_lock(hashtext($1))", relay_lock(self._context)
            )
        return self._connection if self._leads else None


async def _wait_at_most(wait: Callable[[], Awaitable[object]], seconds: float) -> None:
    try:
        await asyncio.wait_for(wait(), seconds)
    except TimeoutError:
        return
