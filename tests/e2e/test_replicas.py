"""Two processes of each context: restarts in turn and a killed leader lose nothing. The journey plays on two, too."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import psutil
import pytest
from unora_local import health
from unora_local.clock import Clock
from unora_local.env import Env
from unora_local.keyboard.people import People
from unora_local.keyboard.sessions import session_of
from unora_local.run_folder import Row
from unora_local.tls import Certificate
from unora_testing.deadlines import GENEROUS, eventually, within
from unora_upgrade import checks
from unora_upgrade.load import Load, by_grpc
from unora_upgrade.repeating import Tally

from tests.e2e.stack import STARTED_WITHIN, Stack

MEMBERS = 8
DAY_SECONDS = 3.0
RESTARTED = ("identity", "streak")
LEADER = """
    SELECT a.client_port FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND a.usename = 'unora_streak'
    AND l.objid::bigint = hashtext('relay streak')::bigint & 4294967295"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    made = Stack(tmp_path_factory.mktemp("replicas") / "run")
    with made.up("--replicas", "2", then="clean"):
        done = made.run("seed", str(MEMBERS), within=STARTED_WITHIN)
        assert done.returncode == 0, done.stdout + done.stderr
        yield made


@pytest.mark.rule("XX-02")
def test_restarts_in_turn_and_a_killed_leader_lose_no_call_and_no_event(stack: Stack) -> None:
    asyncio.run(_restarted_under_load(stack))


async def _restarted_under_load(stack: Stack) -> None:
    env, people = Env.read(stack.folder.env), People(stack.folder.path)
    async with Clock(env, GENEROUS) as clock, by_grpc(env, Tally()) as gateway:
        sessions = [(await session_of(gateway, env, people, login))[1] for login in people.all()]
        load = Load(env, clock, sessions, day_seconds=DAY_SECONDS)
        async with load:
            await asyncio.gather(*(_restart_in_turn(stack, context) for context in RESTARTED))
            await _kill_the_leader(stack, clock)
            days, joined = load.days, load.joined
            await eventually(lambda: load.days > days and load.joined > joined, "days pass and newcomers join")
        await clock.wait_until_idle()
        found = await checks.all_of(env, clock.superuser, load)
    assert [(check.name, check.faults) for check in found if not check.ok] == []
    assert load.tally.calls > 100


async def _restart_in_turn(stack: Stack, context: str) -> None:
    """The next one ends when clients have found the last one again, both those by gRPC and the gateway."""
    for name in (context, f"{context}-2"):
        log = stack.folder.logs / f"{name}.log"
        await _until_it_runs_again(stack, name, signal.SIGTERM)
        begin = log.read_text().rindex('"event":"serving"')
        for caller in ("developer", "gateway"):
            called = f'"caller":"{caller}"'
            await eventually(lambda: called in log.read_text()[begin:], f"{name} is called by {caller}")  # noqa: B023


async def _kill_the_leader(stack: Stack, clock: Clock) -> None:
    async def leader() -> str | None:
        """The process that leads; none for a moment after a restart."""
        port = await clock.superuser.fetchval(LEADER)
        return next((name for name in ("streak", "streak-2") if port in _ports(stack.row(name))), None)

    leads = await eventually(leader, "one of the two leads the relay")
    assert leads is not None
    await _until_it_runs_again(stack, leads, signal.SIGKILL)
    follows = stack.row("streak-2" if leads == "streak" else "streak")

    async def led() -> bool:
        return await clock.superuser.fetchval(LEADER) in _ports(follows)

    await eventually(led, "the other process leads the relay")


async def _until_it_runs_again(stack: Stack, name: str, how: signal.Signals) -> None:
    before = stack.row(name)
    os.kill(before.pid, how)
    await eventually(lambda: stack.runs_again(before), f"{name} runs again")
    developer = Certificate(*Env.read(stack.folder.env).certificate_files())
    await within(health.ready(before.address, developer), STARTED_WITHIN)


def _ports(row: Row) -> set[int]:
    return {each.laddr.port for each in psutil.Process(row.pid).net_connections("tcp") if each.laddr}
