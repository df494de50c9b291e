"""A start that fails half-way closes all that it has opened, and raises the error that stopped it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from nats.errors import Error as NatsError
from unora_common.app import App
from unora_common.config import Config, ConfigError
from unora_common.runtime import Runtime
from unora_common.service import Service
from unora_testing.deadlines import TIMEOUTS, eventually

from tests.integration.common.bare_world import BareWorld

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
    service = Service("streak", config=Config, consumers=parts, resources=lambda _: resources)
    return App(service, msgspec.structs.replace(bare_world.config(service, {}), **changes), TIMEOUTS)


async def connections(bare_world: BareWorld) -> int:
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


async def test_an_address_that_is_not_of_postgres_ends_the_start(bare_world: BareWorld) -> None:
    resources, tasks = Resources(), asyncio.all_tasks()
    app = make_app(bare_world, resources, database_url="mysql://unora_streak@127.0.0.1/none")
    with pytest.raises(ConfigError, match="begins with postgresql://"):
        await app.open()
    await require_all_closed(bare_world, resources, tasks)
    await app.close()


async def test_an_address_of_nats_that_cannot_be_read_ends_the_start(bare_world: BareWorld) -> None:
    resources, tasks = Resources(), asyncio.all_tasks()
    app = make_app(bare_world, resources, nats_url="nats://[")
    with pytest.raises((NatsError, ValueError)):
        await app.open()
    await require_all_closed(bare_world, resources, tasks)
    await app.close()


async def test_a_start_that_is_cancelled_while_it_waits_for_nats_closes_what_was_opened(bare_world: BareWorld) -> None:
    resources, tasks = Resources(), asyncio.all_tasks()
    app = make_app(bare_world, resources, nats_url=f"nats://{NOWHERE}")
    starting = asyncio.ensure_future(app.open())

    async def connected() -> bool:
        return hasattr(app, "messaging") and app.messaging._connecting is not None

    await eventually(connected, "the start waits for NATS")
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await require_all_closed(bare_world, resources, tasks)
    await app.close()


async def test_a_process_may_be_closed_before_it_was_opened_and_twice(bare_world: BareWorld) -> None:
    resources = Resources()
    app = make_app(bare_world, resources)
    await app.close()
    await app.open()
    await app.close()
    assert resources.closed
    assert await connections(bare_world) == 0
    await app.close()
