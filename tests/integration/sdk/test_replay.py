"""A replay lets handlers see events again, from a time on, and can do nothing else."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from datetime import datetime, timedelta

import pytest
from unora.streak.v1.events_pb2 import CheckedIn
from unora_sdk import Event
from unora_sdk.replaying import reset_subject
from unora_testing.deadlines import GENEROUS, eventually, within

from tests.integration.sdk.platform import CONSUMER, NOON, STREAM, Platform, Seen, checked_in, serving

HOUR = timedelta(hours=1)


async def test_a_replay_applies_what_happened_since_and_nothing_older(platform: Platform, seen: Seen) -> None:
    events = [checked_in(number, after=number * HOUR) for number in range(1, 5)]
    await platform.publish(*events)
    subscriber, versions = platform.subscriber(seen.store), list[int]()

    @subscriber.on(CheckedIn)
    def handle(event: Event[CheckedIn], transaction: sqlite3.Connection) -> None:
        versions.append(event.version)

    async with serving(subscriber):
        await platform.until_done()
        assert sorted(versions) == [1, 2, 3, 4]
        versions.clear()
        await subscriber.replay(NOON + 3 * HOUR)
        await eventually(lambda: len(versions) == 2, "the events are applied again")
        await platform.until_done()
        assert sorted(versions) == [3, 4]
        await platform.publish(checked_in(5, after=-HOUR))  # it came late, and was never applied
        await platform.until_done()
        assert sorted(versions) == [3, 4, 5]
        with pytest.raises(ValueError, match="no time zone"):
            await subscriber.replay(datetime(2026, 3, 1))  # noqa: DTZ001 - that is what the test is about


async def test_an_old_event_that_still_waits_for_its_next_try_is_not_passed_over(
    platform: Platform, seen: Seen
) -> None:
    await platform.publish(checked_in(1))
    subscriber, tried, fixed = platform.subscriber(seen.store, delays=(3600.0,)), list[int](), asyncio.Event()

    @subscriber.on(CheckedIn)
    def handle(event: Event[CheckedIn], transaction: sqlite3.Connection) -> None:
        tried.append(event.attempt)
        if not fixed.is_set():
            raise ValueError("broken")

    async with serving(subscriber):
        await eventually(lambda: tried, "it has failed")
        await eventually(lambda: _failed(seen), "the failure is counted")
        fixed.set()
        await subscriber.replay(NOON + HOUR)
        await platform.until_done()
    assert len(tried) == 2


async def _failed(seen: Seen) -> bool:
    with sqlite3.connect(seen.path) as connection:
        return bool(connection.execute("SELECT 1 FROM unora_sdk_failures").fetchall())


async def test_a_replay_begins_with_the_first_event_that_the_stream_still_holds(platform: Platform, seen: Seen) -> None:
    await platform.publish(*(checked_in() for _ in range(3)))
    subscriber = platform.subscriber(seen.store)
    subscriber.on(CheckedIn)(seen)
    async with serving(subscriber):
        await platform.until_done()
        last = seen.events[-1]
        await platform.admin.jetstream(timeout=GENEROUS).purge_stream(STREAM, keep=1)
        with sqlite3.connect(seen.path) as connection:
            connection.execute("DELETE FROM seen")
        await subscriber.replay(NOON)
        await eventually(lambda: len(seen.events) == 4, "the last one is applied again")
        await platform.until_done()
    assert seen.events[-1].id == last.id


async def test_a_replay_counts_no_more_once_the_stream_was_made_anew(platform: Platform, seen: Seen) -> None:
    """Its numbers begin again, so they say nothing of what was behind the consumer."""
    await platform.publish(*(checked_in(number) for number in range(1, 4)))
    subscriber = platform.subscriber(seen.store)
    subscriber.on(CheckedIn)(seen)
    async with serving(subscriber):
        await platform.until_done()
        await subscriber.replay(NOON + HOUR)
        await platform.until_done()
        await platform.make_anew()
        (restored,) = await platform.publish(checked_in(9))
        await eventually(lambda: str(restored) in seen.rows(), "it is applied")


async def test_a_reset_changes_where_the_consumer_stands_and_nothing_else(platform: Platform) -> None:
    before = await platform.consumer()
    client = await platform.connect_subscriber()
    hostile = {"seq": 1, "config": {"filter_subject": ">", "deliver_subject": "x"}, "filter_subject": ">"}
    answer = await client.request(reset_subject(STREAM, CONSUMER), json.dumps(hostile).encode(), timeout=GENEROUS)
    assert "error" not in json.loads(answer.data)
    assert (await platform.consumer()).config == before.config
    await client.close()


@pytest.mark.parametrize(
    "subject",
    [
        reset_subject(STREAM, "other__checked_in"),
        reset_subject("dead_letters", CONSUMER),
        f"$JS.API.CONSUMER.CREATE.{STREAM}.{CONSUMER}",
        f"$JS.API.CONSUMER.DELETE.{STREAM}.{CONSUMER}",
        f"$JS.API.STREAM.PURGE.{STREAM}",
    ],
)
async def test_a_subscriber_may_reset_no_other_consumer(platform: Platform, subject: str) -> None:
    refusals: list[str] = []
    client = await platform.connect_subscriber(refusals)
    await client.publish(subject, b'{"seq": 1}')
    await within(client.flush())
    await eventually(lambda: any("ermissions violation" in each for each in refusals), "the request is refused")
    await client.close()
