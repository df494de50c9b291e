"""Another process of a service, on the same database, with other numbers in its configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import grpc
from unora_common.app import App
from unora_common.service import Service

from unora_testing.deadlines import TIMEOUTS
from unora_testing.world import World, load_keys_and_revocations


class Replica(NamedTuple):
    """The process, and a channel of the gateway to it."""

    app: App[Any, Any]
    channel: grpc.aio.Channel


@asynccontextmanager
async def replica(world: World, service: Service[Any, Any], **changes: Any) -> AsyncIterator[Replica]:
    """Serves until the block ends."""
    peers = world.apps[service.name].config.peers
    app: App[Any, Any] = App(service, world.config(service, peers, **changes), TIMEOUTS)
    try:
        await app.open()
        await app.serve()
        assert app.server is not None
        await app.server.set_ready(True)
        await load_keys_and_revocations(app)
        ca, certificate, private = world.certificates["gateway"].read()
        async with grpc.aio.secure_channel(
            app.server.address,
            grpc.ssl_channel_credentials(ca, private, certificate),
            options=[("grpc.ssl_target_name_override", f"{service.name}.unora")],
        ) as channel:
            yield Replica(app, channel)
    finally:
        await app.close()
