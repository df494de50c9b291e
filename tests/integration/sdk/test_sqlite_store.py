"""A file as the store: other processes may use it, and a handler may be wrong."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from uuid import uuid4

from unora.streak.v1.events_pb2 import CheckedIn
from unora_sdk import Event, SqliteStore
from unora_testing.deadlines import eventually, within

from tests.integration.sdk.platform import CONSUMER, NOON, Platform, checked_in, serving
from tests.integration.sdk.stores import letter, record


async def test_reading_a_file_waits_for_no_transaction(tmp_path: Path) -> None:
    """A handler may take long, and dead letters are looked at just then. What waited for it would fail: the transaction
    does not end before.
    """
    one, other = SqliteStore(tmp_path / "events.db"), SqliteStore(tmp_path / "events.db")
    await one.open()
    await one.put_dead_letter(letter("message 1"))
    async with one.transaction() as transaction:
        await one.record(transaction, CONSUMER, uuid4(), NOON)
        for store in (one, other):
            await store.open()
            assert len(await store.dead_letters()) == 1
            assert await store.due([CONSUMER]) == []
            assert await store.failures(CONSUMER, uuid4()) == 0
            assert await store.replay_of(CONSUMER) is None
    await one.close()
    await other.close()


async def test_two_processes_may_share_a_file(tmp_path: Path) -> None:
    one, other = SqliteStore(tmp_path / "events.db"), SqliteStore(tmp_path / "events.db")
    await one.open()
    await other.open()
    identifier = uuid4()
    async with one.transaction() as transaction:
        waiting = asyncio.ensure_future(record(other, identifier))
        assert await one.record(transaction, CONSUMER, identifier, NOON)
    assert await within(waiting) is False
    await one.close()
    await other.close()


async def test_a_mistake_of_a_handler_is_no_outage_of_a_file(platform: Platform, tmp_path: Path) -> None:
    await platform.publish(checked_in())
    store = SqliteStore(tmp_path / "events.db")
    subscriber = platform.subscriber(store, tries=1)

    @subscriber.on(CheckedIn)
    def handle(event: Event[CheckedIn], transaction: sqlite3.Connection) -> None:
        sqlite3.connect(tmp_path / "no folder" / "x.db")

    async with serving(subscriber):
        await platform.until_done()
    await store.open()
    assert len(await store.dead_letters()) == 1
    await store.close()


async def test_while_a_file_is_locked_nothing_is_lost(platform: Platform, tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    subscriber, seen = platform.subscriber(SqliteStore(path)), list[int]()

    @subscriber.on(CheckedIn)
    def handle(event: Event[CheckedIn], transaction: sqlite3.Connection) -> None:
        seen.append(event.version)

    async with serving(subscriber):
        await platform.publish(checked_in(1))
        await platform.until_done()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await platform.publish(checked_in(2))
        await eventually(lambda: _is_delivered(platform), "the event is delivered")
        other.execute("COMMIT")
        other.close()
        await platform.until_done()
    assert seen == [1, 2]


async def _is_delivered(platform: Platform) -> bool:
    return ((await platform.consumer()).num_ack_pending or 0) == 1
