"""An event is published if and only if its transaction committed; at least once; in order per aggregate (XX-02)."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

import asyncpg
import pytest
from nats.errors import Error as NatsError
from unora.matching.v1.events_pb2 import ConnectionFormed
from unora_common import messaging
from unora_common.app import App
from unora_common.cli import _command
from unora_common.ids import uuid7
from unora_common.outbox import subject_of
from unora_common.streams import ensure_streams

from tests.integration.common.house import House, formed, stream_messages
from tests.integration.common.proxy import Wire

pytestmark = pytest.mark.rule("XX-02")

FORMED = subject_of(ConnectionFormed)
WAITING = "SELECT count(*) FROM matching.outbox WHERE published_at IS NULL"


async def tell(app: App[Any, Any], *events: ConnectionFormed) -> None:
    async with app.database.transaction() as tx:
        tx.emit(*events)


async def published(house: House) -> list[ConnectionFormed]:
    """What is in the stream of matching, in its order."""
    return [ConnectionFormed.FromString(message.data) for message in await stream_messages(house, "unora_matching")]


async def test_an_event_carries_what_cloud_events_say(house: House) -> None:
    app = await house.open("matching")
    event = formed()
    await tell(app, event)
    assert await app.relay.step() == 1
    (message,) = await stream_messages(house, "unora_matching")
    (row,) = await house.superuser.fetch("SELECT * FROM matching.outbox")
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


async def test_what_was_rolled_back_is_never_told(house: House) -> None:
    app = await house.open("matching")
    with pytest.raises(KeyError):
        await _tell_and_fail(app)
    assert await app.relay.step() == 0
    assert await published(house) == []
    assert await house.superuser.fetchval("SELECT count(*) FROM matching.outbox") == 0


async def _tell_and_fail(app: App[Any, Any]) -> None:
    async with app.database.transaction() as tx:
        await tx.run("INSERT INTO matching.probe (key) VALUES ('x')")
        tx.emit(formed())
        raise KeyError


async def test_a_version_that_was_told_cannot_be_told_again(house: House) -> None:
    """Two writers that did not lock their aggregate: one of them fails, and neither event is lost or doubled."""
    app = await house.open("matching")
    event = formed()
    results = await asyncio.gather(*(tell(app, event) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(result, asyncpg.UniqueViolationError) for result in results) == 4
    await app.relay.step()
    assert len(await published(house)) == 1


async def test_events_of_an_aggregate_come_in_order(house: House) -> None:
    app = await house.open("matching")
    connections = [str(uuid7()) for _ in range(20)]
    for version in range(1, 6):
        await asyncio.gather(*(tell(app, formed(connection, version)) for connection in connections))
    while await app.relay.step():
        pass
    events = await published(house)
    assert len(events) == 100
    for connection in connections:
        assert [event.version for event in events if event.connection_id == connection] == [1, 2, 3, 4, 5]


async def test_one_that_cannot_be_published_holds_up_its_aggregate_and_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = await house.open("matching")
    stuck, free = formed(), formed()
    await tell(app, stuck, formed(stuck.connection_id, 2), formed(stuck.connection_id, 3), free)
    publish = app.relay._stream.publish

    async def refusing(subject: str, payload: bytes, **more: Any) -> Any:
        if ConnectionFormed.FromString(payload) == stuck:
            raise NatsError
        return await publish(subject, payload, **more)

    monkeypatch.setattr(app.relay._stream, "publish", refusing)
    with pytest.raises(NatsError):
        await app.relay.step()
    assert await published(house) == [free]
    monkeypatch.undo()
    await app.relay.step()
    assert [event.version for event in await published(house)] == [1, 1, 2, 3]
    assert await house.superuser.fetchval(WAITING) == 0


async def test_a_crash_between_publishing_and_marking_publishes_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The leader's connection is ended after the stream took the event; the stream recognises the repeat by its id."""
    app = await house.open("matching")
    await tell(app, formed())
    publish = app.relay._stream.publish
    sent: list[str] = []

    async def publishing(subject: str, payload: bytes, **more: Any) -> Any:
        answer = await publish(subject, payload, **more)
        sent.append(more["headers"]["ce-id"])
        if len(sent) == 1:
            await house.superuser.execute(
                """SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
                WHERE application_name = 'unora_matching_relay' AND datname = current_database()"""
            )
        return answer

    monkeypatch.setattr(app.relay._stream, "publish", publishing)
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await app.relay.step()
    assert await house.superuser.fetchval(WAITING) == 1
    assert await app.relay.step() == 1
    assert len(sent) == 2
    assert len(set(sent)) == 1
    assert len(await published(house)) == 1
    assert await house.superuser.fetchval(WAITING) == 0


async def test_one_relay_leads_and_another_follows_it(house: House) -> None:
    first, second = await house.open("matching"), await house.open("matching")
    await tell(first, formed())
    assert await first.relay.step() == 1
    await tell(second, formed())
    assert await second.relay.step() == 0
    assert await first.relay.step() == 1
    await tell(second, formed())
    await first.relay.close()
    assert await _until(second.relay.step) == 1
    assert await first.relay.step() == 0
    assert len(await published(house)) == 3


async def _until(step: Any) -> int:
    """Postgres frees a lock when it has noticed that its holder is gone."""
    for _ in range(1000):
        if done := await step():
            return int(done)
    raise AssertionError("nothing was done")


async def test_any_process_that_tells_wakes_the_one_that_leads(house: House) -> None:
    leader, other = await house.open("matching"), await house.open("matching")
    await leader.relay.step()
    for teller in (other, leader):
        leader.relay._woken.clear()
        await tell(teller, formed())
        await asyncio.wait_for(leader.relay._woken.wait(), 5)


async def test_events_wait_while_nats_is_away(house: House) -> None:
    wire = Wire(house.testbed.nats_port)
    await wire.join()
    url = house.testbed.nats("matching", house.worker).rpartition(":")[0]
    app = await house.open("matching", changes={"nats_url": f"{url}:{wire.port}"})
    await tell(app, formed())
    await app.relay.step()
    lost = asyncio.Event()

    async def disconnected() -> None:
        lost.set()

    app.messaging.client._disconnected_cb = disconnected
    await wire.cut()
    await lost.wait()
    connection = str(uuid7())
    await tell(app, formed(connection), formed(connection, 2))  # nobody who works is disturbed
    assert await house.superuser.fetchval(WAITING) == 2
    publishing = asyncio.ensure_future(app.relay.step())
    await wire.join()
    assert await publishing == 2
    assert [event.version for event in await published(house)] == [1, 1, 2]
    await app.close()
    await wire.cut()


async def test_a_process_that_starts_while_nats_is_away_serves_and_tells_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lives, takes calls and writes events; what needs NATS begins when NATS is there."""
    monkeypatch.setattr(messaging, "NATS_CONNECT_TIMEOUT", 0.05)
    wire = Wire(house.testbed.nats_port)
    await wire.join()
    await wire.cut()
    url = house.testbed.nats("matching", house.worker).rpartition(":")[0]
    app = await asyncio.wait_for(house.open("matching", changes={"nats_url": f"{url}:{wire.port}"}), 10)
    assert await app.readiness.missing() == []
    app.work()
    await tell(app, formed())
    assert await published(house) == []
    admin = await house.admin()
    told = await admin.subscribe(FORMED)
    await admin.flush()
    await wire.join()
    await told.next_msg(timeout=10)
    assert len(await published(house)) == 1
    await admin.close()
    await app.close()
    await wire.cut()


async def test_a_process_that_never_met_nats_ends(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messaging, "NATS_CONNECT_TIMEOUT", 0.05)
    wire = Wire(house.testbed.nats_port)
    await wire.join()
    await wire.cut()
    url = house.testbed.nats("matching", house.worker).rpartition(":")[0]
    app = await house.open("matching", changes={"nats_url": f"{url}:{wire.port}"})
    app.work()
    await asyncio.wait_for(app.close(), 10)
    assert app.messaging._connecting.done()


async def test_republishing_restores_a_stream_that_was_lost(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    app = await house.open("matching")
    connection = str(uuid7())
    await tell(app, *(formed(connection, version) for version in range(1, 8)), formed())
    await app.relay.step()
    before = await published(house)
    admin = await house.admin()
    await admin.jetstream().delete_stream("unora_matching")
    await ensure_streams(house.testbed.nats("admin", house.worker), ["matching"])
    await admin.close()
    assert await published(house) == []
    assert await _command(app, argparse.Namespace(command="republish")) == 0
    assert "8 events of matching published again" in capsys.readouterr().out
    assert sorted(await published(house), key=_key) == sorted(before, key=_key)
    assert [event.version for event in await published(house) if event.connection_id == connection] == [*range(1, 8)]


def _key(event: ConnectionFormed) -> tuple[str, int]:
    return event.connection_id, event.version


async def test_events_are_forgotten_two_weeks_after_they_were_told_but_never_unpublished(house: House) -> None:
    """Counted from the telling: publishing again must not let an event outlive the inboxes that know it (30 days)."""
    app = await house.open("matching")
    await tell(app, formed(), formed())
    await app.relay.step()
    await tell(app, formed())
    housekeeping = app.jobs[-1]
    await _age(house, "13 days 23 hours")
    assert await housekeeping.step() == 0
    await house.superuser.execute("UPDATE matching.outbox SET published_at = NULL")
    await app.relay.step()
    await tell(app, formed())
    await _age(house, "2 hours")
    assert await housekeeping.step() == 3
    waiting = await house.superuser.fetch("SELECT published_at FROM matching.outbox")
    assert [row["published_at"] for row in waiting] == [None]


async def _age(house: House, interval: str) -> None:
    await house.superuser.execute(
        f"UPDATE matching.outbox SET created_at = created_at - interval '{interval}', "
        f"published_at = published_at - interval '{interval}'"
    )


async def test_a_relay_that_does_not_lead_keeps_one_connection_and_takes_over(house: House) -> None:
    leader, other = await house.open("matching"), await house.open("matching")
    await leader.relay.step()
    backends = set()
    for _ in range(5):
        assert await other.relay.step() == 0
        assert other.relay._connection is not None
        backends.add(other.relay._connection.get_server_pid())
    assert len(backends) == 1
    await tell(leader, formed())
    await leader.relay.close()
    while not await other.relay.step():
        pass  # Postgres takes a moment to notice that the leader is gone
