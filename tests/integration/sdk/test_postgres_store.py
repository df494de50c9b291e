"""Postgres as the store: replicas share one, and it may be away, silent, or asked wrongly by a handler."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from unora.streak.v1.events_pb2 import CheckedIn
from unora_local import ports
from unora_local.postgres import Postgres
from unora_sdk import Event, PostgresStore
from unora_sdk.stores import StoreAwayError
from unora_testing.deadlines import eventually, within

from tests.integration.common.proxy import Wire
from tests.integration.sdk.platform import CONSUMER, NOON, Platform, checked_in, serving
from tests.integration.sdk.stores import record


async def test_a_transaction_that_a_caught_error_has_aborted_leaves_no_record_in_silence(dsn: str) -> None:
    """SQLite goes on after such an error; Postgres answers COMMIT with ROLLBACK, and without an error."""
    store, identifier = PostgresStore(dsn), uuid4()
    await store.open()

    async def catches() -> None:
        async with store.transaction() as transaction:
            assert await store.record(transaction, CONSUMER, identifier, NOON)
            with suppress(asyncpg.PostgresError):
                await transaction.execute("SELECT 1 / 0")

    with pytest.raises(asyncpg.InFailedSQLTransactionError):
        await catches()
    assert await record(store, identifier)
    await store.close()


async def test_two_replicas_that_start_together_make_one_schema(dsn: str) -> None:
    stores = [PostgresStore(dsn, schema="push") for _ in range(8)]
    await asyncio.gather(*(each.open() for each in stores))
    await asyncio.gather(*(each.close() for each in stores))


async def test_replicas_with_one_postgres_apply_no_event_twice(platform: Platform, dsn: str) -> None:
    """Each event is delivered to both at once: it is published twice, and the two take what there is in turn."""
    pool = await asyncpg.create_pool(dsn)
    await pool.execute("CREATE TABLE effects (id text)")
    replicas, applied = [platform.subscriber(PostgresStore(dsn)), platform.subscriber(PostgresStore(pool))], set[int]()

    def of(number: int) -> Any:
        async def handle(event: Event[CheckedIn], transaction: Any) -> None:
            applied.add(number)
            await transaction.execute("INSERT INTO effects VALUES ($1)", str(event.id))
            await transaction.execute("SELECT pg_sleep(0.01)")  # so that the other meets this transaction open

        return handle

    for number, each in enumerate(replicas):
        each.on(CheckedIn)(of(number))
    events = [checked_in() for _ in range(20)]
    published = 0

    async def publish() -> None:
        nonlocal published
        while published < 100 or applied != {0, 1}:  # one may take longer to connect
            ids = await platform.publish(*events)
            published += len(ids)
            await asyncio.gather(*(platform.publish(*events, ids=ids) for _ in range(3)))

    async with serving(*replicas):
        await within(publish())
        await platform.until_done()
    assert await pool.fetchval("SELECT count(*) FROM effects") == published
    assert await pool.fetchval("SELECT count(DISTINCT id) FROM effects") == published
    await pool.close()


async def test_while_postgres_is_away_nothing_is_lost_and_it_is_said_once(
    platform: Platform, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = Postgres(tmp_path / "pg", port=ports.free()[0], password="secret", log=tmp_path / "pg.log", fsync=False)
    try:
        async with server:
            subscriber, seen = platform.subscriber(PostgresStore(server.dsn()), tries=1), list[Event[CheckedIn]]()

            @subscriber.on(CheckedIn)
            async def handle(event: Event[CheckedIn], transaction: Any) -> None:
                await transaction.fetchval("SELECT 1")
                seen.append(event)

            async with serving(subscriber):
                await platform.publish(checked_in())
                await platform.until_done()
                await server.stop()
                (missed,) = await platform.publish(checked_in())

                def said() -> list[str]:
                    return [each.message for each in caplog.records if "interrupted: Store" in each.message]

                await eventually(said, "it says that the store is away")
                await eventually(lambda: _tried_twice(platform), "the event is delivered again")
                await server.start()
                await eventually(lambda: missed in {each.id for each in seen}, "it goes on by itself")
                await platform.until_done()
                assert len(said()) == len(set(said()))
            assert [each.attempt for each in seen] == [1, 1]
    finally:
        await server.stop()
        server.erase()


async def _tried_twice(platform: Platform) -> bool:
    found = await platform.consumer()
    return (found.delivered.consumer_seq or 0) > 3 if found.delivered else False


@pytest.fixture
async def wire(dsn: str) -> AsyncIterator[Wire]:
    made = Wire(urlsplit(dsn).port or 5432)
    await made.join()
    yield made
    await made.cut()


def through(wire: Wire, dsn: str) -> str:
    return dsn.replace(f":{urlsplit(dsn).port}/", f":{wire.port}/")


async def test_a_postgres_that_stops_answering_is_away(dsn: str, wire: Wire) -> None:
    store = PostgresStore(through(wire, dsn), patience=3)
    await store.open()
    wire.silent = True
    with pytest.raises(StoreAwayError):
        await within(record(store, uuid4()))
    await within(store.close())


async def test_a_postgres_that_stops_answering_holds_up_no_stop(platform: Platform, dsn: str, wire: Wire) -> None:
    (identifier,) = await platform.publish(checked_in())
    subscriber, begun = platform.subscriber(PostgresStore(through(wire, dsn)), stop_seconds=0.1), asyncio.Event()

    @subscriber.on(CheckedIn)
    async def hangs(event: Event[CheckedIn], transaction: Any) -> None:
        wire.silent = True
        begun.set()
        await transaction.execute("SELECT 1")

    running = asyncio.ensure_future(subscriber.serve())
    await within(begun.wait())
    subscriber.stop()
    await within(running)
    other, seen = platform.subscriber(PostgresStore(dsn)), list[object]()
    other.on(CheckedIn)(lambda event, _: seen.append(event.id))
    async with serving(other):
        await platform.until_done()
    assert seen == [identifier]


async def closed_pool(transaction: Any) -> None:
    pool = asyncpg.create_pool("postgresql://127.0.0.1/x", min_size=0)
    await pool.close()
    await pool.fetchval("SELECT 1")


async def two_at_once(transaction: Any) -> None:
    await asyncio.gather(*(transaction.execute("SELECT pg_sleep(0.1)") for _ in range(2)))


async def too_slow(transaction: Any) -> None:
    await transaction.execute("SET LOCAL statement_timeout = 10; SELECT pg_sleep(60)")


async def another_server(transaction: Any) -> None:
    raise asyncpg.ConnectionDoesNotExistError("of another server")


async def no_words(transaction: Any) -> None:
    class Speechless(Exception):
        def __str__(self) -> str:
            raise ValueError("it cannot be said")

    raise Speechless


@pytest.mark.parametrize(
    ("mistake", "kind"),
    [
        (closed_pool, "InterfaceError"),
        (two_at_once, "InterfaceError"),
        (too_slow, "QueryCanceledError"),
        (another_server, "ConnectionDoesNotExistError"),
        (no_words, "Speechless"),
    ],
)
async def test_a_mistake_of_a_handler_is_no_outage_of_postgres(
    platform: Platform, dsn: str, mistake: Callable[[Any], Awaitable[None]], kind: str
) -> None:
    await platform.publish(checked_in())
    store = PostgresStore(dsn)
    subscriber = platform.subscriber(store, tries=1)

    @subscriber.on(CheckedIn)
    async def handle(event: Event[CheckedIn], transaction: Any) -> None:
        await mistake(transaction)

    async with serving(subscriber):
        await platform.until_done()
    await store.open()
    (found,) = await store.dead_letters()
    assert found.error.startswith(kind)
    await store.close()


async def test_a_connection_whose_end_was_only_announced_is_an_outage(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Postgres ends a connection with a notice; of a statement right after it asyncpg says that it cannot be."""

    async def announced(*_: object, **__: object) -> None:
        raise asyncpg.InternalClientError("cannot switch to state 11; another operation (2) is in progress")

    store = PostgresStore(dsn)
    await store.open()
    with monkeypatch.context() as patched:
        patched.setattr(asyncpg.Connection, "fetch", announced)
        with pytest.raises(StoreAwayError, match="Postgres cannot be reached"):
            await store.dead_letters()
    assert list(await store.dead_letters()) == []
    await store.close()
