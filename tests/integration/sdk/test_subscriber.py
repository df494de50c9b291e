"""A subscriber on a real server of NATS: each event is applied once, tried again, kept, or given back."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from unora.streak.v1.events_pb2 import CheckedIn, DayBegan
from unora_common.ids import uuid7
from unora_sdk import ConfigError, DeadLetter, Event, RetryLater
from unora_sdk.stores import LetterName
from unora_testing.deadlines import eventually, within

from tests.integration.sdk.platform import (
    CONSUMER,
    NOON,
    STREAM,
    SUBJECT,
    Platform,
    Seen,
    checked_in,
    headers_of,
    serving,
)

HEADERS = {"unora-again": "2026-03-02T09:00:00Z"}


async def test_a_handler_gets_what_the_event_says_of_itself(platform: Platform, seen: Seen) -> None:
    event = checked_in(7, after=timedelta(hours=1))
    subscriber = platform.subscriber(seen.store)
    subscriber.on(CheckedIn)(seen)
    async with serving(subscriber):
        (first,) = await platform.publish(event)
        (second,) = await platform.publish(checked_in(), headers=HEADERS)
        await platform.until_done()
    told, again = sorted(seen.events, key=lambda each: each.published_again is not None)
    assert (told.id, told.type, str(told.subject), told.version) == (first, SUBJECT, event.streak_id, 7)
    assert (told.time, told.message, told.attempt) == (NOON + timedelta(hours=1), event, 1)
    assert told.trace_parent == headers_of(event, first)["traceparent"]
    assert told.published_again is None
    assert (again.id, again.published_again) == (second, datetime(2026, 3, 2, 9, tzinfo=UTC))


async def test_an_event_that_comes_twice_is_applied_once(platform: Platform, seen: Seen) -> None:
    subscriber = platform.subscriber(seen.store)
    subscriber.on(CheckedIn)(seen)
    event = checked_in()
    async with serving(subscriber):
        (identifier,) = await platform.publish(event)
        await platform.publish(event, ids=[identifier])
        await platform.until_done()
    assert [each.id for each in seen.events] == [identifier]


async def test_what_a_failed_handler_wrote_is_rolled_back_and_others_go_on(platform: Platform, seen: Seen) -> None:
    bad, good = await platform.publish(checked_in(), checked_in())
    subscriber, attempts = platform.subscriber(seen.store, tries=3), list[int]()

    @subscriber.on(CheckedIn)
    async def handle(event: Event[CheckedIn], transaction: sqlite3.Connection) -> None:
        await seen(event, transaction)
        if event.id == bad:
            attempts.append(event.attempt)
            raise ValueError("not this one")

    async with serving(subscriber):
        await platform.until_done()
    assert attempts == [1, 2, 3]
    assert seen.rows() == {str(good)}
    await seen.store.open()
    (letter,) = await seen.store.dead_letters()
    assert (letter.key, letter.error, letter.subject) == (str(bad), "ValueError: not this one", SUBJECT)
    await seen.store.close()


async def test_an_event_that_waits_does_not_fail(platform: Platform, seen: Seen) -> None:
    await platform.publish(checked_in())
    subscriber, tried = platform.subscriber(seen.store, tries=1), list[int]()

    @subscriber.on(CheckedIn)
    async def handle(event: Event[CheckedIn], transaction: sqlite3.Connection) -> None:
        tried.append(event.attempt)
        if len(tried) < 4:
            raise RetryLater("not yet", delay=0.01)

    async with serving(subscriber):
        await platform.until_done()
    assert tried == [1, 1, 1, 1]
    await seen.store.open()
    assert await seen.store.dead_letters() == []
    await seen.store.close()


async def test_what_is_no_event_is_a_dead_letter_at_once(platform: Platform, seen: Seen) -> None:
    await platform.publish(checked_in(), headers={"ce-source": "/unora/billing"})
    (good,) = await platform.publish(checked_in())
    subscriber = platform.subscriber(seen.store)
    subscriber.on(CheckedIn)(seen)
    async with serving(subscriber):
        await platform.until_done()
    assert seen.rows() == {str(good)}
    await seen.store.open()
    (letter,) = await seen.store.dead_letters()
    assert letter.error == "not an event: source"
    assert letter.key.startswith("message ")
    await seen.store.close()


async def test_a_dead_letter_that_is_marked_is_tried_once_more(platform: Platform, seen: Seen) -> None:
    (identifier,) = await platform.publish(checked_in())
    subscriber, fixed = platform.subscriber(seen.store, tries=1), asyncio.Event()

    @subscriber.on(CheckedIn)
    async def handle(event: Event[CheckedIn], transaction: sqlite3.Connection) -> None:
        if not fixed.is_set():
            raise ValueError("broken")
        await seen(event, transaction)

    async with serving(subscriber):
        await platform.until_done()
        assert await seen.store.retry([LetterName(CONSUMER, str(identifier))]) == 1
        await eventually(lambda: _not_due(seen), "it has failed again")
        fixed.set()
        assert await seen.store.retry([LetterName(CONSUMER, str(identifier)), LetterName(CONSUMER, "unknown")]) == 1
        await eventually(lambda: seen.rows() == {str(identifier)}, "it is applied")
        assert await seen.store.dead_letters() == []


async def _not_due(seen: Seen) -> bool:
    return not await seen.store.due([CONSUMER])


async def test_a_dead_letter_under_another_key_than_its_event_is_gone_once_it_is_applied(
    platform: Platform, seen: Seen
) -> None:
    """What no version before could read is known by its number in the stream."""
    event, identifier = checked_in(), uuid7()
    name = LetterName(CONSUMER, "message 1")
    subscriber = platform.subscriber(seen.store)
    subscriber.on(CheckedIn)(seen)
    async with serving(subscriber):
        await platform.publish(checked_in())
        await platform.until_done()
        payload, headers = event.SerializeToString(), headers_of(event, identifier)
        await seen.store.put_dead_letter(DeadLetter(*name, SUBJECT, headers, payload, "not an event", NOON))
        await seen.store.retry([name])
        await eventually(lambda: _no_letter(seen), "it is gone")
    assert str(identifier) in seen.rows()


async def _no_letter(seen: Seen) -> bool:
    return not await seen.store.dead_letters()


async def test_a_dead_letter_that_is_put_off_waits_as_long_as_it_was_told_to(platform: Platform, seen: Seen) -> None:
    first, second = await platform.publish(checked_in(1), checked_in(2))
    subscriber, tried = platform.subscriber(seen.store, tries=1), list[object]()

    @subscriber.on(CheckedIn)
    async def handle(event: Event[CheckedIn], transaction: sqlite3.Connection) -> None:
        tried.append(event.id)
        if len(tried) <= 2:
            raise ValueError("broken")
        if event.id == first:
            raise RetryLater("not yet", delay=3600)

    async with serving(subscriber):
        await platform.until_done()
        await seen.store.retry([LetterName(CONSUMER, str(first))])
        await eventually(lambda: len(tried) == 3, "it is put off")
        await eventually(lambda: _not_due(seen), "it is not due")
        await seen.store.retry([LetterName(CONSUMER, str(second))])  # a later look, which tries what is due
        await eventually(lambda: len(tried) >= 4, "the other one is tried")
    assert tried[2:] == [first, second]
    await seen.store.open()
    (letter,) = await seen.store.dead_letters()
    assert letter.key == str(first)
    await seen.store.close()


async def test_events_of_one_aggregate_keep_their_order_while_others_go_on(platform: Platform, seen: Seen) -> None:
    one, other = checked_in(1), checked_in(1)
    first, second = checked_in(1), checked_in(2)
    second.streak_id = first.streak_id
    await platform.publish(first, second, other, one)
    subscriber, order = platform.subscriber(seen.store), list[tuple[str, int]]()

    @subscriber.on(CheckedIn)
    async def handle(event: Event[CheckedIn], transaction: sqlite3.Connection) -> None:
        order.append((str(event.subject), event.version))

    async with serving(subscriber):
        await platform.until_done()
    mine = [version for subject, version in order if subject == first.streak_id]
    assert mine == [1, 2]
    assert len(order) == 4


async def test_a_stop_lets_the_event_in_work_end_and_gives_back_the_others_at_once(
    platform: Platform, seen: Seen
) -> None:
    ids = await platform.publish(*(checked_in() for _ in range(5)))
    subscriber = platform.subscriber(seen.store, concurrency=1)
    begun, release = asyncio.Event(), asyncio.Event()

    @subscriber.on(CheckedIn)
    async def handle(event: Event[CheckedIn], transaction: sqlite3.Connection) -> None:
        begun.set()
        await release.wait()
        await seen(event, transaction)

    running = asyncio.ensure_future(subscriber.serve())
    await within(begun.wait())
    subscriber.stop()
    release.set()
    await within(running)
    (done,) = seen.rows()

    async def four_are_left() -> bool:  # NATS has an acknowledgement a moment before it counts it
        after = await platform.consumer()
        return (after.num_ack_pending or 0) + (after.num_pending or 0) == 4

    await eventually(four_are_left, "four events are left for others")

    others = platform.subscriber(seen.store)
    others.on(CheckedIn)(seen)
    async with serving(others):
        await platform.until_done()
    assert seen.rows() == {str(each) for each in ids}
    assert done in seen.rows()


async def test_an_event_whose_handler_does_not_end_is_given_back_when_the_stop_is_over(
    platform: Platform, seen: Seen
) -> None:
    (identifier,) = await platform.publish(checked_in())
    subscriber, begun = platform.subscriber(seen.store, stop_seconds=0.1), asyncio.Event()

    @subscriber.on(CheckedIn)
    async def hangs(event: Event[CheckedIn], transaction: sqlite3.Connection) -> None:
        await seen(event, transaction)
        begun.set()
        await asyncio.Event().wait()

    running = asyncio.ensure_future(subscriber.serve())
    await within(begun.wait())
    subscriber.stop()
    await within(running)
    assert seen.rows() == set()
    other = platform.subscriber(seen.store)
    other.on(CheckedIn)(seen)
    async with serving(other):
        await platform.until_done()
    assert seen.rows() == {str(identifier)}


async def test_a_handler_that_takes_too_long_has_failed(platform: Platform, seen: Seen) -> None:
    await platform.publish(checked_in())
    subscriber = platform.subscriber(seen.store, tries=1, handler_seconds=0.05)

    @subscriber.on(CheckedIn)
    async def hangs(event: Event[CheckedIn], transaction: sqlite3.Connection) -> None:
        await asyncio.Event().wait()

    async with serving(subscriber):
        await platform.until_done()
    await seen.store.open()
    (letter,) = await seen.store.dead_letters()
    assert letter.error.startswith("HandlerTimeoutError")
    await seen.store.close()


async def test_a_handler_that_awaits_what_was_cancelled_has_failed_and_others_go_on(
    platform: Platform, seen: Seen
) -> None:
    """A call of gRPC that was cancelled raises the same."""
    bad, good = await platform.publish(checked_in(), checked_in())
    subscriber = platform.subscriber(seen.store, tries=1)

    @subscriber.on(CheckedIn)
    async def handle(event: Event[CheckedIn], transaction: sqlite3.Connection) -> None:
        if event.id == bad:
            other = asyncio.ensure_future(asyncio.Event().wait())
            other.cancel()
            await other
        await seen(event, transaction)

    async with serving(subscriber):
        await platform.until_done()
    assert seen.rows() == {str(good)}
    await seen.store.open()
    (letter,) = await seen.store.dead_letters()
    assert letter.error.startswith("HandlerCancelledError")
    await seen.store.close()


async def test_a_subscriber_whose_consumer_ends_ends_too(platform: Platform, seen: Seen) -> None:
    await platform.publish(checked_in())
    subscriber = platform.subscriber(seen.store)

    class Fatal(BaseException):
        pass

    @subscriber.on(CheckedIn)
    async def handle(event: Event[CheckedIn], transaction: sqlite3.Connection) -> None:
        raise Fatal

    with pytest.raises(RuntimeError, match="start it again") as ended:
        await within(subscriber.serve())
    assert isinstance(ended.value.__cause__, Fatal)


async def test_a_handler_that_ends_the_transaction_itself_has_failed(platform: Platform, seen: Seen) -> None:
    await platform.publish(checked_in())
    subscriber = platform.subscriber(seen.store, tries=1)

    @subscriber.on(CheckedIn)
    def commits(event: Event[CheckedIn], transaction: sqlite3.Connection) -> None:
        transaction.commit()

    async with serving(subscriber):
        await platform.until_done()
    await seen.store.open()
    (letter,) = await seen.store.dead_letters()
    assert "ended by the handler" in letter.error
    await seen.store.close()


async def test_a_handler_without_a_consumer_is_refused_with_what_to_do(platform: Platform, seen: Seen) -> None:
    subscriber = platform.subscriber(seen.store)
    with pytest.raises(ConfigError, match=r"no consumer for DayBegan.*subscribers/NAME.env"):
        subscriber.on(DayBegan)
    with pytest.raises(ConfigError, match="no handler"):
        await subscriber.serve()
    assert platform.settings().consumers[0].stream == STREAM
