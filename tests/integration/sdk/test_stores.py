"""Both stores keep the same promises; with Postgres, replicas share one."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from inspect import isawaitable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from unora.streak.v1.events_pb2 import CheckedIn
from unora_local import ports
from unora_local.postgres import Postgres
from unora_sdk import DeadLetter, Event, PostgresStore, SqliteStore
from unora_sdk.sqlite_store import PATIENCE
from unora_sdk.stores import LetterName, Replay, StoreAwayError
from unora_testing.deadlines import eventually, within
from unora_testing.testbed import Testbed

from tests.integration.common.proxy import Wire
from tests.integration.sdk.platform import CONSUMER, NOON, Platform, checked_in, serving

HOUR = timedelta(hours=1)


@pytest.fixture
async def dsn(testbed: Testbed) -> AsyncIterator[str]:
    """An empty database."""
    name = f"sdk_{uuid4().hex}"
    connection = await asyncpg.connect(f"{testbed.postgres}/postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    yield f"{testbed.postgres}/{name}"
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, dsn: str, tmp_path: Path) -> AsyncIterator[Any]:
    if request.param == "sqlite":
        made: Any = SqliteStore(tmp_path / "events.db")
    else:
        made = PostgresStore(dsn, schema="push")
    await made.open()
    yield made
    await made.close()


async def record(store: Any, identifier: Any, time: datetime = NOON) -> bool:
    async with store.transaction() as transaction:
        found: bool = await store.record(transaction, CONSUMER, identifier, time)
        return found


def letter(key: str, payload: bytes = b"\x00\xff") -> DeadLetter:
    headers, now = {"ce-id": "\x00ü"}, datetime.now(UTC)
    return DeadLetter(CONSUMER, key, "unora.streak.v1.x\x00", headers, payload, "broken\x00", now)


async def test_an_event_is_recorded_once_until_it_is_forgotten(store: Any) -> None:
    identifier = uuid4()
    assert [await record(store, identifier), await record(store, identifier)] == [True, False]
    await store.forget(datetime.now(UTC) - HOUR)
    assert not await record(store, identifier)
    await store.forget(datetime.now(UTC) + HOUR)
    assert await record(store, identifier)


async def test_a_transaction_that_fails_leaves_no_record(store: Any) -> None:
    identifier = uuid4()

    async def fails() -> None:
        async with store.transaction() as transaction:
            assert await store.record(transaction, CONSUMER, identifier, NOON)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await fails()
    assert await record(store, identifier)


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


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
async def test_a_transaction_that_the_handler_ends_is_an_error(store: Any, end: str) -> None:
    async def ends() -> None:
        async with store.transaction() as transaction:
            if isawaitable(done := transaction.execute(end)):
                await done

    with pytest.raises(RuntimeError, match="leave COMMIT and ROLLBACK to the store"):
        await ends()
    assert await record(store, uuid4())


async def test_of_two_transactions_at_once_one_records_the_event(store: Any) -> None:
    identifier = uuid4()
    assert sorted(await asyncio.gather(*(record(store, identifier) for _ in range(8)))) == [False] * 7 + [True]


async def test_failures_are_counted_until_the_event_is_applied_or_a_dead_letter(store: Any) -> None:
    identifier = uuid4()
    assert [await store.count_failure(CONSUMER, identifier, "x") for _ in range(2)] == [1, 2]
    assert await store.failures(CONSUMER, identifier) == 2
    await store.put_dead_letter(letter(str(identifier)))
    assert await store.failures(CONSUMER, identifier) == 0
    await store.count_failure(CONSUMER, identifier, "x")
    assert await record(store, identifier)
    assert await store.failures(CONSUMER, identifier) == 0
    assert await store.dead_letters() == []


async def test_a_dead_letter_keeps_whatever_bytes_came(store: Any) -> None:
    await store.put_dead_letter(letter("message 1"))
    (found,) = await store.dead_letters()
    assert (found.payload, found.headers) == (b"\x00\xff", {"ce-id": "\x00ü"})
    assert (found.subject, found.error) == ("unora.streak.v1.x\\x00", "broken\\x00")


async def test_a_dead_letter_is_marked_for_a_moment_and_dropped(store: Any) -> None:
    name, missing = LetterName(CONSUMER, "message 1"), LetterName(CONSUMER, "message 2")
    await store.put_dead_letter(letter("message 1"))
    assert await store.due([CONSUMER]) == []
    assert await store.retry([name], datetime.now(UTC) + HOUR) == 1
    assert await store.due([CONSUMER]) == []
    assert await store.retry([name, missing]) == 1
    assert [each.key for each in await store.due([CONSUMER])] == ["message 1"]
    assert await store.due(["another"]) == []
    assert [await store.drop([name]), await store.drop([name])] == [1, 0]


async def test_a_dead_letter_of_another_consumer_with_the_same_number_stays(store: Any) -> None:
    mine = letter("message 1")
    other = replace(mine, consumer="push__day_began")
    await store.put_dead_letter(mine)
    await store.put_dead_letter(other)
    assert await store.retry([mine.name]) == 1
    assert await store.due([CONSUMER, other.consumer]) == await store.due([CONSUMER])
    assert await store.drop([mine.name]) == 1
    assert [each.name for each in await store.dead_letters()] == [other.name]


async def test_another_message_with_the_same_number_takes_the_place_of_a_dead_letter(store: Any) -> None:
    """The stream was made anew."""
    later = replace(letter("message 1", payload=b"later"), subject="unora.streak.v1.y", headers={"ce-id": "y"})
    await store.put_dead_letter(letter("message 1"))
    await store.put_dead_letter(later)
    (found,) = await store.dead_letters()
    assert (found.payload, found.subject, found.headers) == (later.payload, later.subject, later.headers)


async def test_a_replay_forgets_what_happened_since_and_goes_on_inside_a_later_one(store: Any) -> None:
    old, new = uuid4(), uuid4()
    await record(store, old, NOON)
    await record(store, new, NOON + 2 * HOUR)
    now = datetime.now(UTC)
    first, last = Replay(NOON + HOUR, 10, now), Replay(NOON + 2 * HOUR, 12, now + HOUR)
    await store.begin_replay(CONSUMER, first)
    assert [await record(store, old, NOON), await record(store, new, NOON + 2 * HOUR)] == [False, True]
    await store.begin_replay(CONSUMER, Replay(NOON + 2 * HOUR, 3, now + HOUR))
    assert await store.replay_of(CONSUMER) == first
    await store.begin_replay(CONSUMER, last)
    assert await store.replay_of(CONSUMER) == last
    assert await store.replay_of("another") is None


async def test_a_replay_forgets_nothing_that_the_stream_holds_no_more(store: Any) -> None:
    """Published again later, such an event would be applied a second time."""
    identifier, a_week_later = uuid4(), datetime.now(UTC) + timedelta(days=7, hours=1)
    await record(store, identifier, NOON)
    await store.begin_replay(CONSUMER, Replay(NOON, 10, a_week_later))
    assert not await record(store, identifier, NOON)


async def test_reading_a_file_waits_for_no_transaction(tmp_path: Path) -> None:
    """A handler may take long, and dead letters are looked at just then."""
    one, other = SqliteStore(tmp_path / "events.db"), SqliteStore(tmp_path / "events.db")
    await one.open()
    await one.put_dead_letter(letter("message 1"))
    async with one.transaction() as transaction:
        await one.record(transaction, CONSUMER, uuid4(), NOON)
        for store in (one, other):
            async with asyncio.timeout(PATIENCE / 2):
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
    events = [checked_in() for _ in range(60)]
    async with serving(*replicas):
        for _ in range(5):
            ids = await platform.publish(*events[:20])
            await asyncio.gather(*(platform.publish(*events[:20], ids=ids) for _ in range(3)))
        await platform.until_done()
    assert await pool.fetchval("SELECT count(*) FROM effects") == 100
    assert await pool.fetchval("SELECT count(DISTINCT id) FROM effects") == 100
    assert applied == {0, 1}
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


async def test_a_store_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    with pytest.raises(StoreAwayError, match=r"events\.db cannot be used"):
        await SqliteStore(tmp_path / "no folder" / "events.db").open()
    with pytest.raises(StoreAwayError, match="Postgres cannot be reached"):
        await PostgresStore(f"postgresql://x@127.0.0.1:{ports.free()[0]}/x").open()
    with pytest.raises(ValueError, match="is no name for a schema"):
        PostgresStore("", schema="Drop; --")
