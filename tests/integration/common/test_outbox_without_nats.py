"""Events wait in the outbox while NATS is away, and fill a stream that was lost."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import replace

import pytest
from unora.matching.v1.events_pb2 import ConnectionFormed
from unora_common.cli import _command
from unora_common.config import CONTEXTS
from unora_common.declarations import consumed_subjects
from unora_common.ids import uuid7
from unora_common.streams import ensure_streams
from unora_testing.deadlines import GENEROUS, TIMEOUTS, within

from tests.integration.common.bare_world import BareWorld, formed
from tests.integration.common.proxy import Wire
from tests.integration.common.test_outbox import FORMED, WAITING, emit, published

pytestmark = pytest.mark.rule("XX-02")


WITHOUT_NATS = replace(TIMEOUTS, nats_start=0.05)


async def test_events_wait_while_nats_is_away(bare_world: BareWorld) -> None:
    wire = Wire(bare_world.testbed.nats_port)
    await wire.join()
    url = bare_world.testbed.nats("matching", bare_world.worker).rpartition(":")[0]
    app = await bare_world.open("matching", changes={"nats_url": f"{url}:{wire.port}"})
    await emit(app, formed())
    await app.relay.step()
    lost = asyncio.Event()

    async def disconnected() -> None:
        lost.set()

    app.messaging.client._disconnected_cb = disconnected
    await wire.cut()
    await within(lost.wait())
    connection = str(uuid7())
    await emit(app, formed(connection), formed(connection, 2))  # transactions do not need NATS
    assert await bare_world.superuser.fetchval(WAITING) == 2
    publishing = asyncio.ensure_future(app.relay.step())
    await wire.join()
    assert await within(publishing) == 2
    assert [event.version for event in await published(bare_world)] == [1, 1, 2]
    await app.close()
    await wire.cut()


async def test_a_process_that_starts_while_nats_is_away_serves_and_publishes_later(bare_world: BareWorld) -> None:
    """It is alive, serves calls and writes events. Relay and consumers begin when NATS is reached."""
    wire = Wire(bare_world.testbed.nats_port)
    await wire.join()
    await wire.cut()
    url = bare_world.testbed.nats("matching", bare_world.worker).rpartition(":")[0]
    changes = {"nats_url": f"{url}:{wire.port}"}
    app = await within(bare_world.open("matching", changes=changes, timeouts=WITHOUT_NATS))
    assert await app.readiness.missing() == []
    app.work()
    await emit(app, formed())
    assert await published(bare_world) == []
    admin = await bare_world.admin()
    subscription = await admin.subscribe(FORMED)
    await admin.flush()
    await wire.join()
    await subscription.next_msg(timeout=GENEROUS)
    assert len(await published(bare_world)) == 1
    await admin.close()
    await app.close()
    await wire.cut()


async def test_a_process_that_never_reached_nats_ends(bare_world: BareWorld) -> None:
    wire = Wire(bare_world.testbed.nats_port)
    await wire.join()
    await wire.cut()
    url = bare_world.testbed.nats("matching", bare_world.worker).rpartition(":")[0]
    changes = {"nats_url": f"{url}:{wire.port}"}
    app = await bare_world.open("matching", changes=changes, timeouts=WITHOUT_NATS)
    app.work()
    await within(app.close())
    assert app.messaging._connecting is not None
    assert app.messaging._connecting.done()


async def test_republishing_restores_a_stream_that_was_lost(
    bare_world: BareWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    app = await bare_world.open("matching")
    connection = str(uuid7())
    await emit(app, *(formed(connection, version) for version in range(1, 8)), formed())
    await app.relay.step()
    before = await published(bare_world)
    admin = await bare_world.admin()
    await admin.jetstream(timeout=GENEROUS).delete_stream("unora_matching")
    await ensure_streams(admin, CONTEXTS, consumed_subjects(CONTEXTS))
    await admin.close()
    assert await published(bare_world) == []
    options = argparse.Namespace(command="republish", consumer=None, since=None, until=None, event=None)
    assert await _command(app, options) == 0
    assert "8 events of matching published again" in capsys.readouterr().out
    assert sorted(await published(bare_world), key=_key) == sorted(before, key=_key)
    assert [event.version for event in await published(bare_world) if event.connection_id == connection] == [
        *range(1, 8)
    ]


def _key(event: ConnectionFormed) -> tuple[str, int]:
    return event.connection_id, event.version
