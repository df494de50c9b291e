"""Postgres goes away while a process works: a lost connection is UNAVAILABLE, and every effect happens exactly once."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import grpc
import pytest
from unora.streak.v1.events_pb2 import CheckedIn
from unora.streak.v1.streak_service_pb2 import GetStreakRequest
from unora_common.database import Session
from unora_common.ids import uuid7
from unora_testing.deadlines import GENEROUS, eventually

from tests.integration.common.bare_world import BareWorld, Probe, check_in_request

ROUNDS = 10
CALLERS = 8
"""How many read, and how many write, at the same time; the pool has 6 connections."""
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'unora_streak' AND datname = $1"


class Reading(Probe):
    """GetStreak reads: two statements, so that a connection may be lost before, between and after them."""

    async def read(self, request: GetStreakRequest, db: Session) -> None:
        await db.value("SELECT count(*) FROM streak.probe")
        await asyncio.sleep(0)
        await db.value("SELECT 1")


class Load:
    """Members that call without a pause. A write is repeated, with its request id, until it is answered."""

    def __init__(self, bare_world: BareWorld, stub: Any) -> None:
        self._stub = stub
        self._metadata = bare_world.caller().metadata
        self.codes: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        """Refusals by status and text."""
        self.written: list[str] = []
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Load:
        self._tasks = [asyncio.ensure_future(work()) for work in (self._read, self._write) for _ in range(CALLERS)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        await asyncio.gather(*self._tasks)

    async def answered(self, more: int) -> None:
        """Returns when so many more calls were answered."""
        target = self.codes["OK"] + more
        await eventually(lambda: self.codes["OK"] >= target, f"{more} more answers; so far {self.codes}")

    async def _read(self) -> None:
        while not self._stopping:
            await self._call(self._stub.GetStreak, GetStreakRequest(streak_id=str(uuid7())))

    async def _write(self) -> None:
        while not self._stopping:
            request = check_in_request()
            while not await self._call(self._stub.CheckIn, request):
                await asyncio.sleep(0)
            self.written.append(request.streak_id)

    async def _call(self, method: Any, request: Any) -> bool:
        try:
            await method(request, metadata=self._metadata, timeout=GENEROUS)
        except grpc.aio.AioRpcError as error:
            self.codes[error.code().name] += 1
            self.refused[f"{error.code().name} {error.details()}"] += 1
            return False
        self.codes["OK"] += 1
        return True


@pytest.mark.rule("XX-02", "BI-08")
async def test_connections_that_are_lost_under_load_refuse_calls_as_unavailable_and_lose_and_double_nothing(
    bare_world: BareWorld,
) -> None:
    async with Load(bare_world, await bare_world.probe(Reading)) as load:
        for _ in range(ROUNDS):
            await load.answered(50)
            await bare_world.superuser.execute(TERMINATE.replace("$1", f"'{bare_world.database}'"))
        await load.answered(50)
    assert set(load.codes) == {"OK", "UNAVAILABLE"}, load.refused
    assert sorted(await bare_world.keys()) == sorted(load.written)
    events = await bare_world.superuser.fetch("SELECT aggregate_id::text AS id FROM streak.outbox")
    assert sorted(row["id"] for row in events) == sorted(load.written)
    assert not [line for line in bare_world.logged() if line["level"] == "error"]
    assert CheckedIn.DESCRIPTOR  # the events above are this one
