"""What the same machine does with events without the services: raw publishing, and bare SQL doing the same writes."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import asyncpg
from unora_common.app import App
from unora_common.consumers import LARGE_BATCH
from unora_discovery.store import pool
from unora_safety.domain.chain import START, SourceEvent, link
from unora_safety.store import audit

from unora_bench.event_world import SUBJECT, EventWorld

PENDING: Final = 1000
BARE: Final = 20_000
"""Events for a limit at most: it is a rate."""


async def raw_publishing(app: App[Any, Any], rows: Sequence[Any]) -> float:
    """Events a second by the library's `publish_async`, with the headers of a relay."""
    stream = app.messaging.client.jetstream(timeout=app.timeouts.nats, publish_async_max_pending=PENDING)
    started = time.perf_counter()
    for row in rows:
        identifier = str(uuid4())
        headers = {
            "Nats-Msg-Id": identifier,
            "ce-specversion": "1.0",
            "ce-id": identifier,
            "ce-source": "/unora/matching",
            "ce-type": SUBJECT,
            "ce-subject": str(row["aggregate_id"]),
            "ce-time": "2026-03-01T12:00:00Z",
            "content-type": "application/protobuf",
            "traceparent": "t" * 55,
        }
        await stream.publish_async(SUBJECT, row["payload"], headers=headers)
    await stream.publish_async_completed()
    return len(rows) / (time.perf_counter() - started)


async def bare_projection(world: EventWorld, note: str, count: int) -> float:
    """Events a second of discovery's statements for slots, each batch in a transaction with its inbox rows."""
    connection = await asyncpg.connect(world.testbed.dsn(world.world.database, "unora_discovery"))
    batches = [([uuid4() for _ in range(size)], [uuid4() for _ in range(size)]) for size in _sizes(count)]
    started = time.perf_counter()
    for events, members in batches:
        size = len(members)
        async with connection.transaction():
            await connection.fetch(note, "bench", events)
            await connection.execute(pool.PROJECT_INVENTORIES, members, [1] * size, [1] * size, [4] * size)
    seconds = time.perf_counter() - started
    await connection.close()
    return count / seconds


async def bare_audit(world: EventWorld, note: str, count: int) -> float:
    """Events a second of safety's statements for the audit log, with hashes that were made before."""
    connection = await asyncpg.connect(world.testbed.dsn(world.world.database, "unora_safety"))
    now, head, batches = datetime.now(UTC), START, []
    for size in _sizes(count):
        events = [SourceEvent(uuid4(), "unora.streak.v1.checked_in", uuid4(), now, os.urandom(60)) for _ in range(size)]
        entries = link("streak", head, events, now)
        head = START._replace(length=entries[-1].number, hash=entries[-1].hash)
        batches.append(([event.event_id for event in events], [list(column) for column in zip(*entries, strict=True)]))
    started = time.perf_counter()
    for identifiers, columns in batches:
        async with connection.transaction():
            await connection.fetch(note, "bench", identifiers)
            await connection.fetch(audit.LOCK, "streak", identifiers)
            await connection.execute(audit.APPEND, *columns)
    seconds = time.perf_counter() - started
    await connection.close()
    return count / seconds


def _sizes(count: int) -> list[int]:
    return [min(LARGE_BATCH, count - done) for done in range(0, count, LARGE_BATCH)]
