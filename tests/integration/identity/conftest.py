"""Fixtures of the tests of identity."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from unora.identity.v1.account_service_pb2_grpc import AccountServiceStub
from unora_identity.service import service
from unora_testing import replicas
from unora_testing.world import World

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
            app, channel = await opened.enter_async_context(replicas.replica(world, service, **changes))
            return People(world, AccountServiceStub(channel), app, channel)

        yield open_replica
