"""Crash safety of erasures: whichever service is killed at whichever step, the member is erased, and told of once."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from unora_common.config import CONTEXTS
from unora_common.ids import uuid7
from unora_local.clock import Clock
from unora_local.env import Env
from unora_testing.deadlines import GENEROUS

from tests.e2e.crashes import Crashes, Point, Step
from tests.e2e.stack import STARTED_WITHIN, Stack

ASKED: Final = [context for context in CONTEXTS if context != "identity"]
BEGUN = Step("identity", "identity.erasures", "NEW.receipts = '{}'")
OBJECTS = Step("identity", "identity.erasures", "NEW.receipts = '{objects}'")
NOTED = [Step(context, f"{context}.erased_members", "NEW.erased_at IS NULL") for context in ASKED]
FINISHED = [Step(context, f"{context}.erased_members", "NEW.erased_at IS NOT NULL") for context in CONTEXTS]
DONE = Step("identity", "identity.erasures", "NEW.erased_at IS NOT NULL")
STEPS = (BEGUN, OBJECTS, *NOTED, *FINISHED, DONE)
REDELIVERED_AFTER: Final = "3"
"""Seconds until the stream delivers an event again; the default is longer."""
MEMBER: Final = (
    """INSERT INTO identity.users (id, phone_hash, phone_sealed, data_key, created_at, version, closed_at, erase_after)
       VALUES ($1::uuid, sha256(uuid_send($1::uuid)), 'sealed', 'key', clock.now(), 7, clock.now(),
               clock.now() + interval '30 days')""",
    "INSERT INTO identity.profiles (user_id, name) VALUES ($1, 'Mirabel')",
    "INSERT INTO discovery.refresh_timers (user_id) VALUES ($1)",
    """INSERT INTO matching.inventory (user_id, tier, active_connection_count, connection_limit, version)
       VALUES ($1, 'free', 0, 1, 3)""",
    "INSERT INTO streak.tiers (user_id, tier, version) VALUES ($1, 'plus', 3)",
    "INSERT INTO reveal.tiers (user_id, tier, version) VALUES ($1, 'plus', 3)",
    """INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, provider_customer_id, version)
       VALUES ($1, 'free', 0, false, 0, 'cus_mirabel', 3)""",
    "INSERT INTO safety.activity (user_id, kind, day, count) VALUES ($1, 'interests', current_date, 2)",
)
LEFT: Final = """
    SELECT (SELECT count(*) FROM identity.users WHERE id = $1::uuid)
        + (SELECT count(*) FROM identity.profiles WHERE user_id = $1)
        + (SELECT count(*) FROM discovery.refresh_timers WHERE user_id = $1)
        + (SELECT count(*) FROM matching.inventory WHERE user_id = $1)
        + (SELECT count(*) FROM streak.tiers WHERE user_id = $1)
        + (SELECT count(*) FROM reveal.tiers WHERE user_id = $1)
        + (SELECT count(*) FROM billing.accounts WHERE user_id = $1 AND provider_customer_id IS NOT NULL)
        + (SELECT count(*) FROM safety.activity WHERE user_id = $1)"""


@dataclass
class Erasures:
    """A stack whose members close their accounts."""

    clock: Clock
    crash: Crashes

    async def add_closed(self) -> UUID:
        """A member who has just closed the account, with something in each context."""
        member = uuid7()
        for statement in MEMBER:
            await self.clock.superuser.execute(statement, member)
        return member

    async def told(self, member: UUID) -> dict[str, int]:
        """How often each context has told of the erasure, and identity of its beginning and its end."""
        sql = self.clock.superuser.fetchval
        erasure = await sql("SELECT id FROM identity.erasures WHERE user_id = $1", member)
        found = {
            context: await sql(f"SELECT count(*) FROM {context}.outbox WHERE aggregate_id = $1", erasure)
            for context in ASKED
        }
        for event in ("account_erasure_requested", "account_erased"):
            found[event] = await sql(
                "SELECT count(*) FROM identity.outbox WHERE aggregate_id = $1 AND subject = $2",
                *(member, f"unora.identity.v1.{event}"),
            )
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def erasures(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Erasures]:
    """One stack, whose streams soon deliver again what was not acknowledged."""
    stack = Stack(tmp_path_factory.mktemp("erasures") / "run")
    environment = os.environ | {"UNORA_REDELIVERY_SECONDS": REDELIVERED_AFTER}
    with stack.output.open("wb") as output:
        up = subprocess.Popen(  # noqa: ASYNC220 - it runs beside the tests
            stack.command("up"), stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=environment
        )
    try:
        await asyncio.to_thread(stack.until, lambda: stack.folder.env.exists() or up.poll() is not None, STARTED_WITHIN)
        assert stack.folder.env.exists(), stack.output.read_text()
        env = Env.read(stack.folder.env)
        holder = await asyncpg.connect(env.postgres)
        async with Clock(env, GENEROUS) as clock:
            crash = Crashes(stack, env, clock.superuser, holder)
            await crash.add_triggers(*STEPS)
            yield Erasures(clock, crash)
            await holder.close()
    finally:
        await asyncio.to_thread(stack.run, "clean")
        up.wait()


@pytest.mark.rule("ID-09", "XX-02")
@pytest.mark.parametrize("point", list(Point), ids=lambda point: point.name.lower())
async def test_an_erasure_goes_on_after_a_kill_at_each_step(erasures: Erasures, point: Point) -> None:
    """All seven services are killed at each step: as they begin, note the member, delete the last rows, and as identity
    takes the last receipt.
    """
    crash, clock = erasures.crash, erasures.clock
    member = await erasures.add_closed()
    assert await clock.superuser.fetchval(LEFT, member) == 8
    await crash.hold(point, *STEPS)
    await clock.superuser.execute("UPDATE clock.shift SET ahead = ahead + $1", timedelta(days=30, minutes=1))
    await crash.kill_held(point, BEGUN)
    await crash.kill_held(point, OBJECTS, *NOTED)
    await crash.kill_held(point, *FINISHED)
    await crash.kill_held(point, DONE)
    await clock.wait_until_idle()
    assert await clock.superuser.fetchval(LEFT, member) == 0
    assert set((await erasures.told(member)).values()) == {1}
