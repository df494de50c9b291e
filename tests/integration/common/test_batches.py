"""Consumers that take many events at once: each is applied exactly once here too, and holds up no other (XX-02)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from nats.aio.msg import Msg
from unora.matching.v1.events_pb2 import ConnectionFormed
from unora.streak.v1.streak_service_pb2 import GetStreakRequest
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_common.consumers import MAX_OUTAGES
from unora_common.database import Tx
from unora_common.errors import RetryLater, Unavailable
from unora_common.handlers import on, on_batch
from unora_common.ids import uuid7
from unora_common.replay import Replay
from unora_common.runtime import Runtime
from unora_sdk.deliveries import Delivery
from unora_sdk.names import subject_of
from unora_sdk.nats_client import publication
from unora_sdk.pull import Pull
from unora_testing.deadlines import within

from tests.integration.common.bare_world import BareWorld, Probe, formed, headers_of, stream_messages

pytestmark = pytest.mark.rule("XX-02")

INSERT = "INSERT INTO streak.probe (key) SELECT unnest($1::text[])"
BACKLOG = 20_000


class Batches:
    """Writes a row for each event, with one statement; fails on the versions that a test calls bad."""

    bad: ClassVar[dict[int, Exception]] = {}
    given: ClassVar[list[list[str]]] = []
    asked: ClassVar[list[int]] = []

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        Batches.bad, Batches.given, Batches.asked = {}, [], []

    async def ask(self, events: Sequence[ConnectionFormed]) -> dict[str, str]:
        Batches.asked.append(len(events))
        return {event.connection_id: key(event) for event in events}

    @on_batch(ConnectionFormed, prepare=ask)
    async def record(self, events: Sequence[ConnectionFormed], tx: Tx, names: dict[str, str]) -> None:
        Batches.given.append([key(event) for event in events])
        await tx.run(INSERT, [f"{event.connection_id} {event.version}" for event in events])
        assert all(event.connection_id in names for event in events)
        for event in events:
            if event.version in Batches.bad:
                raise Batches.bad[event.version]


def key(event: ConnectionFormed) -> str:
    return f"{event.connection_id} {event.version}"


async def deliver(bare_world: BareWorld, events: Sequence[ConnectionFormed], ids: Sequence[str] = ()) -> list[str]:
    """Publishes events as a relay does, but without the id by which the stream recognises a repeat. Returns their ids
    when the consumers know of them.
    """
    ids = ids or [str(uuid7()) for _ in events]
    admin = await bare_world.admin()
    async with bare_world.counted("matching", len(events)):
        for start in range(0, len(events), 1000):
            some = zip(events[start : start + 1000], ids[start : start + 1000], strict=True)
            await admin.send([_written(event, identifier) for event, identifier in some])
            await admin.flush()
    await admin.close()
    return list(ids)


def _written(event: ConnectionFormed, identifier: str) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers_of(event, identifier).items())
    headers = f"NATS/1.0\r\n{lines}\r\n".encode()
    return publication(subject_of(event), event.SerializeToString(), reply="nobody", headers=headers)


async def failures(bare_world: BareWorld) -> list[tuple[str, int]]:
    rows = await bare_world.superuser.fetch("SELECT event_id::text, failures FROM streak.inbox_failures")
    return [(row["event_id"], row["failures"]) for row in rows]


async def test_many_events_are_applied_in_one_transaction_and_asked_about_at_once(bare_world: BareWorld) -> None:
    app = await bare_world.open(consumers=[Batches])
    events = [formed() for _ in range(20)]
    await deliver(bare_world, events)
    assert await app.consumers[0].step() == 20
    assert Batches.given == [[key(event) for event in events]]
    assert Batches.asked == [20]
    assert await bare_world.keys() == [key(event) for event in events]
    assert await bare_world.superuser.fetchval("SELECT count(*) FROM streak.inbox") == 20


async def test_a_step_takes_what_is_there_although_a_busy_server_gives_it_in_parts(
    bare_world: BareWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, parts = Pull.take, [1, 0, 7]

    async def in_parts(pull: Pull, count: int, wait: float) -> list[Msg]:
        most = min(parts.pop(0), count) if parts else count
        return await take(pull, most, wait) if most else []

    monkeypatch.setattr(Pull, "take", in_parts)
    app = await bare_world.open(consumers=[Batches])
    await deliver(bare_world, [formed() for _ in range(20)])
    assert await app.consumers[0].step() == 20
    assert len(await bare_world.keys()) == 20


async def test_events_of_one_aggregate_in_a_batch_keep_their_order(bare_world: BareWorld) -> None:
    app = await bare_world.open(consumers=[Batches])
    connection = str(uuid7())
    events = [formed(connection, version) for version in range(1, 6)]
    await deliver(bare_world, events)
    await app.consumers[0].step()
    assert Batches.given == [[key(event) for event in events]]


@pytest.mark.parametrize("place", [0, 6, 12])
async def test_an_event_that_fails_holds_up_no_other_of_its_batch(bare_world: BareWorld, place: int) -> None:
    app = await bare_world.open(consumers=[Batches])
    Batches.bad = {2: ValueError()}
    events = [formed() for _ in range(12)]
    poison = formed(version=2)
    ids = await deliver(bare_world, [*events[:place], poison, *events[place:]])
    await app.consumers[0].step()
    assert sorted(await bare_world.keys()) == sorted(map(key, events))
    assert await failures(bare_world) == [(ids[place], 1)]
    await bare_world.drain()
    assert await failures(bare_world) == [(ids[place], 5)]
    assert len(await stream_messages(bare_world, "dead_letters")) == 1
    Batches.bad = {}
    assert await Replay(app.runtime, app.messaging).run(app.consumers) == 1
    assert sorted(await bare_world.keys()) == sorted(map(key, [*events, poison]))


async def test_an_event_that_waits_for_an_earlier_one_holds_up_no_other_of_its_batch(bare_world: BareWorld) -> None:
    app = await bare_world.open(consumers=[Batches])
    Batches.bad = {2: RetryLater("not yet")}
    events = [formed() for _ in range(40)]
    waiting = [formed(version=2) for _ in range(40)]
    await deliver(bare_world, [each for pair in zip(waiting, events, strict=True) for each in pair])
    await app.consumers[0].step()
    assert sorted(await bare_world.keys()) == sorted(map(key, events))
    assert await failures(bare_world) == []
    Batches.bad = {}
    await bare_world.drain()
    assert sorted(await bare_world.keys()) == sorted(map(key, [*events, *waiting]))


async def test_while_another_service_is_away_a_batch_is_not_tried_event_by_event(bare_world: BareWorld) -> None:
    app = await bare_world.open(consumers=[Batches])
    Batches.bad = {1: Unavailable()}
    events = [formed() for _ in range(200)]
    await deliver(bare_world, events)
    assert await app.consumers[0].step() == 200
    assert len(Batches.given) <= MAX_OUTAGES + 20
    assert await failures(bare_world) == []
    Batches.bad = {}
    await bare_world.drain()
    assert sorted(await bare_world.keys()) == sorted(map(key, events))


async def test_a_half_of_a_batch_that_is_delivered_again_has_no_second_effect(bare_world: BareWorld) -> None:
    app = await bare_world.open(consumers=[Batches])
    old, new = [formed() for _ in range(5)], [formed() for _ in range(5)]
    ids = await deliver(bare_world, old)
    await app.consumers[0].step()
    repeated = [*old, *new, new[0]]
    new_ids = [str(uuid7()) for _ in new]
    await deliver(bare_world, repeated, [*ids, *new_ids, new_ids[0]])
    assert await app.consumers[0].step() == 11
    assert Batches.given[-1] == [key(event) for event in new]
    assert sorted(await bare_world.keys()) == sorted(map(key, [*old, *new]))


class KilledError(BaseException):
    """The end of the process."""


async def test_a_kill_between_the_commit_and_the_acknowledgement_has_no_second_effect(bare_world: BareWorld) -> None:
    app, other = await bare_world.open(consumers=[Batches]), await bare_world.open(consumers=[Batches])
    consumer = app.consumers[0]
    transact = consumer.transact

    async def killed(events: list[Delivery]) -> None:
        await transact(events)
        raise KilledError

    consumer.transact = killed  # type: ignore[method-assign]
    events = [formed() for _ in range(10)]
    ids = await deliver(bare_world, events)
    with pytest.raises(KilledError):
        await consumer.step()
    assert (await consumer._pull.info()).num_ack_pending == 10  # type: ignore[union-attr]
    await deliver(bare_world, events, ids)  # as the server does after a while
    assert await other.consumers[0].step() == 10
    assert sorted(await bare_world.keys()) == sorted(map(key, events))


async def test_a_kill_before_the_commit_leaves_nothing(bare_world: BareWorld) -> None:
    app, other = await bare_world.open(consumers=[Batches]), await bare_world.open(consumers=[Batches])
    Batches.bad = {2: KilledError()}  # type: ignore[dict-item]
    events = [formed(), formed(version=2), formed()]
    ids = await deliver(bare_world, events)
    with pytest.raises(KilledError):
        await app.consumers[0].step()
    assert await bare_world.keys() == []
    assert await bare_world.superuser.fetchval("SELECT count(*) FROM streak.inbox") == 0
    Batches.bad = {}
    await deliver(bare_world, events, ids)
    await other.consumers[0].step()
    assert await bare_world.keys() == [key(event) for event in events]


class OneByOne:
    """Version 1 of an aggregate waits until version 1 of another was applied."""

    seen: ClassVar[list[str]] = []
    first: ClassVar[asyncio.Event]

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        OneByOne.seen, OneByOne.first = [], asyncio.Event()

    @on(ConnectionFormed)
    async def record(self, event: ConnectionFormed, tx: Tx) -> None:
        if event.user_a_id == "waits":
            await OneByOne.first.wait()
        else:
            OneByOne.first.set()
        OneByOne.seen.append(key(event))


async def test_events_of_other_aggregates_are_applied_while_one_waits_and_each_aggregate_keeps_its_order(
    bare_world: BareWorld,
) -> None:
    app = await bare_world.open(consumers=[OneByOne])
    waits, free = str(uuid7()), str(uuid7())
    events = [formed(waits, 1, "waits"), formed(waits, 2, "waits"), formed(free, 1), formed(free, 2)]
    await deliver(bare_world, events)
    assert await within(app.consumers[0].step()) == 4
    for connection in (waits, free):
        mine = [seen for seen in OneByOne.seen if seen.startswith(connection)]
        assert mine == [f"{connection} 1", f"{connection} 2"]


@pytest.mark.rule("XX-06")
async def test_calls_are_answered_while_a_backlog_drains(bare_world: BareWorld) -> None:
    app = await bare_world.open(servicers=[Probe], consumers=[Batches], changes={"database_connections": 2})
    await deliver(bare_world, [formed() for _ in range(BACKLOG)])
    stub = bare_world.stub(StreakServiceStub, "streak")
    user = bare_world.caller()

    async def drain() -> None:
        while await app.consumers[0].step() or app.consumers[0].waiting:
            pass

    draining, answered = asyncio.ensure_future(drain()), 0
    while not draining.done():
        request = GetStreakRequest(streak_id=str(uuid7()))
        await within(stub.GetStreak(request, metadata=user.metadata))
        answered += 1
    await draining
    assert answered > 1
    assert len(await bare_world.keys()) == BACKLOG
    assert await failures(bare_world) == []
