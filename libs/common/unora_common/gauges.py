"""What is counted for the metrics, in processes that do the work of a context: in Postgres what is left to do, in NATS
what waits there.

Counting must not cost much, however large the tables and however many the replicas are: a count is repeated so seldom
that it takes a hundredth of the time, but for counts of more than three seconds, and the replica whose relay leads
counts alone. A count that fails, or that another replica does, has no value until it is repeated: an absent value says
more than an old one (decision 0054).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

import asyncpg
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError
from unora_sdk.names import stream

from unora_common.common_metrics import (
    CONSUMER_PENDING,
    COUNT_LIMIT,
    DEAD_LETTERS_WAITING,
    JOB_DUE,
    JOB_OLDEST_DUE,
    OUTBOX_OLDEST,
    OUTBOX_UNPUBLISHED,
)
from unora_common.consumers import Consumer
from unora_common.database import Session
from unora_common.due import Due
from unora_common.jobs import Job
from unora_common.messaging import Messaging
from unora_common.metrics import Counted, Metric, Values
from unora_common.outages import Outage
from unora_common.relay import relay_lock
from unora_common.runtime import AnyRuntime
from unora_common.stream_settings import DEAD_LETTERS
from unora_common.streams import replay_of

INTERVAL: Final = 15.0
"""Seconds between two counts, at least."""
LONGEST_INTERVAL: Final = 300.0
"""Seconds between two counts, at most: an older value says too little."""
SHARE_OF_TIME: Final = 0.01
"""The most of the time that one count takes, unless LONGEST_INTERVAL makes it more."""
CONNECTION_WITHIN: Final = 10.0
"""Seconds that a count waits for a connection, at most: the other counts wait behind it."""
TAKE_TURN: Final = """
    SELECT CASE WHEN $2 OR NOT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND objsubid = 1
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND (classid::bigint << 32 | objid::bigint) = hashtext($3)::bigint
    ) THEN pg_try_advisory_xact_lock(hashtext($1)) ELSE false END"""
"""Whether this process counts $1. $2 says whether its relay leads, and $3 names the lock of the relay that leads. While
none leads, as when NATS is away, the replicas count in turn.
"""

Counts = Mapping[Metric[Counted], Values]
"""What one count found: the values of each of its metrics."""


class Count(NamedTuple):
    """One thing to count."""

    name: str
    find: Callable[[Session], Awaitable[Counts]]


class Gauges:
    """The counts of one process."""

    def __init__(
        self,
        runtime: AnyRuntime,
        counts: Sequence[Count],
        leads: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`leads` says whether the relay of this process leads. `clock` counts seconds and never goes back."""
        self._database = runtime.database
        self._board = _Board(runtime)
        self._counts = list(counts)
        self._leads = leads
        self._clock = clock
        self._next = dict.fromkeys((each.name for each in counts), float("-inf"))
        self._outages = {each.name: Outage(runtime.log.bind(source=each.name), "cannot be counted") for each in counts}

    async def run(self) -> None:
        """Counts until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(max(min(self._next.values()) - self._clock(), 0.1))

    async def step(self) -> None:
        """Counts what is due to be counted, one after the other."""
        for each in self._counts:
            if self._next[each.name] <= self._clock():
                await self._count(each)

    async def count_now(self) -> None:
        """Counts everything, due or not."""
        for each in self._counts:
            await self._count(each)

    async def _count(self, each: Count) -> None:
        """What counts for the interval is the time of the statements, also of those that Postgres gave up because they
        took too long; not the wait for a connection, and not an outage.
        """
        found: Counts = {}
        began, seconds = self._clock(), 0.0
        try:
            async with asyncio.timeout(CONNECTION_WITHIN) as limit, self._database.transaction() as tx:
                limit.reschedule(None)  # from here on, the connection's own limits count
                if await self._takes_turn(tx, each):
                    began = self._clock()
                    found = await each.find(tx)
                    seconds = self._clock() - began
        except Exception as error:  # whatever it is, the other counts go on
            self._outages[each.name].failed(error)
            found = {}
            if isinstance(error, asyncpg.QueryCanceledError):
                seconds = self._clock() - began
        else:
            self._outages[each.name].over()
        self._board.show(each.name, found)
        self._next[each.name] = self._clock() + min(max(INTERVAL, seconds / SHARE_OF_TIME), LONGEST_INTERVAL)

    async def _takes_turn(self, tx: Session, each: Count) -> bool:
        schema = self._database.schema
        turn: bool = await tx.value(TAKE_TURN, f"count {schema} {each.name}", self._leads(), relay_lock(schema))
        return turn


class Backlogs:
    """What waits in NATS for the consumers of one process: events, and dead letters."""

    def __init__(self, runtime: AnyRuntime, messaging: Messaging, consumers: Iterable[Consumer]) -> None:
        self._messaging = messaging
        self._board = _Board(runtime)
        self._outage = Outage(runtime.log.bind(source="backlogs"), "cannot be counted")
        self._consumers = [(each.name, stream(each.consumes.stream)) for each in consumers]

    async def run(self) -> None:
        """Asks until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(INTERVAL)

    async def step(self) -> None:
        """Asks NATS once."""
        found: Counts = {}
        if self._messaging.client.is_connected:
            try:
                found = await self._ask()
                self._outage.over()
            except (NatsError, OSError, TimeoutError) as error:
                self._outage.failed(error)
        self._board.show("backlogs", found)

    async def _ask(self) -> Counts:
        pending, dead = dict[tuple[str, ...], float](), dict[tuple[str, ...], float]()
        for name, of in self._consumers:
            for values, where, durable in ((pending, of, name), (dead, DEAD_LETTERS, replay_of(name))):
                with suppress(NotFoundError):  # the platform has yet to make it
                    info = await self._messaging.jetstream.consumer_info(where, durable)
                    values[name,] = float((info.num_pending or 0) + (info.num_ack_pending or 0))
        return {CONSUMER_PENDING: pending, DEAD_LETTERS_WAITING: dead}


class _Board:
    """The metrics that counts have set. Several counts may set one, each with other labels."""

    def __init__(self, runtime: AnyRuntime) -> None:
        self._metrics = runtime.metrics
        self._shown: dict[str, Counts] = {}

    def show(self, name: str, found: Counts) -> None:
        """Replaces what a count has found."""
        before = self._shown.get(name, {})
        self._shown[name] = found
        for metric in {*before, *found}:
            values: dict[tuple[str, ...], float] = {}
            for counts in self._shown.values():
                values |= counts.get(metric, {})
            self._metrics.of(metric).set_all(values)


def count_outbox(schema: str) -> Count:
    """The events that are not published yet."""
    sql = f"""
        SELECT count(*) AS unpublished,
            coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS age
        FROM (
            SELECT created_at FROM {schema}.outbox WHERE published_at IS NULL ORDER BY seq LIMIT {COUNT_LIMIT}
        ) AS waiting"""

    async def count(db: Session) -> Counts:
        (row,) = await db.rows(sql)
        return {OUTBOX_UNPUBLISHED: {(): row["unpublished"]}, OUTBOX_OLDEST: {(): max(row["age"], 0.0)}}

    return Count("outbox", count)


def count_due(jobs: Iterable[Job]) -> list[Count]:
    """What each job has left to do, of those that can say."""
    return [Count(f"due of {job.name}", _due_of(job.name, job.due)) for job in jobs if job.due]


def _due_of(name: str, due: Callable[[Session], Awaitable[Due]]) -> Callable[[Session], Awaitable[Counts]]:
    async def count(db: Session) -> Counts:
        found = await due(db)
        counts: dict[Metric[Counted], Values] = {JOB_DUE: {(name,): found.rows}}
        if found.oldest_seconds is not None:
            counts[JOB_OLDEST_DUE] = {(name,): found.oldest_seconds}
        return counts

    return count
