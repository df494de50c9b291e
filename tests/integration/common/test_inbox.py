"""Each event is applied exactly once; what cannot be applied is kept, and never in the way of others (XX-02)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import asyncpg
import grpc
import pytest
from google.protobuf.message import Message
from unora.matching.v1.events_pb2 import ConnectionFormed
from unora_common.database import Tx
from unora_common.errors import RetryLater, Unavailable
from unora_common.handlers import Envelope, on, on_all
from unora_common.ids import uuid7
from unora_common.outbox import aggregate_of, subject_of
from unora_common.replay import Replay
from unora_common.runtime import Runtime

from tests.integration.common.house import House, ended, formed, stream_messages
from tests.integration.common.proxy import Wire

pytestmark = pytest.mark.rule("XX-02")

INSERT = "INSERT INTO streak.probe (key) VALUES ($1)"


class Hearer:
    """Writes down each event that it hears; `trouble` says what happens before it does."""

    tries: ClassVar[Counter[str]] = Counter()

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        self.runtime = runtime
        Hearer.tries = Counter()

    @on(ConnectionFormed)
    async def begin(self, event: ConnectionFormed, tx: Tx) -> None:
        await tx.run(INSERT, f"{event.connection_id} {event.version}")
        Hearer.tries[event.connection_id] += 1
        await self.trouble(event, tx)

    async def trouble(self, event: ConnectionFormed, tx: Tx) -> None:
        """None, here."""


async def deliver(house: House, *events: Message, event_ids: list[str] | None = None) -> list[str]:
    """Puts events into the stream as a relay would, but without the id by which the stream knows a repeat."""
    admin = await house.admin()
    ids = event_ids or [str(uuid7()) for _ in events]
    for identifier, event in zip(ids, events, strict=True):
        headers = {"ce-id": identifier, "ce-subject": str(aggregate_of(event)[0]), "ce-time": "2026-03-01T12:00:00Z"}
        await admin.jetstream().publish(subject_of(event), event.SerializeToString(), headers=headers)
    await admin.close()
    return ids


async def failures(house: House, schema: str = "streak") -> list[Any]:
    return await house.superuser.fetch(f"SELECT event_id::text, failures, error FROM {schema}.inbox_failures")


def key(event: ConnectionFormed) -> str:
    return f"{event.connection_id} {event.version}"


async def test_an_event_that_is_delivered_often_is_applied_once(house: House) -> None:
    await house.open(consumers=[Hearer])
    event = formed()
    (identifier,) = await deliver(house, event)
    await house.settle()
    await deliver(house, event, event, event_ids=[identifier, identifier])
    await house.settle()
    assert await house.keys() == [key(event)]
    assert Hearer.tries[event.connection_id] == 1


async def test_two_processes_that_share_the_work_apply_each_event_once(house: House) -> None:
    one, two = await house.open(consumers=[Hearer]), await house.open(consumers=[Hearer])
    events = [formed() for _ in range(60)]
    ids = await deliver(house, *events)
    await deliver(house, *events, event_ids=ids)
    while sum(await asyncio.gather(*(app.consumers[0].step() for app in (one, two)))):
        pass
    assert sorted(await house.keys()) == sorted(map(key, events))


async def test_effect_and_note_are_one(house: House) -> None:
    """A crash after the effect undoes it; a crash after the commit, before the stream knows, does it no second time."""

    class Fragile(Hearer):
        async def trouble(self, event: ConnectionFormed, tx: Tx) -> None:
            if Hearer.tries[event.connection_id] == 1:
                raise ConnectionResetError

    app = await house.open(consumers=[Fragile])
    consumer, event = app.consumers[0], formed()
    transact = consumer.transact
    crashes: list[str] = []

    async def crashing(messages: list[Any]) -> None:
        await transact(messages)
        if not crashes:
            crashes.append("after the commit")
            raise ConnectionResetError

    consumer.transact = crashing  # type: ignore[method-assign]
    await deliver(house, event)
    await house.settle()
    assert crashes
    assert Hearer.tries[event.connection_id] == 2
    assert await house.keys() == [key(event)]


def _rpc_error(code: grpc.StatusCode) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata())


PASSING: dict[str, Callable[[], Exception]] = {
    "one before it has not come": lambda: RetryLater("not yet"),
    "a dependency does not answer": Unavailable,
    "another service is away": lambda: _rpc_error(grpc.StatusCode.UNAVAILABLE),
    "another service is slow": lambda: _rpc_error(grpc.StatusCode.DEADLINE_EXCEEDED),
    "postgres is shutting down": lambda: asyncpg.AdminShutdownError("x"),
    "postgres is starting": lambda: asyncpg.CannotConnectNowError("x"),
    "postgres is full": lambda: asyncpg.TooManyConnectionsError("x"),
    "postgres is gone": lambda: asyncpg.ConnectionDoesNotExistError("x"),
    "the network is gone": ConnectionResetError,
}


@pytest.mark.parametrize("cause", PASSING)
async def test_what_passes_is_waited_for_and_not_counted(house: House, cause: str) -> None:
    class Waiting(Hearer):
        async def trouble(self, event: ConnectionFormed, tx: Tx) -> None:
            if Hearer.tries[event.connection_id] <= 7:
                raise PASSING[cause]()

    await house.open(consumers=[Waiting])
    event = formed()
    await deliver(house, event)
    await house.settle()
    assert Hearer.tries[event.connection_id] == 8
    assert await house.keys() == [key(event)]
    assert await failures(house) == []
    assert await stream_messages(house, "dead_letters") == []


async def test_the_end_of_its_own_connection_is_not_the_events_fault(house: House) -> None:
    class Cut(Hearer):
        async def trouble(self, event: ConnectionFormed, tx: Tx) -> None:
            if Hearer.tries[event.connection_id] == 1:
                await tx.run("SELECT pg_terminate_backend(pg_backend_pid())")

    await house.open(consumers=[Cut])
    event = formed()
    await deliver(house, event)
    await house.settle()
    assert await house.keys() == [key(event)]
    assert await failures(house) == []


class Poisonous(Hearer):
    """Cannot apply versions above 1, until it is healed."""

    healed: ClassVar[set[int]] = set()

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        super().__init__(runtime)
        Poisonous.healed = set()

    async def trouble(self, event: ConnectionFormed, tx: Tx) -> None:
        if event.version > 1 and event.version not in Poisonous.healed:
            raise ValueError("what a member wrote")


async def test_the_fifth_failure_is_the_last_and_others_go_on_meanwhile(house: House) -> None:
    app = await house.open(consumers=[Poisonous])
    good = [formed() for _ in range(3)]
    bad = formed(version=2)
    identifier, *_ = await deliver(house, bad, *good)
    await app.consumers[0].step()
    assert sorted(await house.keys()) == sorted(map(key, good))
    assert [row["failures"] for row in await failures(house)] == [1]
    await house.settle()
    assert Hearer.tries[bad.connection_id] == 5
    assert [tuple(row) for row in await failures(house)] == [(identifier, 5, "ValueError")]
    (letter,) = await stream_messages(house, "dead_letters")
    assert letter.subject == "dead.streak.streak__connection_formed"
    assert ConnectionFormed.FromString(letter.data) == bad
    assert letter.headers["unora-error"] == "ValueError"
    assert letter.headers["unora-subject"] == subject_of(bad)
    assert letter.headers["ce-id"] == identifier
    assert "what a member wrote" not in house.log.getvalue()
    await house.settle()
    assert Hearer.tries[bad.connection_id] == 5


async def test_an_event_that_cannot_be_read_is_buried_too(house: House) -> None:
    app = await house.open(consumers=[Hearer])
    admin = await house.admin()
    for headers in ({"ce-id": str(uuid7())}, None):
        await admin.jetstream().publish(subject_of(ConnectionFormed), b"\xff\xff not a message", headers=headers)
    await admin.close()
    good = formed()
    await deliver(house, good)
    await app.consumers[0].step()
    assert await house.keys() == [key(good)]
    await house.settle()
    assert len(await stream_messages(house, "dead_letters")) == 1
    assert "not an event" in house.log.getvalue()


async def test_a_dead_letter_is_applied_once_when_it_is_replayed(house: House) -> None:
    app = await house.open(consumers=[Poisonous])
    bad = formed(version=2)
    await deliver(house, bad)
    await house.settle()
    Poisonous.healed = {2}
    assert await Replay(app.runtime, app.messaging).run(app.consumers) == 1
    assert await Replay(app.runtime, app.messaging).run(app.consumers) == 0
    assert await house.keys() == [key(bad)]
    assert await failures(house) == []


async def test_a_letter_that_still_fails_stays_and_others_are_replayed(house: House) -> None:
    app = await house.open(consumers=[Poisonous])
    stubborn, curable = formed(version=2), formed(version=3)
    await deliver(house, stubborn, curable)
    await house.settle()
    Poisonous.healed = {3}
    assert await Replay(app.runtime, app.messaging).run(app.consumers) == 1
    assert await house.keys() == [key(curable)]
    Poisonous.healed = {2, 3}
    assert await Replay(app.runtime, app.messaging).run(app.consumers) == 1
    assert await house.keys() == [key(curable), key(stubborn)]


class Everything:
    """Takes all of a context, many at a time."""

    batches: ClassVar[list[int]] = []

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        Everything.batches = []

    @on_all("matching")
    async def hear(self, events: list[Envelope], tx: Tx) -> None:
        Everything.batches.append(len(events))
        for event in events:
            if event.payload == BAD:
                raise ValueError
            await tx.run("INSERT INTO safety.probe (key) VALUES ($1)", f"{event.subject} {event.event_id}")


BAD = formed().SerializeToString()


async def test_all_events_of_a_context_come_together_and_one_that_fails_takes_none_with_it(house: House) -> None:
    await house.open("safety", consumers=[Everything])
    ids = await deliver(house, formed(), ended(str(uuid7())), formed(), formed(), formed())
    await house.settle()
    assert Everything.batches == [5]
    bad, good = await deliver(house, ConnectionFormed.FromString(BAD), formed())
    await deliver(house, formed(), event_ids=ids[:1])
    await house.settle()
    heard = [entry.split()[1] for entry in await house.keys("safety")]
    assert sorted(heard) == sorted([*ids, good])
    assert [row["event_id"] for row in await failures(house, "safety")] == [bad]
    (letter,) = await stream_messages(house, "dead_letters")
    assert letter.subject == "dead.safety.safety__all_matching"


async def test_a_consumer_reads_only_what_it_declared(house: House) -> None:
    await house.open(consumers=[Hearer])
    await deliver(house, ended(str(uuid7())))
    await house.settle()
    assert await house.keys() == []


async def test_a_consumer_outlives_whatever_happens(house: House) -> None:
    app = await house.open(consumers=[Hearer])
    consumer, steps = app.consumers[0], asyncio.Queue[float]()

    async def breaking(wait: float = 0.0) -> int:
        steps.put_nowait(wait)
        raise RuntimeError

    consumer.step = breaking  # type: ignore[method-assign]
    running = asyncio.ensure_future(consumer.run())
    await steps.get()
    await asyncio.wait_for(steps.get(), 5)
    running.cancel()


async def test_events_that_came_while_postgres_was_away_are_applied_when_it_is_back(house: House) -> None:
    host = house.testbed.postgres.rpartition("@")[2]
    wire = Wire(int(host.rpartition(":")[2]))
    await wire.join()
    direct = house.testbed.dsn(house.database, "unora_streak")
    app = await house.open(consumers=[Hearer], changes={"database_url": direct.replace(host, f"127.0.0.1:{wire.port}")})
    event = formed()
    await deliver(house, event)
    await wire.cut()
    assert any(part.startswith("postgres") for part in await app.readiness.missing())
    assert await app.consumers[0].step() == 1
    await wire.join()
    while not await house.keys():
        await app.consumers[0].step()
    assert await house.keys() == [key(event)]
    assert await failures(house) == []
    assert await app.readiness.missing() == []
    await app.close()
    await wire.cut()
