"""The schema of a context moves to a server of its own by its address alone: nothing reads across schemas."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from unora_local import ports
from unora_local.postgres import Postgres
from unora_testing.invariants import broken
from unora_testing.testbed import Testbed, make_template
from unora_testing.world import World

from tests.integration.money.paying_couple import make_couple


@pytest.fixture(scope="module")
async def split_world(testbed: Testbed) -> AsyncIterator[World]:
    """All services, streak's schema on a second Postgres."""
    folder = Path(testbed.folder) / "second_postgres"
    server = Postgres(
        folder, port=ports.free()[0], password=testbed.secret, log=folder.with_suffix(".log"), fsync=False
    )
    try:
        await server.start()
        second = server.dsn().rpartition("/")[0]
        await make_template(second, ("streak",), testbed.secret)
        world = World(replace(testbed, streak_postgres=second), os.environ.get("PYTEST_XDIST_WORKER", "main"))
        await world.start()
        yield world
        await world.stop()
    finally:
        await server.stop()
        server.erase()


@pytest.mark.rule("XX-02")
async def test_a_couple_goes_its_way_with_streak_on_another_server(split_world: World) -> None:
    couple = await make_couple(split_world)
    await couple.complete_days(2)
    await couple.miss()
    payment_id = await couple.payer.pay()
    assert await couple.payer.status(payment_id) == "APPLIED"
    streak = await couple.now()
    assert (await couple.state(), streak.completed_days, streak.current_day) == ("ACTIVE", 2, 3)
    # The invariants read all schemas, streak's as foreign tables. The couple was made without cards.
    assert [each.name for each in await broken(split_world.superuser) if "DI-01" not in each.rules] == []


async def test_streaks_tables_are_on_the_other_server_alone(split_world: World) -> None:
    kinds = await split_world.superuser.fetch(
        "SELECT DISTINCT relkind FROM pg_class WHERE relnamespace = 'streak'::regnamespace AND relname = 'streaks'"
    )
    assert [each["relkind"] for each in kinds] == [b"f"]
    async with split_world.apps["streak"].database.session() as session:
        port = await session.value("SELECT inet_server_port()")
    assert split_world.testbed.streak_postgres.endswith(f":{port}")
