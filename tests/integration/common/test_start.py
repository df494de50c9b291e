"""A start that fails half-way closes all that it has opened, and raises the error that stopped it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from io import StringIO
from typing import Any

import msgspec
import pytest
from unora_common import messaging
from unora_common.app import App
from unora_common.config import Config
from unora_common.logs import logger
from unora_common.messaging import Messaging
from unora_common.runtime import Runtime
from unora_common.service import Service
from unora_common.tasks import Tasks
from unora_sdk.environment import ConfigError
from unora_testing.deadlines import TIMEOUTS, eventually, within

from tests.integration.common.bare_world import BareWorld
from tests.integration.common.proxy import silent_server

NOWHERE = "127.0.0.1:1"
"""A port at which nothing listens."""


class Resources:
    """Resources that know whether they were closed."""

    def __init__(self) -> None:
        self.closed = False

    async def close(self) -> None:
        self.closed = True


class Broken:
    """A part that cannot be made."""

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        raise ConfigError("no such provider")


def make_app(bare_world: BareWorld, resources: Resources, *, broken: bool = False, **changes: Any) -> App[Any, Any]:
    parts = [Broken] if broken else []
    service = Service("streak", config=Config, consumers=parts, resources=lambda _, __: resources)
    return App(service, msgspec.structs.replace(bare_world.config(service, {}), **changes), TIMEOUTS)


async def connections(bare_world: BareWorld) -> int:
    """Sessions of the service; those that a pooler keeps for the next one do not count."""
    if bare_world.testbed.pooler:
        return 0
    return int(
        await bare_world.superuser.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND usename = 'unora_streak'", bare_world.database
        )
    )


async def require_all_closed(bare_world: BareWorld, resources: Resources, tasks: set[asyncio.Task[Any]]) -> None:
    async def closed() -> bool:
        return resources.closed and not await connections(bare_world) and not asyncio.all_tasks() - tasks

    await eventually(closed, "all is closed")


async def test_a_part_that_cannot_be_made_ends_the_start_and_closes_what_was_opened(bare_world: BareWorld) -> None:
    resources, tasks = Resources(), asyncio.all_tasks()
    app = make_app(bare_world, resources, broken=True)
    with pytest.raises(ConfigError, match="no such provider"):
        await app.open()
    await require_all_closed(bare_world, resources, tasks)
    await app.close()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("mysql://unora_streak@127.0.0.1/none", "begins with postgresql://"),
        ("postgresql://unora_streak@db/none", "leads to db without TLS that checks the server"),
    ],
)
async def test_an_address_that_is_not_of_postgres_or_not_safe_ends_the_start(
    bare_world: BareWorld, address: str, said: str
) -> None:
    resources, tasks = Resources(), asyncio.all_tasks()
    app = make_app(bare_world, resources, database_url=address)
    with pytest.raises(ConfigError, match=said):
        await app.open()
    await require_all_closed(bare_world, resources, tasks)
    await app.close()


async def test_an_address_of_nats_that_cannot_be_read_ends_the_start(bare_world: BareWorld) -> None:
    resources, tasks = Resources(), asyncio.all_tasks()
    app = make_app(bare_world, resources, nats_url="tls://[")
    with pytest.raises(ConfigError, match="UNORA_NATS_URL cannot be used"):
        await app.open()
    await require_all_closed(bare_world, resources, tasks)
    await app.close()


async def test_a_start_that_is_cancelled_while_it_waits_for_nats_closes_what_was_opened(bare_world: BareWorld) -> None:
    resources, tasks = Resources(), asyncio.all_tasks()
    app = make_app(bare_world, resources, nats_url=f"tls://{NOWHERE}")
    starting = asyncio.ensure_future(app.open())

    async def connected() -> bool:
        return hasattr(app, "messaging") and app.messaging._connecting is not None

    await eventually(connected, "the start waits for NATS")
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await require_all_closed(bare_world, resources, tasks)
    await app.close()


async def test_a_start_that_is_cancelled_while_nats_takes_the_connection_and_says_nothing_ends(
    bare_world: BareWorld,
) -> None:
    """TLS has begun, and is not agreed."""
    resources, tasks = Resources(), asyncio.all_tasks()
    async with silent_server() as (port, asked):
        app = make_app(bare_world, resources, nats_url=f"tls://127.0.0.1:{port}")
        starting = asyncio.ensure_future(app.open())
        await within(asked.wait())
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await within(starting)
        await require_all_closed(bare_world, resources, tasks)


async def test_a_process_may_be_closed_before_it_was_opened_and_twice(bare_world: BareWorld) -> None:
    resources = Resources()
    app = make_app(bare_world, resources)
    await app.close()
    await app.open()
    await app.close()
    assert resources.closed
    assert await connections(bare_world) == 0
    await app.close()


async def test_connecting_to_nats_that_fails_after_the_start_is_logged_and_begins_anew(
    bare_world: BareWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, may_fail, tries = Messaging._connect, asyncio.Event(), 0

    async def fails_once(self: Messaging) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            await may_fail.wait()
            raise RuntimeError("not foreseen")
        await connect(self)

    monkeypatch.setattr(Messaging, "_connect", fails_once)
    monkeypatch.setattr(messaging, "RETRY_DELAY", 0.0)
    app, log = make_app(bare_world, Resources()), StringIO()
    app.log = logger("streak", "info", log)
    app.timeouts = replace(TIMEOUTS, nats_start=0.01)
    await app.open()
    app.work()
    may_fail.set()
    await within(app.messaging.connected())
    lines = [msgspec.json.decode(line) for line in log.getvalue().splitlines()]
    assert [(line["event"], line.get("error")) for line in lines] == [
        ("nats does not answer yet", None),
        ("connecting to nats failed", "RuntimeError"),
    ]
    await app.close()


async def test_work_that_ends_before_the_process_does_is_logged(
    bare_world: BareWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        raise RuntimeError("not foreseen")

    app, log = make_app(bare_world, Resources()), StringIO()
    app.tasks = Tasks(logger("streak", "info", log))
    await app.open()
    monkeypatch.setattr(app.messaging, "connected", fail)
    app.work()
    await eventually(lambda: '"work ended"' in log.getvalue(), "the end is logged")
    assert "RuntimeError" in log.getvalue()
    await app.close()
    assert log.getvalue().count('"work ended"') == 1
