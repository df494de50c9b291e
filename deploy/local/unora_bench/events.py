"""The group `events`: relay, consumers, audit log, from commit to effect, and a backlog beside calls."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from unora_common.app import App
from unora_common.consumers import Consumer
from unora_safety.domain.chain import START, Head, SourceEvent, link
from unora_safety.store import audit
from unora_safety.use_cases.audit_verification import verify_chains

from unora_bench import event_limits
from unora_bench.event_limits import BARE
from unora_bench.event_times import INTERVAL, calls_beside, delays, percentile
from unora_bench.event_world import EventWorld, event_world
from unora_bench.figures import Figure, Group
from unora_bench.rebuild import rebuild_figures
from unora_bench.run import Run
from unora_bench.stack import say

SAMPLE: Final = 100_000
"""Events for the rate of a consumer at most; a larger backlog is drained beside calls."""
IDLE_EVENTS: Final = 200
BUSY_EVENTS: Final = 10_000
CHAIN: Final = "identity"
CHUNK: Final = 20_000
PAGE: Final = 1000
"""As in production: `UNORA_AUDIT_VERIFY_BATCH`."""

figure = partial(Figure, group=Group.EVENTS)


async def measure(run: Run) -> None:
    """Measures on servers of its own; a few minutes at a million events."""
    async with event_world() as world:
        matching, discovery, safety = [await world.open(name) for name in ("matching", "discovery", "safety")]
        projection = _consumer(discovery, "discovery__inventory_changed")
        say(f"{run.largest:,} events")
        await world.fill(run.largest)
        await _relay(run, world, matching)
        sample = min(run.largest // 2, SAMPLE)
        await _consume(run, "InventoryChanged applied by discovery", projection, sample, 3000.0, _projection(world))
        audits = _consumer(safety, "safety__all_matching")
        await _consume(run, "audit log", audits, sample, 5000.0, _audit(world))
        await _drain(run, world, projection)
        await _times(run, matching, projection)
        await _verification(run, world, safety)
    await rebuild_figures(run)


def _consumer(app: App[Any, Any], name: str) -> Consumer:
    return next(consumer for consumer in app.consumers if consumer.name == name)


async def _relay(run: Run, world: EventWorld, matching: App[Any, Any]) -> None:
    count = run.largest
    async with run.watched() as noise:
        started = time.perf_counter()
        while await matching.relay.step():
            pass
        rate = count / (time.perf_counter() - started)
        rows = await world.superuser.fetch(f"SELECT aggregate_id, payload FROM matching.outbox LIMIT {BARE}")
        limit = await event_limits.raw_publishing(matching, rows)
    run.add(
        figure(
            name="relay",
            value=rate,
            unit="events/s",
            limit=limit,
            limit_name="raw publish_async",
            aim_share=0.7,
            noise=noise.value,
        )
    )


def _projection(world: EventWorld) -> Callable[[Consumer, int], Awaitable[float]]:
    return lambda consumer, count: event_limits.bare_projection(world, consumer._inbox._note, count)


def _audit(world: EventWorld) -> Callable[[Consumer, int], Awaitable[float]]:
    return lambda consumer, count: event_limits.bare_audit(world, consumer._inbox._note, count)


async def _consume(
    run: Run,
    name: str,
    consumer: Consumer,
    count: int,
    aim: float,
    limit: Callable[[Consumer, int], Awaitable[float]],
) -> None:
    async with run.watched() as noise:
        started, applied = time.perf_counter(), 0
        while applied < count:
            applied += await consumer.step(wait=5.0)
        rate = applied / (time.perf_counter() - started)
        bare = await limit(consumer, min(count, BARE))
    run.add(
        figure(
            name=name,
            value=rate,
            unit="events/s",
            limit=bare,
            limit_name="bare SQL doing the same writes",
            aim=aim,
            noise=noise.value,
        )
    )


async def _drain(run: Run, world: EventWorld, consumer: Consumer) -> None:
    """What is left of the backlog, with calls to the same process meanwhile."""
    async with run.watched() as noise:
        idle = await calls_beside(world, partial(asyncio.sleep, INTERVAL * 100))
        started, applied = time.perf_counter(), 0

        async def drain() -> None:
            nonlocal applied
            while taken := await consumer.step(wait=1.0):
                applied += taken

        beside = await calls_beside(world, drain)
        rate = applied / (time.perf_counter() - started)
    run.notes["events: calls beside the backlog"] = {"events": applied, "calls": len(beside), "events a second": rate}
    run.add(
        figure(
            name=f"ListServers p99 beside a backlog of {run.largest:,}",
            value=percentile(beside, 99),
            unit="ms",
            limit=percentile(idle, 99),
            limit_name="the same calls without a backlog",
            noise=noise.value,
        )
    )


async def _times(run: Run, matching: App[Any, Any], consumer: Consumer) -> None:
    busy = min(BUSY_EVENTS, run.largest)
    cases = (("idle", IDLE_EVENTS, 1, INTERVAL, 50.0), ("at 1,000 events/s", busy, 10, 0.01, 250.0))
    for name, count, each, apart, aim in cases:
        async with run.watched() as noise:
            found = await delays(matching, consumer, count, each=each, apart=apart)
        for percent in (50, 99):
            run.add(
                figure(
                    name=f"commit to effect p{percent} {name}",
                    value=percentile(found, percent),
                    unit="ms",
                    aim=aim if percent == 99 else None,
                    noise=noise.value,
                )
            )


async def _verification(run: Run, world: EventWorld, safety: App[Any, Any]) -> None:
    count = run.largest
    await _make_chain(world, count)
    async with run.watched() as noise, safety.database.session() as db:
        before, started = _memory(), time.perf_counter()
        found = await verify_chains(db, CHAIN, None, None, PAGE)
        seconds, grown = time.perf_counter() - started, max(_memory() - before, 0.0)
        started, last = time.perf_counter(), None
        while entries := await audit.list_entries(db, CHAIN, count, last, PAGE):
            last = entries[-1].position
        reading = time.perf_counter() - started
    if [(each.verified_length, each.broken_at) for each in found.chains] != [(count, 0)]:
        raise RuntimeError("the chain that was made for the measurement is broken")
    run.add(
        figure(
            name=f"audit chain of {count:,} rows verified",
            value=seconds,
            unit="s",
            limit=reading,
            limit_name="reading the rows alone",
            aim=30.0,
            noise=noise.value,
        )
    )
    name = f"memory that the check of {count:,} rows adds"
    run.add(figure(name=name, value=grown, unit="MB", aim=20.0, noise=noise.value))


async def _make_chain(world: EventWorld, count: int) -> None:
    """A chain as the consumer would make it, row by row; the triggers would take most of the time."""
    now, head, database = datetime.now(UTC), START, world.superuser
    await database.execute("SELECT safety.make_audit_partition($1)", now)
    await database.execute("SET session_replication_role = replica")
    for start in range(0, count, CHUNK):
        events = [
            SourceEvent(uuid4(), "unora.identity.v1.session_opened", uuid4(), now, os.urandom(60))
            for _ in range(min(CHUNK, count - start))
        ]
        entries = link(CHAIN, head, events, now)
        await database.copy_records_to_table("audit_logs", schema_name="safety", columns=audit.COLUMNS, records=entries)
        head = Head(entries[-1].number, entries[-1].hash)
    await database.execute("INSERT INTO safety.audit_chain_heads VALUES ($1, $2, $3)", CHAIN, *head)
    await database.execute("RESET session_replication_role; ANALYZE safety.audit_logs")


def _memory() -> float:
    """Megabytes of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6
