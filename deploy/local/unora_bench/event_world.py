"""Servers of their own for the measurements of events, and events in any number, made by Postgres."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from unora.matching.v1.events_pb2 import InventoryChanged
from unora_common import declarations
from unora_common.app import App
from unora_common.config import CONTEXTS
from unora_common.runtime import Runtime
from unora_sdk.names import subject_of
from unora_testing.testbed import Servers, Testbed
from unora_testing.world import World, load_keys_and_revocations

ACCOUNT: Final = "bench"
FILL_STEP: Final = 100_000
PLACEHOLDER: Final = UUID("11111111-1111-4111-8111-111111111111")
SUBJECT: Final = subject_of(InventoryChanged)
NOBODY: Final = "127.0.0.1:1"
"""The address of services that are not called here."""

FILL: Final = """
    INSERT INTO matching.outbox (id, aggregate_id, aggregate_version, subject, payload, occurred_at, trace)
    SELECT gen_random_uuid(), member, $3, $4,
        overlay($5::bytea PLACING convert_to(member::text, 'UTF8') FROM 3), clock_timestamp(), repeat('t', 55)
    FROM generate_series($1::bigint, $2::bigint) AS number,
        LATERAL (SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid AS member) AS made"""


@dataclass
class EventWorld:
    """Postgres, NATS and a database; services are opened one by one, without their background work."""

    testbed: Testbed
    world: World
    superuser: asyncpg.Connection[asyncpg.Record]

    async def open(self, context: str, **changes: Any) -> App[Any, Any]:
        """A process of a service, which serves calls; the caller closes it."""
        service = replace(
            declarations.load_service(context), keys=lambda _: self.world.tokens.jwks(), revocations=_none_revoked
        )
        peers = dict.fromkeys(CONTEXTS, NOBODY)
        config = msgspec.structs.replace(self.world.config(service, peers), database_connections=10, **changes)
        app: App[Any, Any] = App(service, config)
        await app.open()
        await app.serve()
        assert app.server is not None
        await app.server.set_ready(True)
        await load_keys_and_revocations(app)
        self.world.apps[context] = app
        return app

    async def fill(self, count: int) -> None:
        """Puts an event of each of `count` members into matching's outbox."""
        for first in range(1, count + 1, FILL_STEP):
            last = min(first + FILL_STEP - 1, count)
            await self.superuser.execute(FILL, first, last, 1, SUBJECT, inventory(PLACEHOLDER, 1))


def inventory(user: UUID, version: int) -> bytes:
    """An event of a member's slots."""
    event = InventoryChanged(user_id=str(user), version=version, active_connection_count=1, connection_limit=4)
    event.occurred_at.GetCurrentTime()
    return event.SerializeToString()


async def _none_revoked(_: Runtime[Any, Any]) -> frozenset[UUID]:
    return frozenset()


@asynccontextmanager
async def event_world() -> AsyncIterator[EventWorld]:
    """Starts the servers; Postgres writes durably."""
    servers = Servers([ACCOUNT], durable=True)
    try:
        testbed = await servers.start()
        world = World(testbed, ACCOUNT)
        await testbed.clone(world.database)
        superuser = await asyncpg.connect(testbed.dsn(world.database))
        drainer = await world.drainer()
        await drainer.reset()
        await drainer.close()
        try:
            yield EventWorld(testbed, world, superuser)
        finally:
            for app in world.apps.values():
                await app.close()
            await superuser.close()
    finally:
        await servers.stop()
