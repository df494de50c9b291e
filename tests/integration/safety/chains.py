"""Chains that tests may break. Their rows are deleted before and after each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from unora_common.app import App
from unora_common.ids import uuid7
from unora_safety.consumers.audit_log import record
from unora_sdk.deliveries import Envelope
from unora_testing.world import World

SOURCE = "billing"
ALSO = "reveal"


def envelopes(count: int) -> list[Envelope]:
    """`count` events as the stream delivers them."""
    return [
        Envelope(str(uuid7()), "unora.billing.v1.thing_paid", str(uuid7()), "2026-03-01T12:00:00.000001Z", bytes([i]))
        for i in range(count)
    ]


async def append(app: App[Any, Any], events: list[Envelope], source: str = SOURCE) -> None:
    """Records events in one transaction, as a consumer does."""
    async with app.database.transaction() as tx:
        await record(source, events, tx)


@asynccontextmanager
async def tampering(world: World) -> AsyncIterator[Any]:
    """SQL that fires no trigger, which only a superuser can run."""
    await world.superuser.execute("SET session_replication_role = replica")
    try:
        yield world.superuser
    finally:
        await world.superuser.execute("RESET session_replication_role")


async def erase(world: World) -> None:
    """Deletes these chains, so that a test begins with new ones and later tests do not see broken ones."""
    async with tampering(world) as sql:
        await sql.execute("DELETE FROM safety.audit_logs WHERE source_context = ANY($1)", [SOURCE, ALSO])
        await sql.execute("DELETE FROM safety.audit_chain_heads WHERE source_context = ANY($1)", [SOURCE, ALSO])
        await sql.execute("DELETE FROM safety.audit_index WHERE source_context = ANY($1)", [SOURCE, ALSO])
        begin = "UPDATE safety.audit_index_heads SET number = 0, recorded_at = NULL WHERE source_context = ANY($1)"
        await sql.execute(begin, [SOURCE, ALSO])
