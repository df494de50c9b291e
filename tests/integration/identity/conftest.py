"""Fixtures of the tests of identity."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest
from unora.identity.v1.account_service_pb2_grpc import AccountServiceStub
from unora_common.app import App
from unora_identity.service import service
from unora_testing.deadlines import TIMEOUTS
from unora_testing.world import World, load_keys_and_revocations

from tests.integration.identity.people import People

Replica = Callable[..., Awaitable[People]]


@pytest.fixture
def people(world: World) -> People:
    return People(world)


@pytest.fixture
async def replica(world: World) -> AsyncIterator[Replica]:
    """Opens another process of identity, on the same database, with other numbers; returns People who call it."""
    async with AsyncExitStack() as opened:

        async def open_replica(**changes: Any) -> People:
            app: App[Any, Any] = App(service, world.config(service, {}, **changes), TIMEOUTS)
            await app.open()
            opened.push_async_callback(app.close)
            await app.serve()
            assert app.server is not None
            await app.server.set_ready(True)
            app.config.peers.update(world.apps["identity"].config.peers)
            await load_keys_and_revocations(app)
            ca, certificate, private = world.certificates["gateway"].read()
            channel = await opened.enter_async_context(
                grpc.aio.secure_channel(
                    app.server.address,
                    grpc.ssl_channel_credentials(ca, private, certificate),
                    options=[("grpc.ssl_target_name_override", "identity.unora")],
                )
            )
            return People(world, AccountServiceStub(channel), app, channel)

        yield open_replica
