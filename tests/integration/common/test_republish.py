"""Events of the outbox are published again, all or some, to all consumers or to one; and marked as such."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from nats.js.errors import NotFoundError
from unora.matching.v1.events_pb2 import ConnectionEnded, ConnectionFormed
from unora_common.app import App
from unora_common.cli import EXIT_INTERRUPTED, _command, _parser, _until
from unora_common.config import Config
from unora_common.database import Tx
from unora_common.handlers import on, on_all
from unora_common.ids import uuid7
from unora_common.publisher import Publisher
from unora_common.runtime import Runtime
from unora_common.service import Service
from unora_common.streams import Durable, ensure_consumers
from unora_sdk.again import again_subject
from unora_sdk.deliveries import Envelope
from unora_sdk.names import durable, subject_of
from unora_testing.arrivals import info_of_new
from unora_testing.deadlines import GENEROUS, within

from tests.integration.common.bare_world import BareWorld, ended, formed, headers_of, stream_messages
from tests.integration.common.test_outbox import emit

pytestmark = pytest.mark.rule("XX-02")

FORMED, ENDED = subject_of(ConnectionFormed), subject_of(ConnectionEnded)
STREAM = "unora_matching"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PUSH = Durable(STREAM, "push__connection_formed", FORMED)
CHART = Durable(STREAM, "chart__connection_formed", FORMED)
ALL = Durable(STREAM, "lake__all_matching", "unora.matching.v1.>")
OUTSIDE = (PUSH, CHART, ALL)


class Typed:
    """A context's own consumer."""

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        pass

    @on(ConnectionFormed)
    async def begin(self, event: ConnectionFormed, tx: Tx) -> None:
        await tx.run("INSERT INTO streak.probe (key) VALUES ($1)", f"{event.connection_id} {event.version}")


class Everything:
    """Takes all events of matching, as the audit log does."""

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        pass

    @on_all("matching")
    async def record(self, events: list[Envelope], tx: Tx) -> None:
        for event in events:
            await tx.run("INSERT INTO safety.probe (key, value) VALUES ($1, $2)", event.event_id, event.subject)


@pytest.fixture
async def outside(bare_world: BareWorld) -> AsyncIterator[Any]:
    """The administrator, who takes what the consumers of three subscribers get."""
    admin = await bare_world.admin()
    await ensure_consumers(admin, OUTSIDE)
    yield admin
    for each in OUTSIDE:
        await admin.jetstream(timeout=GENEROUS).delete_consumer(each.stream, each.name)
    await admin.close()


async def take(admin: Any, consumer: Durable) -> list[Any]:
    """Takes and acknowledges all that waits for a consumer, in order."""
    jetstream = admin.jetstream(timeout=GENEROUS)
    waiting = (await info_of_new(jetstream, consumer.stream, consumer.name)).num_pending
    if not waiting:
        return []
    pull = await jetstream.pull_subscribe_bind(consumer.name, consumer.stream)
    messages: list[Any] = []
    while len(messages) < waiting:
        messages += await pull.fetch(waiting - len(messages), timeout=GENEROUS)
    for message in messages:
        await message.ack_sync(timeout=GENEROUS)
    await pull.unsubscribe()
    return messages


def words(*options: str) -> argparse.Namespace:
    return _parser(Service("matching", Config)).parse_args(["republish", *options])


async def at(app: App[Any, Any], hours: int, *events: Any) -> None:
    """Emits events that occurred so many hours after noon."""
    for event in events:
        event.occurred_at.FromDatetime(NOON + timedelta(hours=hours))
    async with app.database.transaction() as tx:
        tx.emit(*events)


async def publish_all(app: App[Any, Any]) -> None:
    while await app.relay.step():
        pass


async def test_all_events_are_published_again_with_ids_times_bytes_and_the_mark(
    bare_world: BareWorld, outside: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    app = await bare_world.open("matching")
    connection = str(uuid7())
    await emit(app, *(formed(connection, version) for version in range(1, 5)), formed())
    await at(app, 0, ended(connection, 5))
    await publish_all(app)
    first = await stream_messages(bare_world, STREAM)
    marks = await bare_world.superuser.fetch("SELECT id, published_at FROM matching.outbox ORDER BY id")
    before = await bare_world.superuser.fetchval("SELECT clock_timestamp()")
    assert await _command(app, words()) == 0
    assert "6 events of matching published again to all consumers" in capsys.readouterr().out
    again = (await stream_messages(bare_world, STREAM))[len(first) :]
    assert [each.data for each in again if each.headers["ce-subject"] == connection] == [
        each.data for each in first if each.headers["ce-subject"] == connection
    ]
    known = {each.headers["ce-id"]: each for each in first}
    assert len(again) == len(known) == 6
    for each in again:
        was = known[each.headers["ce-id"]]
        began = each.headers.pop("unora-again")
        assert before <= datetime.fromisoformat(began) <= datetime.now(UTC)
        assert each.headers.pop("Nats-Msg-Id") != was.headers.pop("Nats-Msg-Id")
        assert (each.subject, each.data, each.headers) == (was.subject, was.data, was.headers)
    assert await bare_world.superuser.fetch("SELECT id, published_at FROM matching.outbox ORDER BY id") == marks
    assert [len(await take(outside, each)) for each in OUTSIDE] == [10, 10, 12]


async def test_one_consumer_gets_the_range_and_type_asked_for_and_the_others_nothing(
    bare_world: BareWorld, outside: Any
) -> None:
    app = await bare_world.open("matching")
    reader = await bare_world.open("streak", consumers=[Typed])
    auditor = await bare_world.open("safety", consumers=[Everything])
    early, late, too_late, over = formed(), formed(), formed(), ended(str(uuid7()))
    for hours, event in enumerate([early, late, over, too_late]):
        await at(app, hours, event)
    await within(bare_world.drain())
    for each in OUTSIDE:
        await take(outside, each)
    range_ = ("--from", "2026-03-01T13:00:00Z", "--to", "2026-03-01T16:00:00+01:00")
    assert await _command(app, words("--consumer", PUSH.name, *range_)) == 0
    (message,) = await take(outside, PUSH)
    assert message.subject == "unora.matching.again.push__connection_formed.connection_formed"
    assert message.headers["ce-type"] == FORMED
    assert ConnectionFormed.FromString(message.data) == late
    assert message.headers["unora-again"]
    assert [await take(outside, each) for each in (CHART, ALL)] == [[], []]
    assert await _command(app, words("--consumer", ALL.name, *range_)) == 0
    assert [each.headers["ce-type"] for each in await take(outside, ALL)] == [FORMED, ENDED]
    assert await _command(app, words("--consumer", ALL.name, "--type", "ConnectionEnded")) == 0
    assert await take(outside, ALL) == [], "the stream drops a repeat of the same run"
    assert [await take(outside, each) for each in (PUSH, CHART)] == [[], []]
    for own in (*reader.consumers, *auditor.consumers):
        assert own._pull is not None
        assert (await own._pull.info()).num_pending == 0


async def test_an_interrupted_run_that_begins_anew_repeats_nothing_and_says_so(
    bare_world: BareWorld, outside: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unora_common.republish.PAGE", 2)
    app = await bare_world.open("matching")
    for hours in range(5):
        await at(app, hours, formed())
    await publish_all(app)
    await take(outside, PUSH)
    stop = asyncio.Event()
    publish = Publisher.publish
    pages: list[int] = []

    async def stopped(self: Any, rows: Any) -> Any:
        if pages:  # the second page is on its way when the signal comes
            stop.set()
            await asyncio.Event().wait()
        pages.append(len(rows))
        return await publish(self, rows)

    with monkeypatch.context() as patched:
        patched.setattr(Publisher, "publish", stopped)
        assert await within(_until(stop, app, words("--consumer", PUSH.name))) == EXIT_INTERRUPTED
    said = capsys.readouterr().err
    assert "with the same options and --from 2026-03-01T14:00:00Z" in said
    assert "republish was stopped" in said
    assert "2 of 5 events" in said
    assert await _command(app, words("--consumer", PUSH.name, "--from", "2026-03-01T13:00:00Z")) == 0
    said = capsys.readouterr().out
    assert "3 events of matching published again to push__connection_formed" in said
    assert "1 more were published again less than two minutes ago" in said
    assert len(await take(outside, PUSH)) == 5


async def test_what_the_relay_has_not_published_yet_is_left_to_it(bare_world: BareWorld, outside: Any) -> None:
    app = await bare_world.open("matching")
    connection = str(uuid7())
    await emit(app, formed(connection))
    await publish_all(app)
    await take(outside, PUSH)
    await emit(app, formed(connection, 2))
    assert await _command(app, words("--consumer", PUSH.name)) == 0
    assert [ConnectionFormed.FromString(each.data).version for each in await take(outside, PUSH)] == [1]
    await publish_all(app)
    (message,) = await take(outside, PUSH)
    assert ConnectionFormed.FromString(message.data).version == 2
    assert "unora-again" not in message.headers


async def test_a_run_beside_a_working_relay_loses_and_disorders_nothing(
    bare_world: BareWorld, outside: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unora_common.republish.PAGE", 7)
    app, other = await bare_world.open("matching"), await bare_world.open("matching")
    connections = [str(uuid7()) for _ in range(6)]
    for version in range(1, 6):
        await emit(app, *(formed(each, version) for each in connections))
    await publish_all(app)
    await take(outside, PUSH)

    async def go_on() -> None:
        for version in range(6, 11):
            await emit(app, *(formed(each, version) for each in connections))
            await publish_all(app)

    _, status = await asyncio.gather(go_on(), _command(other, words("--consumer", PUSH.name)))
    assert status == 0
    events = [(ConnectionFormed.FromString(each.data), each.headers) for each in await take(outside, PUSH)]
    for each in connections:
        versions = [
            (event.version, "unora-again" in headers) for event, headers in events if event.connection_id == each
        ]
        assert [version for version, again in versions if not again] == [6, 7, 8, 9, 10]
        assert [version for version, again in versions if again][:5] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("options", [(), ("--consumer", "streak__connection_formed")], ids=["all", "one"])
async def test_a_contexts_own_consumers_skip_what_they_have_applied(
    bare_world: BareWorld, options: tuple[str, ...]
) -> None:
    app = await bare_world.open("matching")
    await bare_world.open("streak", consumers=[Typed])
    await bare_world.open("safety", consumers=[Everything])
    await emit(app, *(formed() for _ in range(5)))
    await within(bare_world.drain())
    found = [sorted(await bare_world.keys(schema)) for schema in ("streak", "safety")]
    assert [len(each) for each in found] == [5, 5]
    assert await _command(app, words(*options)) == 0
    await within(bare_world.drain())
    assert [sorted(await bare_world.keys(schema)) for schema in ("streak", "safety")] == found
    assert await stream_messages(bare_world, "dead_letters") == []


async def test_a_contexts_own_consumer_applies_what_its_stream_had_lost(bare_world: BareWorld) -> None:
    app = await bare_world.open("matching")
    await emit(app, *(formed() for _ in range(3)))
    await publish_all(app)
    admin = await bare_world.admin()
    await admin.jetstream(timeout=GENEROUS).purge_stream(STREAM)
    await admin.close()
    await bare_world.open("streak", consumers=[Typed])
    await bare_world.open("safety", consumers=[Everything])
    for name in ("streak__connection_formed", "safety__all_matching"):
        assert await _command(app, words("--consumer", name)) == 0
    await within(bare_world.drain())
    assert [len(await bare_world.keys(schema)) for schema in ("streak", "safety")] == [3, 3]
    subjects = await bare_world.superuser.fetch("SELECT DISTINCT value FROM safety.probe")
    assert [row["value"] for row in subjects] == [FORMED], "the subject that the event had at first"


FORGED = {
    "another consumer's": (again_subject(FORMED, "reveal__connection_formed"), FORMED, None),
    "another event": (again_subject(ENDED, "streak__connection_formed"), ENDED, None),
    "another event by its type": (again_subject(FORMED, "streak__connection_formed"), ENDED, "type"),
    "its own subject as type": (
        again_subject(FORMED, "streak__connection_formed"),
        again_subject(FORMED, "streak__connection_formed"),
        "type",
    ),
}


@pytest.mark.rule("MA-10")
@pytest.mark.parametrize("what", FORGED)
async def test_what_is_published_again_is_judged_as_strictly_as_at_first(bare_world: BareWorld, what: str) -> None:
    subject, kind, reason = FORGED[what]
    await bare_world.open("streak", consumers=[Typed])
    event = formed()
    client = await bare_world.testbed.user("matching", bare_world.worker, [])
    headers = headers_of(event) | {"ce-type": kind}
    await client.jetstream(timeout=GENEROUS).publish(subject, event.SerializeToString(), headers=headers)
    await within(bare_world.drain())
    assert await bare_world.keys() == []
    letters = [each.headers["unora-error"] for each in await stream_messages(bare_world, "dead_letters")]
    assert letters == ([f"not an event: {reason}"] if reason else []), "another consumer's is not even delivered"
    good = headers_of(event)
    await client.jetstream(timeout=GENEROUS).publish(
        again_subject(FORMED, "streak__connection_formed"), event.SerializeToString(), headers=good
    )
    await client.close()
    await within(bare_world.drain())
    assert await bare_world.keys() == [f"{event.connection_id} 1"]


async def test_an_unknown_consumer_is_refused_with_those_that_there_are(
    bare_world: BareWorld, outside: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    app = await bare_world.open("matching")
    for name in ("push__checked_in", "push", "", "*", "push__connection_formed.x"):
        assert await _command(app, words("--consumer", name)) == 2
        said = capsys.readouterr().err
        assert "chart__connection_formed, " in said
        assert "streak__connection_formed" in said
    assert await _command(app, words("--consumer", PUSH.name, "--type", "ConnectionEnded")) == 2
    assert f"{PUSH.name} reads {FORMED} only" in capsys.readouterr().err
    assert await stream_messages(bare_world, STREAM) == []


async def test_a_range_with_no_event_says_so_and_what_the_outbox_holds(
    bare_world: BareWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    app = await bare_world.open("matching")
    assert await _command(app, words()) == 0
    assert "its outbox is empty" in capsys.readouterr().out
    await at(app, 0, formed())
    await at(app, 2, formed())
    await publish_all(app)
    assert await _command(app, words("--from", "2026-03-01T15:00:00Z")) == 0
    captured = capsys.readouterr()
    assert "no event of matching from 2026-03-01T15:00:00Z was published before" in captured.out
    assert "holds 2 events, from 2026-03-01T12:00:00Z to 2026-03-01T14:00:00Z" in captured.out
    assert await _command(app, words("--from", "2020-01-01T00:00:00Z")) == 0
    assert "the outbox of matching holds 14 days" in capsys.readouterr().err


async def test_a_stream_that_is_gone_ends_the_run_with_how_to_go_on(
    bare_world: BareWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    app = await bare_world.open("matching")
    await at(app, 1, formed())
    await publish_all(app)
    admin = await bare_world.admin()
    config = (await admin.jetstream(timeout=GENEROUS).stream_info(STREAM)).config
    await admin.jetstream(timeout=GENEROUS).update_stream(config.evolve(max_msg_size=10))
    try:
        assert await _command(app, words()) == 1
        assert "to go on, run it again with the same options and --from 2026-03-01T13:00:00Z" in capsys.readouterr().err
    finally:
        await admin.jetstream(timeout=GENEROUS).update_stream(config)
        await admin.close()
    assert await _command(app, words()) == 0


async def test_a_durable_that_was_made_before_gets_what_is_published_again(bare_world: BareWorld) -> None:
    """`streams` brings the consumers of an earlier version to the two subjects, and nothing is delivered twice."""
    admin = await bare_world.admin()
    manager = admin.jetstream(timeout=GENEROUS)
    old = Durable(STREAM, "old__connection_formed", FORMED)
    try:
        await ensure_consumers(admin, [old])
        now = (await manager.consumer_info(STREAM, old.name)).config
        await manager.add_consumer(STREAM, now.evolve(filter_subject=FORMED, filter_subjects=None))
        app = await bare_world.open("matching")
        await emit(app, formed(), formed())
        await publish_all(app)
        assert len(await take(admin, old)) == 2
        await ensure_consumers(admin, [old])
        assert await take(admin, old) == []
        assert await _command(app, words("--consumer", old.name)) == 0
        assert len(await take(admin, old)) == 2
    finally:
        await manager.delete_consumer(STREAM, old.name)
        with pytest.raises(NotFoundError):
            await manager.consumer_info(STREAM, old.name)
        await admin.close()


def test_names_of_durables_are_one_word_of_a_subject() -> None:
    assert durable("push-2", FORMED) == "push-2__connection_formed"
    assert again_subject("unora.matching.v1.>", "safety__all_matching") == "unora.matching.again.safety__all_matching.*"
