"""Crash safety of what is done about all that is kept of a member: an erasure, and an export.

Whichever service is killed at whichever step, the member is erased, and told of once; and the archive is made.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID
from zipfile import ZipFile

import asyncpg
import pytest
import pytest_asyncio
from unora.identity.v1.export_service_pb2 import EXPORT_STATE_MAKING, EXPORT_STATE_READY
from unora_common.config import CONTEXTS
from unora_common.ids import uuid7
from unora_local.clock import Clock
from unora_local.env import Env
from unora_testing.deadlines import GENEROUS, eventually

from tests.e2e.crashes import Crashes, Point, Step
from tests.e2e.saga_couples import MemberApps
from tests.e2e.stack import REDELIVERED_AFTER, Stack
from tests.integration.identity.objects import fetch

ASKED: Final = [context for context in CONTEXTS if context != "identity"]
BEGUN = Step("identity", "identity.erasures", "NEW.receipts = '{}'")
OBJECTS = Step("identity", "identity.erasures", "NEW.receipts = '{objects}'")
NOTED = [Step(context, f"{context}.erased_members", "NEW.erased_at IS NULL") for context in ASKED]
FINISHED = [Step(context, f"{context}.erased_members", "NEW.erased_at IS NOT NULL") for context in CONTEXTS]
DONE = Step("identity", "identity.erasures", "NEW.erased_at IS NOT NULL")
STEPS = (BEGUN, OBJECTS, *NOTED, *FINISHED, DONE)
HALF_MADE = Step("identity", "identity.exports", "NEW.state = 'making' AND NEW.steps_done = 4")
MADE = Step("identity", "identity.exports", "NEW.state = 'ready'")
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
        + (SELECT count(*) FROM matching.inventory WHERE user_id = $1 AND NOT closed)
        + (SELECT count(*) FROM streak.tiers WHERE user_id = $1)
        + (SELECT count(*) FROM reveal.tiers WHERE user_id = $1)
        + (SELECT count(*) FROM billing.accounts WHERE user_id = $1 AND provider_customer_id IS NOT NULL)
        + (SELECT count(*) FROM safety.activity WHERE user_id = $1)"""


@dataclass
class Erasures:
    """A stack whose members close their accounts."""

    apps: MemberApps
    clock: Clock
    crash: Crashes

    async def add_closed(self) -> UUID:
        """A member who has just closed the account, with something in each context."""
        member = uuid7()
        for statement in MEMBER:
            await self.clock.superuser.execute(statement, member)
        return member

    async def end_claims(self) -> None:
        """As if the five minutes of the process that is gone had passed: a claim goes by the machine's clock."""
        await self.clock.superuser.execute(
            "UPDATE identity.exports SET claimed_until = clock_timestamp() WHERE state = 'making'"
        )

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
    with stack.up(then="clean", UNORA_REDELIVERY_SECONDS=REDELIVERED_AFTER):
        env = Env.read(stack.folder.env)
        holder = await asyncpg.connect(env.postgres)
        async with Clock(env, GENEROUS) as clock:
            crash = Crashes(stack, env, clock.superuser, holder)
            await crash.add_triggers(*STEPS, HALF_MADE, MADE)
            apps = MemberApps(env, clock, (stack.folder.path / "keys" / "token.pem").read_text())
            yield Erasures(apps, clock, crash)
            await apps.close()
            await holder.close()


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


@pytest.mark.rule("ID-10", "XX-02")
@pytest.mark.parametrize("point", list(Point), ids=lambda point: point.name.lower())
async def test_an_export_goes_on_after_a_kill_in_the_middle_and_at_its_end(erasures: Erasures, point: Point) -> None:
    """Identity is killed with the archive half made, and the process that begins it anew as it takes note of it."""
    apps, crash = erasures.apps, erasures.crash
    member = await apps.sign_up()
    await crash.hold(point, HALF_MADE, MADE)
    asked = await apps.ask_for_export(member)
    await crash.kill_held(point, HALF_MADE)
    assert (await apps.get_export(member)).export.state == EXPORT_STATE_MAKING
    await erasures.end_claims()
    await crash.kill_held(point, MADE)
    await erasures.end_claims()

    sql, made = erasures.clock.superuser.fetchval, "SELECT state = 'ready' FROM identity.exports WHERE user_id = $1"
    await eventually(lambda: sql(made, member.user), "the archive is made")
    got = await apps.get_export(member)
    assert (got.export.export_id, got.export.state) == (asked.export_id, EXPORT_STATE_READY)
    status, data = await fetch(got.link)
    assert (status, len(data)) == (200, got.export.size)
    archive = ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    assert {f"{context}.json" for context in CONTEXTS} < set(archive.namelist())
    tries = await erasures.clock.superuser.fetchval(
        "SELECT tries FROM identity.exports WHERE user_id = $1", member.user
    )
    assert tries == (3 if point is Point.BEFORE_COMMIT else 2), "no process but those that were killed began it anew"
