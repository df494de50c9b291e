"""Each event is applied exactly once. One that cannot be applied is stored, and does not stop others (XX-02)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, ClassVar

import asyncpg
import grpc
import pytest
from google.protobuf.message import Message
from unora.matching.v1.events_pb2 import ConnectionFormed
from unora_common.database import Tx
from unora_common.errors import RetryLater, Unavailable
from unora_common.handlers import on, on_all
from unora_common.ids import uuid7
from unora_common.replay import Replay
from unora_common.runtime import Runtime
from unora_sdk.deliveries import Delivery, Envelope
from unora_sdk.names import subject_of
from unora_testing.deadlines import GENEROUS, eventually, within

from tests.integration.common.bare_world import BareWorld, ended, formed, headers_of, stream_messages
from tests.integration.common.proxy import Wire

pytestmark = pytest.mark.rule("XX-02")

INSERT = "INSERT INTO streak.probe (key) VALUES ($1)"


class Recorder:
    """Writes a row for each event. `trouble` runs before the commit."""

    tries: ClassVar[Counter[str]] = Counter()

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        self.runtime = runtime
        Recorder.tries = Counter()

    @on(ConnectionFormed)
    async def begin(self, event: ConnectionFormed, tx: Tx) -> None:
        await tx.run(INSERT, f"{event.connection_id} {event.version}")
        Recorder.tries[event.connection_id] += 1
        await self.trouble(event, tx)

    async def trouble(self, event: ConnectionFormed, tx: Tx) -> None:
        """Does nothing here."""


async def deliver(bare_world: BareWorld, *events: Message, event_ids: list[str] | None = None) -> list[str]:
    """Publishes events as a relay does, but without the id by which the stream recognises a repeat. Returns their ids
    when the consumers know of them.
    """
    admin = await bare_world.admin()
    ids = event_ids or [str(uuid7()) for _ in events]
    async with AsyncExitStack() as known:
        for context in {subject_of(event).split(".")[1] for event in events}:
            await known.enter_async_context(bare_world.counted(context))
        for identifier, event in zip(ids, events, strict=True):
            headers, body = headers_of(event, identifier), event.SerializeToString()
            await admin.jetstream(timeout=GENEROUS).publish(subject_of(event), body, headers=headers)
    await admin.close()
    return ids


async def failures(bare_world: BareWorld, schema: str = "streak") -> list[Any]:
    return await bare_world.superuser.fetch(f"SELECT event_id::text, failures, error FROM {schema}.inbox_failures")


def key(event: ConnectionFormed) -> str:
    return f"{event.connection_id} {event.version}"


async def test_an_event_that_is_delivered_several_times_is_applied_once(bare_world: BareWorld) -> None:
    await bare_world.open(consumers=[Recorder])
    event = formed()
    (identifier,) = await deliver(bare_world, event)
    await bare_world.drain()
    await deliver(bare_world, event, event, event_ids=[identifier, identifier])
    await bare_world.drain()
    assert await bare_world.keys() == [key(event)]
    assert Recorder.tries[event.connection_id] == 1


async def test_two_processes_that_share_the_work_apply_each_event_once(bare_world: BareWorld) -> None:
    one, two = await bare_world.open(consumers=[Recorder]), await bare_world.open(consumers=[Recorder])
    events = [formed() for _ in range(60)]
    ids = await deliver(bare_world, *events)
    await deliver(bare_world, *events, event_ids=ids)
    consumers = one.consumers[0], two.consumers[0]
    while sum(await asyncio.gather(*(each.step() for each in consumers))) or any(each.waiting for each in consumers):
        pass
    assert sorted(await bare_world.keys()) == sorted(map(key, events))


async def test_the_effect_and_the_inbox_row_commit_together(bare_world: BareWorld) -> None:
    """A crash before the commit undoes both. After a crash between the commit and the acknowledgement, the event is
    delivered again and has no second effect.
    """

    class Fragile(Recorder):
        async def trouble(self, event: ConnectionFormed, tx: Tx) -> None:
            if Recorder.tries[event.connection_id] == 1:
                raise ConnectionResetError

    app = await bare_world.open(consumers=[Fragile])
    consumer, event = app.consumers[0], formed()
    transact = consumer.transact
    crashes: list[str] = []

    async def crashing(events: list[Delivery]) -> None:
        await transact(events)
        if not crashes:
            crashes.append("after the commit")
            raise ConnectionResetError

    consumer.transact = crashing  # type: ignore[method-assign]
    await deliver(bare_world, event)
    await bare_world.drain()
    assert crashes
    assert Recorder.tries[event.connection_id] == 2
    assert await bare_world.keys() == [key(event)]


def _rpc_error(code: grpc.StatusCode) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata())


TRANSIENT: dict[str, Callable[[], Exception]] = {
    "an earlier event has not arrived": lambda: RetryLater("not yet"),
    "a dependency does not answer": Unavailable,
    "another service does not answer": lambda: _rpc_error(grpc.StatusCode.UNAVAILABLE),
    "another service is slow": lambda: _rpc_error(grpc.StatusCode.DEADLINE_EXCEEDED),
    "another service has too much to do": lambda: _rpc_error(grpc.StatusCode.RESOURCE_EXHAUSTED),
    "another service dropped the call": lambda: _rpc_error(grpc.StatusCode.CANCELLED),
    "postgres is shutting down": lambda: asyncpg.AdminShutdownError("x"),
    "postgres is starting": lambda: asyncpg.CannotConnectNowError("x"),
    "postgres is full": lambda: asyncpg.TooManyConnectionsError("x"),
    "the connection to postgres is lost": lambda: asyncpg.ConnectionDoesNotExistError("x"),
    "the network is down": ConnectionResetError,
    "another transaction won a deadlock": lambda: asyncpg.DeadlockDetectedError("x"),
    "another transaction has the lock for too long": lambda: asyncpg.LockNotAvailableError("x"),
}


@pytest.mark.parametrize("cause", TRANSIENT)
async def test_after_a_transient_error_an_event_is_delivered_again_and_no_failure_is_counted(
    bare_world: BareWorld, cause: str
) -> None:
    class Waiting(Recorder):
        async def trouble(self, event: ConnectionFormed, tx: Tx) -> None:
            if Recorder.tries[event.connection_id] <= 7:
                raise TRANSIENT[cause]()

    await bare_world.open(consumers=[Waiting])
    event = formed()
    await deliver(bare_world, event)
    await bare_world.drain()
    assert Recorder.tries[event.connection_id] == 8
    assert await bare_world.keys() == [key(event)]
    assert await failures(bare_world) == []
    assert await stream_messages(bare_world, "dead_letters") == []


async def test_the_loss_of_the_connection_is_not_counted_as_a_failure_of_the_event(bare_world: BareWorld) -> None:
    class Cut(Recorder):
        async def trouble(self, event: ConnectionFormed, tx: Tx) -> None:
            if Recorder.tries[event.connection_id] == 1:
                await tx.run("SELECT pg_terminate_backend(pg_backend_pid())")

    await bare_world.open(consumers=[Cut])
    event = formed()
    await deliver(bare_world, event)
    await bare_world.drain()
    assert await bare_world.keys() == [key(event)]
    assert await failures(bare_world) == []


class Poisonous(Recorder):
    """Fails on versions above 1, except those in `healed`."""

    healed: ClassVar[set[int]] = set()

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        super().__init__(runtime)
        Poisonous.healed = set()

    async def trouble(self, event: ConnectionFormed, tx: Tx) -> None:
        if event.version > 1 and event.version not in Poisonous.healed:
            raise ValueError("what a member wrote")


async def test_an_event_goes_to_the_dead_letters_at_its_fifth_failure_and_others_go_on(bare_world: BareWorld) -> None:
    app = await bare_world.open(consumers=[Poisonous])
    good = [formed() for _ in range(3)]
    bad = formed(version=2)
    identifier, *_ = await deliver(bare_world, bad, *good)
    await app.consumers[0].step()
    assert sorted(await bare_world.keys()) == sorted(map(key, good))
    assert [row["failures"] for row in await failures(bare_world)] == [1]
    await bare_world.drain()
    assert Recorder.tries[bad.connection_id] == 5
    assert [tuple(row) for row in await failures(bare_world)] == [(identifier, 5, "ValueError")]
    (letter,) = await stream_messages(bare_world, "dead_letters")
    assert letter.subject == "dead.streak.streak__connection_formed"
    assert ConnectionFormed.FromString(letter.data) == bad
    assert letter.headers["unora-error"] == "ValueError"
    assert letter.headers["unora-subject"] == subject_of(bad)
    assert letter.headers["ce-id"] == identifier
    assert "what a member wrote" not in bare_world.log.getvalue()
    await bare_world.drain()
    assert Recorder.tries[bad.connection_id] == 5


async def test_an_event_that_cannot_be_parsed_goes_to_the_dead_letters_too(bare_world: BareWorld) -> None:
    app = await bare_world.open(consumers=[Recorder])
    admin = await bare_world.admin()
    async with bare_world.counted("matching"):
        for headers in ({"ce-id": str(uuid7())}, None):
            await admin.jetstream(timeout=GENEROUS).publish(
                subject_of(ConnectionFormed), b"\xff\xff not a message", headers=headers
            )
    await admin.close()
    good = formed()
    await deliver(bare_world, good)
    await app.consumers[0].step()
    assert await bare_world.keys() == [key(good)]
    await bare_world.drain()
    assert len(await stream_messages(bare_world, "dead_letters")) == 2
    assert "not an event" in bare_world.log.getvalue()


async def test_a_dead_letter_is_applied_once_when_it_is_replayed(bare_world: BareWorld) -> None:
    app = await bare_world.open(consumers=[Poisonous])
    bad = formed(version=2)
    await deliver(bare_world, bad)
    await bare_world.drain()
    Poisonous.healed = {2}
    assert await Replay(app.runtime, app.messaging).run(app.consumers) == 1
    assert await Replay(app.runtime, app.messaging).run(app.consumers) == 0
    assert await bare_world.keys() == [key(bad)]
    assert await failures(bare_world) == []


async def test_a_dead_letter_that_still_fails_stays_and_others_are_replayed(bare_world: BareWorld) -> None:
    app = await bare_world.open(consumers=[Poisonous])
    stubborn, curable = formed(version=2), formed(version=3)
    await deliver(bare_world, stubborn, curable)
    await bare_world.drain()
    Poisonous.healed = {3}
    assert await Replay(app.runtime, app.messaging).run(app.consumers) == 1
    assert await bare_world.keys() == [key(curable)]
    Poisonous.healed = {2, 3}
    assert await Replay(app.runtime, app.messaging).run(app.consumers) == 1
    assert await bare_world.keys() == [key(curable), key(stubborn)]


class Everything:
    """Takes all events of a context, many in one transaction."""

    batches: ClassVar[list[int]] = []

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        Everything.batches = []

    @on_all("matching")
    async def record(self, events: list[Envelope], tx: Tx) -> None:
        Everything.batches.append(len(events))
        for event in events:
            if event.payload == BAD:
                raise ValueError
            await tx.run("INSERT INTO safety.probe (key) VALUES ($1)", f"{event.subject} {event.event_id}")


BAD = formed().SerializeToString()


async def test_a_consumer_of_all_events_applies_a_batch_and_one_that_fails_does_not_stop_the_others(
    bare_world: BareWorld,
) -> None:
    await bare_world.open("safety", consumers=[Everything])
    ids = await deliver(bare_world, formed(), ended(str(uuid7())), formed(), formed(), formed())
    await bare_world.drain()
    assert Everything.batches == [5]
    bad, good = await deliver(bare_world, ConnectionFormed.FromString(BAD), formed())
    await deliver(bare_world, formed(), event_ids=ids[:1])
    await bare_world.drain()
    recorded = [entry.split()[1] for entry in await bare_world.keys("safety")]
    assert sorted(recorded) == sorted([*ids, good])
    assert [row["event_id"] for row in await failures(bare_world, "safety")] == [bad]
    (letter,) = await stream_messages(bare_world, "dead_letters")
    assert letter.subject == "dead.safety.safety__all_matching"


async def test_a_consumer_reads_only_what_it_declared(bare_world: BareWorld) -> None:
    await bare_world.open(consumers=[Recorder])
    await deliver(bare_world, ended(str(uuid7())))
    await bare_world.drain()
    assert await bare_world.keys() == []


async def test_a_consumer_goes_on_after_any_error(bare_world: BareWorld) -> None:
    app = await bare_world.open(consumers=[Recorder])
    consumer, steps = app.consumers[0], asyncio.Queue[float]()

    async def breaking(wait: float = 0.0) -> int:
        steps.put_nowait(wait)
        raise RuntimeError

    consumer.step = breaking  # type: ignore[method-assign]
    running = asyncio.ensure_future(consumer.run())
    await within(steps.get())
    await within(steps.get())
    running.cancel()


async def test_events_that_came_while_postgres_was_away_are_applied_when_it_is_back(bare_world: BareWorld) -> None:
    host = bare_world.testbed.postgres.rpartition("@")[2]
    wire = Wire(int(host.rpartition(":")[2]))
    await wire.join()
    direct = bare_world.testbed.dsn(bare_world.database, "unora_streak")
    app = await bare_world.open(
        consumers=[Recorder], changes={"database_url": direct.replace(host, f"127.0.0.1:{wire.port}")}
    )
    event = formed()
    await deliver(bare_world, event)
    await wire.cut()
    assert any(part.startswith("postgres") for part in await app.readiness.missing())
    assert await eventually(app.consumers[0].step, "the event is delivered") == 1
    await wire.join()
    while not await bare_world.keys():
        await app.consumers[0].step()
    assert await bare_world.keys() == [key(event)]
    assert await failures(bare_world) == []
    assert await app.readiness.missing() == []
    await app.close()
    await wire.cut()
