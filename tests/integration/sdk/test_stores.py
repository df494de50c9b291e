"""Both stores keep the same promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from inspect import isawaitable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from unora_local import ports
from unora_sdk import PostgresStore, SqliteStore
from unora_sdk.stores import LetterName, Replay, StoreAwayError

from tests.integration.sdk.platform import CONSUMER, NOON
from tests.integration.sdk.stores import letter, record

HOUR = timedelta(hours=1)


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, dsn: str, tmp_path: Path) -> AsyncIterator[Any]:
    if request.param == "sqlite":
        made: Any = SqliteStore(tmp_path / "events.db")
    else:
        made = PostgresStore(dsn, schema="push")
    await made.open()
    yield made
    await made.close()


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


async def test_a_store_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    with pytest.raises(StoreAwayError, match=r"events\.db cannot be used"):
        await SqliteStore(tmp_path / "no folder" / "events.db").open()
    with pytest.raises(StoreAwayError, match="Postgres cannot be reached"):
        await PostgresStore(f"postgresql://x@127.0.0.1:{ports.free()[0]}/x").open()
    with pytest.raises(ValueError, match="is no name for a schema"):
        PostgresStore("", schema="Drop; --")


async def test_a_text_that_no_database_takes_is_kept_in_another_spelling(store: Any) -> None:
    """Half a surrogate, such as one in the name of a file, and NUL."""
    assert await store.count_failure(CONSUMER, uuid4(), "\udcff\x00") == 1
    await store.put_dead_letter(replace(letter("1"), error="\udcff\x00"))
    (found,) = await store.dead_letters()
    assert found.error == "\\udcff\\x00"
