"""More processes of the services that a world runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import grpc
from unora_common.app import App
from unora_testing import replicas
from unora_testing.world import World

S = TypeVar("S")


@asynccontextmanager
async def replica(world: World, context: str, **changes: Any) -> AsyncIterator[App[Any, Any]]:
    """Another process of a service: its own pool, NATS connection, consumers and server, without background tasks."""
    async with replicas.replica(world, world.apps[context].service, **changes) as made:
        yield made.app


@asynccontextmanager
async def stub_of(world: World, app: App[Any, Any], stub: Callable[[grpc.aio.Channel], S]) -> AsyncIterator[S]:
    """A client of one process, with the gateway's certificate."""
    assert app.server is not None
    async with stub_at(world, app.context, app.server.address, stub) as made:
        yield made


@asynccontextmanager
async def stub_at(world: World, context: str, address: str, stub: Callable[[grpc.aio.Channel], S]) -> AsyncIterator[S]:
    """A client of the process at an address, with the gateway's certificate."""
    ca, certificate, private = world.certificates["gateway"].read()
    credentials = grpc.ssl_channel_credentials(ca, private, certificate)
    options = [("grpc.ssl_target_name_override", f"{context}.unora")]
    async with grpc.aio.secure_channel(address, credentials, options=options) as channel:
        yield stub(channel)
