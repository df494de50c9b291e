"""A whole stack with its Prometheus, whose rules are those of production with shorter times."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import httpx
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora_local.client import Gateway, Session
from unora_local.env import Env
from unora_local.members import sign_up
from unora_local.sms_box import SmsBox
from unora_testing.deadlines import GENEROUS

from tests.e2e.stack import Stack

FACTOR: Final = 30
"""How many times faster time goes in the rules."""
ENDS_WITHIN: Final = 2 * GENEROUS
LOOK_EVERY: Final = 0.25
"""Seconds between two looks at Prometheus, which itself looks once a second."""
CALLS_AT_ONCE: Final = 30
"""Three times as many as a pool has connections."""
GIVES_UP_AFTER: Final = 2.0
STREAK: Final = """
    INSERT INTO streak.streaks (
        id, connection_id, user_a_id, user_b_id, server_type, streak_state, cycle, completed_days, current_day, zone,
        check_in_date, closes_at, here, told_ends_soon, started_at, next_due_at, version)
    VALUES ($1, gen_random_uuid(), '00000000-0000-4000-a000-000000000001', 'ffffffff-ffff-4fff-bfff-000000000001',
        'partner', 'active', 1, 0, 1, 'UTC', current_date, clock.now() + interval '1 hour',
        '{}', false, clock.now() - interval '2 days', clock.now() + interval '1 hour', 1)"""


@dataclass
class Observed:
    """The stack, and what its Prometheus says."""

    stack: Stack
    env: Env
    gateway: Gateway
    member: Session
    prometheus: httpx.AsyncClient

    async def alerts(self) -> list[dict[str, Any]]:
        """The alerts that fire: their labels and their texts."""
        answer = (await self.prometheus.get("/api/v1/alerts")).raise_for_status().json()
        return [each for each in answer["data"]["alerts"] if each["state"] == "firing"]

    async def names(self) -> set[str]:
        """The names of all series."""
        answer = (await self.prometheus.get("/api/v1/label/__name__/values")).raise_for_status().json()
        return set(answer["data"])

    async def query(self, expr: str) -> dict[tuple[tuple[str, str], ...], float]:
        """The values of an expression now, by their labels."""
        answer = (await self.prometheus.get("/api/v1/query", params={"query": expr})).raise_for_status().json()
        return {tuple(sorted(each["metric"].items())): float(each["value"][1]) for each in answer["data"]["result"]}

    async def fires(self, name: str, **labels: str) -> dict[str, Any]:
        """Wait until the alert fires with these labels, and return it."""
        return await self._until(name, labels, firing=True)

    async def ends(self, name: str, **labels: str) -> None:
        """Wait until it does not fire any more."""
        await self._until(name, labels, firing=False)

    async def _until(self, name: str, labels: dict[str, str], *, firing: bool) -> dict[str, Any]:
        wanted = {"alertname": name} | labels
        found: list[dict[str, Any]] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDS_WITHIN):
                while True:
                    found = await self.alerts()
                    mine = [each for each in found if wanted.items() <= each["labels"].items()]
                    if bool(mine) is firing:
                        return mine[0] if mine else {}
                    await asyncio.sleep(LOOK_EVERY)
        verb = "does not fire" if firing else "does not end"
        raise AssertionError(f"{wanted} {verb}; these fire: {[each['labels'] for each in found]}")

    @asynccontextmanager
    async def superuser(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """A connection that may do everything."""
        connection = await asyncpg.connect(self.env.postgres)
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def locked(self, table: str) -> AsyncIterator[None]:
        """Inside the block every statement waits that reads or writes the table."""
        async with self.superuser() as connection, connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield

    @asynccontextmanager
    async def held_streak(self) -> AsyncIterator[None]:
        """Inside the block there is a streak that is due, and somebody's transaction holds it, so that the sweep leaves
        it out. It has no connection, so it is gone before the sweep can get it.
        """
        streak = uuid.uuid4()
        async with self.superuser() as connection, self.superuser() as clock:
            await connection.execute(STREAK, streak)
            async with connection.transaction():
                await connection.execute("SELECT FROM streak.streaks WHERE id = $1 FOR UPDATE", streak)
                await clock.execute("UPDATE clock.shift SET ahead = ahead + interval '2 hours'")
                yield
                await connection.execute("SET LOCAL session_replication_role = replica")  # no trigger keeps it
                await connection.execute("DELETE FROM streak.streaks WHERE id = $1", streak)

    @asynccontextmanager
    async def calls(self) -> AsyncIterator[None]:
        """Inside the block, members call GetAccount all the time, and give up after two seconds."""

        async def call_again_and_again() -> None:
            metadata = (("authorization", f"Bearer {self.member.access_token}"),)
            while True:
                with suppress(Exception):  # that they fail is the fault
                    await self.gateway.accounts.GetAccount(
                        GetAccountRequest(), timeout=GIVES_UP_AFTER, metadata=metadata
                    )

        tasks = [asyncio.create_task(call_again_and_again()) for _ in range(CALLS_AT_ONCE)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def observed(stack: Stack) -> AsyncIterator[Observed]:
    """What runs in a stack that is ready, with one member."""
    env = Env.read(stack.folder.env)
    async with Gateway.at(env) as gateway, httpx.AsyncClient(base_url=stack.row("prometheus").address) as prometheus:
        member = await sign_up(gateway, SmsBox(env.sms_sandbox))
        yield Observed(stack, env, gateway, member, prometheus)
