"""An event is published if and only if its transaction committed; at least once; in order per aggregate (XX-02)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from nats.errors import Error as NatsError
from unora.matching.v1.events_pb2 import ConnectionFormed
from unora_common import relay
from unora_common.app import App
from unora_common.ids import uuid7
from unora_common.stream_settings import MAX_EVENT
from unora_sdk.names import subject_of
from unora_testing.deadlines import GENEROUS, eventually, within

from tests.integration.common.bare_world import BareWorld, formed, stream_messages
from tests.roles import LOST

pytestmark = pytest.mark.rule("XX-02")

FORMED = subject_of(ConnectionFormed)


WAITING = "SELECT count(*) FROM matching.outbox WHERE published_at IS NULL"


async def emit(app: App[Any, Any], *events: ConnectionFormed) -> None:
    async with app.database.transaction() as tx:
        tx.emit(*events)


async def published(bare_world: BareWorld) -> list[ConnectionFormed]:
    """The events in the stream of matching, in its order."""
    return [
        ConnectionFormed.FromString(message.data) for message in await stream_messages(bare_world, "unora_matching")
    ]


async def test_an_event_has_the_headers_of_cloud_events(bare_world: BareWorld) -> None:
    app = await bare_world.open("matching")
    event = formed()
    await emit(app, event)
    assert await app.relay.step() == 1
    (message,) = await stream_messages(bare_world, "unora_matching")
    (row,) = await bare_world.superuser.fetch("SELECT * FROM matching.outbox")
    assert message.subject == FORMED == "unora.matching.v1.connection_formed"
    assert ConnectionFormed.FromString(message.data) == event
    assert message.headers == {
        "Nats-Msg-Id": str(row["id"]),
        "ce-specversion": "1.0",
        "ce-id": str(row["id"]),
        "ce-source": "/unora/matching",
        "ce-type": FORMED,
        "ce-subject": event.connection_id,
        "ce-time": row["occurred_at"].isoformat().replace("+00:00", "Z"),
        "content-type": "application/protobuf",
        "traceparent": row["trace"],
    }
    assert row["published_at"] is not None


async def test_an_event_of_a_transaction_that_rolled_back_is_never_published(bare_world: BareWorld) -> None:
    app = await bare_world.open("matching")
    with pytest.raises(KeyError):
        await _emit_and_fail(app)
    assert await app.relay.step() == 0
    assert await published(bare_world) == []
    assert await bare_world.superuser.fetchval("SELECT count(*) FROM matching.outbox") == 0


async def _emit_and_fail(app: App[Any, Any]) -> None:
    async with app.database.transaction() as tx:
        await tx.run("INSERT INTO matching.probe (key) VALUES ('x')")
        tx.emit(formed())
        raise KeyError


async def test_a_version_that_was_emitted_cannot_be_emitted_again(bare_world: BareWorld) -> None:
    """Two writers that did not lock their aggregate: one of them fails, and its event is not written."""
    app = await bare_world.open("matching")
    event = formed()
    results = await asyncio.gather(*(emit(app, event) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(result, asyncpg.UniqueViolationError) for result in results) == 4
    await app.relay.step()
    assert len(await published(bare_world)) == 1


async def test_events_of_an_aggregate_come_in_order(bare_world: BareWorld) -> None:
    app = await bare_world.open("matching")
    connections = [str(uuid7()) for _ in range(20)]
    for version in range(1, 6):
        await asyncio.gather(*(emit(app, formed(connection, version)) for connection in connections))
    while await app.relay.step():
        pass
    events = await published(bare_world)
    assert len(events) == 100
    for connection in connections:
        assert [event.version for event in events if event.connection_id == connection] == [1, 2, 3, 4, 5]


async def test_an_event_that_cannot_be_published_stops_its_aggregate_and_no_other(bare_world: BareWorld) -> None:
    app = await bare_world.open("matching")
    stuck, free = formed(receiver="x" * MAX_EVENT), formed()  # the stream takes no event of this size
    await emit(app, stuck, formed(stuck.connection_id, 2), formed(stuck.connection_id, 3), free)
    with pytest.raises(NatsError):
        await app.relay.step()
    assert await published(bare_world) == [free]
    small = formed(stuck.connection_id).SerializeToString()
    await bare_world.superuser.execute(
        "UPDATE matching.outbox SET payload = $1 WHERE published_at IS NULL AND seq = 1", small
    )
    await app.relay.step()
    assert [event.version for event in await published(bare_world)] == [1, 1, 2, 3]
    assert await bare_world.superuser.fetchval(WAITING) == 0


async def test_more_events_that_wait_for_one_than_a_batch_holds_keep_no_other_from_the_stream(
    bare_world: BareWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "BATCH", 3)
    app = await bare_world.open("matching")
    stuck, free = formed(receiver="x" * MAX_EVENT), [formed() for _ in range(4)]
    await emit(app, stuck, *(formed(stuck.connection_id, version) for version in range(2, 6)), *free)
    for _ in range(8):
        with suppress(NatsError):
            await app.relay.step()
    assert await published(bare_world) == free
    await bare_world.superuser.execute(
        "UPDATE matching.outbox SET payload = $1 WHERE published_at IS NULL AND seq = 1",
        formed(stuck.connection_id).SerializeToString(),
    )
    while await app.relay.step():
        pass
    assert [event.version for event in await published(bare_world)] == [1, 1, 1, 1, 1, 2, 3, 4, 5]


async def test_a_stream_that_takes_nothing_for_long_leaves_no_aggregate_out(
    bare_world: BareWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what the relay remembers, and tells Postgres at each look, would grow for as long as the outage lasts."""
    monkeypatch.setattr(relay, "BATCH", 2)
    monkeypatch.setattr(relay, "MOST_LEFT_OUT", 3)
    app = await bare_world.open("matching")
    events = [formed() for _ in range(9)]
    await emit(app, *events)

    async def silent(rows: Sequence[asyncpg.Record]) -> tuple[list[UUID], list[tuple[asyncpg.Record, str]]]:
        return [], [(row, "no acknowledgement") for row in rows]

    with monkeypatch.context() as patched:
        patched.setattr(app.relay._publisher, "publish", silent)
        for _ in range(20):
            with pytest.raises(NatsError):
                await app.relay.step()
            assert len(app.relay._left_out) <= 3
    while await app.relay.step():
        pass
    assert sorted(event.connection_id for event in await published(bare_world)) == sorted(
        event.connection_id for event in events
    )


async def test_a_crash_between_publishing_and_marking_publishes_again(
    bare_world: BareWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The leader's connection is ended after the stream took the event; the stream recognises the repeat by its id."""
    app = await bare_world.open("matching")
    await emit(app, formed())
    publish = app.relay._publisher.publish
    sent: list[Any] = []

    async def publishing(rows: Sequence[Any]) -> Any:
        result = await publish(rows)
        sent.extend(result[0])
        if len(sent) == 1:
            await bare_world.superuser.execute(
                f"""SELECT pg_terminate_backend(pid, {GENEROUS * 1000:.0f}) FROM pg_stat_activity
                WHERE application_name = 'unora_matching_relay' AND datname = current_database()"""
            )
        return result

    monkeypatch.setattr(app.relay._publisher, "publish", publishing)
    with pytest.raises(LOST):
        await app.relay.step()
    assert await bare_world.superuser.fetchval(WAITING) == 1
    assert await app.relay.step() == 1
    assert len(sent) == 2
    assert len(set(sent)) == 1
    assert len(await published(bare_world)) == 1
    assert await bare_world.superuser.fetchval(WAITING) == 0


async def test_one_relay_leads_and_another_takes_over(bare_world: BareWorld) -> None:
    first, second = await bare_world.open("matching"), await bare_world.open("matching")
    await emit(first, formed())
    assert await first.relay.step() == 1
    await emit(second, formed())
    assert await second.relay.step() == 0
    assert await first.relay.step() == 1
    await emit(second, formed())
    await first.relay.close()
    assert await eventually(second.relay.step, "Postgres notices that the leader is gone") == 1
    assert await first.relay.step() == 0
    assert len(await published(bare_world)) == 3


async def test_every_process_that_emits_wakes_the_leading_relay(bare_world: BareWorld) -> None:
    leader, other = await bare_world.open("matching"), await bare_world.open("matching")
    await leader.relay.step()
    for emitter in (other, leader):
        leader.relay._woken.clear()
        await emit(emitter, formed())
        await within(leader.relay._woken.wait())


async def test_published_events_are_deleted_two_weeks_after_they_were_emitted(
    bare_world: BareWorld,
) -> None:
    """Counted from the emission: publishing again must not let an event outlive the inboxes that know it (30 days)."""
    app = await bare_world.open("matching")
    await emit(app, formed(), formed())
    await app.relay.step()
    await emit(app, formed())
    housekeeping = app.jobs[-1]
    await _age(bare_world, "13 days 23 hours")
    assert await housekeeping.step() == 0
    await bare_world.superuser.execute("UPDATE matching.outbox SET published_at = NULL")
    await app.relay.step()
    await emit(app, formed())
    await _age(bare_world, "2 hours")
    assert await housekeeping.step() == 3
    waiting = await bare_world.superuser.fetch("SELECT published_at FROM matching.outbox")
    assert [row["published_at"] for row in waiting] == [None]


async def _age(bare_world: BareWorld, interval: str) -> None:
    await bare_world.superuser.execute(
        f"UPDATE matching.outbox SET created_at = created_at - interval '{interval}', "
        f"published_at = published_at - interval '{interval}'"
    )


async def test_a_relay_that_does_not_lead_keeps_one_connection_and_takes_over(bare_world: BareWorld) -> None:
    leader, other = await bare_world.open("matching"), await bare_world.open("matching")
    await leader.relay.step()
    backends = set()
    for _ in range(5):
        assert await other.relay.step() == 0
        assert other.relay._connection is not None
        backends.add(other.relay._connection.get_server_pid())
    assert len(backends) == 1
    await emit(leader, formed())
    await leader.relay.close()
    await eventually(other.relay.step, "Postgres notices that the leader is gone")
