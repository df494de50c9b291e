"""A rebuild that a signal stops: at once, with status 130, and nothing of it goes on (XX-08)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals
from typing import Any

import pytest
from unora_common.ids import uuid7
from unora_common.rebuilding import Rebuild
from unora_streak.use_cases.rebuild import parts
from unora_testing.deadlines import eventually, within
from unora_testing.world import World

from tests.integration.common.processes import ServiceProcess, addresses
from tests.integration.common.proxy import silent_server
from tests.integration.projections.projected_rows import ORDER
from tests.roles import WAITS_HERE

pytestmark = pytest.mark.rule("XX-08")


@pytest.mark.parametrize("context", ORDER)
async def test_ctrl_c_stops_it_in_every_context_while_it_waits_for_rows(
    world: World, context: str, tmp_path: Path
) -> None:
    process = ServiceProcess(world, context, tmp_path, "rebuild", **addresses(world))
    superuser = world.superuser_of(context)
    try:
        async with superuser.transaction():
            await superuser.execute(f"LOCK TABLE {context}.rebuilds")
            await process.start()

            async def waits() -> bool:
                process.process.check()
                return bool(
                    await superuser.fetchval(
                        f"SELECT count(*) FROM pg_locks WHERE relation = $1::regclass AND {WAITS_HERE}",
                        f"{context}.rebuilds",
                    )
                )

            await eventually(waits, "the rebuild waits for its table")
            assert await process.stop([SIGINT]) == 130, process.lines()
            assert process.lines()[-1] == f"unora_{context}: rebuild was stopped"
            assert not [line for line in process.lines() if "Traceback" in line]
    finally:
        await process.end()


@pytest.mark.parametrize("number", [SIGINT, SIGTERM])
async def test_it_is_not_done_when_it_is_stopped_before_it_has_begun(
    world: World, tmp_path: Path, number: Signals
) -> None:
    """It still connects: NATS takes the connection, and says nothing."""
    async with silent_server() as (port, asked):
        variables = addresses(world) | {"NATS_URL": f"tls://127.0.0.1:{port}"}
        process = ServiceProcess(world, "streak", tmp_path, "rebuild", **variables)
        try:
            await process.start()
            await within(asked.wait())
            assert await process.stop([number]) == 130, process.lines()
            assert process.lines()[-1] == "unora_streak: rebuild was stopped"
        finally:
            await process.end()


async def test_the_page_that_is_being_read_ends_with_the_one_that_is_applied(world: World) -> None:
    """Else its statement would still run when the connections are closed."""
    for _ in range(3):
        await world.superuser.execute(
            """INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, version)
            VALUES ($1, 'plus', 0, false, 0, 1)""",
            uuid7(),
        )
    tiers = parts(world.apps["streak"].runtime)[0]
    applying, reading, never, ended = asyncio.Event(), asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def ask(token: str, size: int) -> tuple[list[Any], str]:
        if token:
            reading.set()
            try:
                await never.wait()
            finally:
                ended.set()
        return await tiers.ask(token, size)

    async def apply(*_: Any) -> None:
        applying.set()
        await never.wait()

    work = Rebuild(world.apps["streak"].runtime.database, [replace(tiers, ask=ask, apply=apply, size=1)])
    (progress,) = await work.begin(restart=True)
    running = asyncio.ensure_future(anext(work.run(progress)))
    await within(asyncio.gather(applying.wait(), reading.wait()))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await within(ended.wait())
