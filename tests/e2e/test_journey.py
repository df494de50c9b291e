"""The journey through real processes, as a person plays it, and a stack that restarts its services."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from unora_common.config import CONTEXTS
from unora_demo.journey import STEPS
from unora_demo.notifier import KINDS
from unora_local import health, postgres_home
from unora_local.clock import Clock
from unora_local.env import Env
from unora_local.tls import Certificate
from unora_testing.deadlines import GENEROUS, within
from unora_tools.events.catalogue import examples

from tests.e2e.stack import STARTED_WITHIN, STOPPED_WITHIN, Stack

DEMO_WITHIN = 20 * GENEROUS
RECORD = "python -m unora_demo --record-events tools/unora_tools/events/examples.json, then make reference"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One folder for all tests here, so that its data are made once."""
    made = Stack(tmp_path_factory.mktemp("e2e") / "run")
    yield made
    made.run("clean")
    assert not postgres_home.outside(made.folder.path / "postgres").exists()


@pytest.mark.rule("ID-10")
@pytest.mark.rule("ID-02", "PR-02", "PR-06", "DI-02", "DI-03", "DI-04", "DI-06", "MA-01", "MA-04", "MA-10", "MA-13")
@pytest.mark.rule(
    "ID-10", "ST-01", "ST-04", "ST-05", "ST-06", "ST-09", "ST-10", "ST-11", "RE-03", "RE-04", "RE-09", "SA-01"
)
def test_the_journey_sees_what_it_expects(stack: Stack, tmp_path: Path) -> None:
    """From nothing: a stack with two processes of each context is started, played on, and stopped."""
    recorded = tmp_path / "events.json"
    done = stack.demo(DEMO_WITHIN, "--replicas", "2", "--record-events", str(recorded))
    assert done.returncode == 0, done.stdout + done.stderr
    assert _shapes(json.loads(recorded.read_text())) == _shapes(examples()), (
        f"the story causes other events than before, or they have other fields: {RECORD}"
    )

    report = json.loads((stack.folder.path / "demo.json").read_text())
    assert list(report) == ["steps", "days", "rpc_calls", "events", "violations", "seconds"]
    assert [step["name"] for step in report["steps"]] == [*(name for name, _ in STEPS), "the invariants"]
    assert all(set(step) == {"name", "ok", "detail"} and step["ok"] is True for step in report["steps"])
    assert report["violations"] == 0
    assert report["days"] == 31
    assert report["rpc_calls"] > 800
    assert report["events"] > 600
    assert report["seconds"] > 0

    for name, _ in STEPS:
        assert f"✓ {name}" in done.stdout
    assert "cycle 1  ● ● ● ◐ ● ● ● ● ● ● ● ● ● ● ○ …" in done.stdout
    assert "cycle 2  ● ● ● ● ● ● ● ● ● ● ● ● ● ● ★" in done.stdout
    assert "pushed by the notifier:" in done.stdout
    for kind in KINDS:  # one that came too late is only reported
        assert re.search(rf"^    {kind} +\d+  to \w|too late for: .*{kind}|it lags", done.stdout, re.MULTILINE), (
            done.stdout
        )
    assert not stack.alive()
    assert stack.run("status").returncode == 1


def test_data_survive_a_restart_and_a_killed_service_runs_again(stack: Stack) -> None:
    """The data survive a restart of the stack; a service that dies is started again, and the output says so."""
    with stack.up() as up:
        env = Env.read(stack.folder.env)
        assert asyncio.run(_completed(env)) == 1

        refused = asyncio.run(_demo_while_the_clock_is_held(stack, env))
        assert (refused.returncode, "another command moves the clock" in refused.stderr) == (1, True)

        before = stack.row("streak")
        os.kill(before.pid, signal.SIGKILL)
        stack.until(lambda: "streak runs again" in stack.output.read_text())
        after = stack.row("streak")
        assert (after.pid, after.address) != (before.pid, before.address)
        assert after.address == before.address
        paths = (Path(env.values[f"UNORA_TLS_{name}"]) for name in ("CA", "CERT", "KEY"))
        asyncio.run(within(health.ready(after.address, Certificate(*paths)), STARTED_WITHIN))
        servers = {"postgres", "nats", "seaweed", "payments", "gateway", "page"}
        assert {row.name for row in stack.folder.rows()} == servers | set(CONTEXTS)

        assert f"{env.gateway} {env.plain_gateway}" in stack.output.read_text()
        door = stack.row("gateway")
        os.kill(door.pid, signal.SIGKILL)
        stack.until(lambda: "gateway runs again" in stack.output.read_text())
        assert stack.row("gateway").address == door.address
        for url in (env.gateway, env.plain_gateway):
            assert asyncio.run(_refused_by_streak(env, url)) == "TOKEN_MISSING"

        assert stack.run("down").returncode == 0
        assert up.wait(STOPPED_WITHIN) == 0
        assert not stack.alive()


async def _demo_while_the_clock_is_held(stack: Stack, env: Env) -> subprocess.CompletedProcess[str]:
    """Only one demo runs on a stack at a time: two would both move its clock."""
    async with Clock(env, GENEROUS):
        return await asyncio.to_thread(stack.demo, DEMO_WITHIN)


async def _refused_by_streak(env: Env, url: str) -> str:
    """The reason with which the service refuses a call of REST that has no token."""
    authority, _, _ = env.certificate_files()
    async with httpx.AsyncClient(base_url=url, verify=ssl.create_default_context(cafile=str(authority))) as web:
        answer = await within(web.get("/v1/dashboard", timeout=GENEROUS))
    assert answer.status_code == 401, answer.text
    return str(answer.json()["reason"])


async def _completed(env: Env) -> int:
    connection = await asyncpg.connect(env.postgres)
    try:
        number: int = await connection.fetchval("SELECT count(*) FROM streak.streaks WHERE streak_state = 'completed'")
        return number
    finally:
        await connection.close()


def _shapes(events: dict[str, Any]) -> dict[str, tuple[set[str], set[str]]]:
    """The names of the headers and of the fields of recorded events, by type: what does not depend on chance."""
    return {name: (set(each["headers"]), set(each["message"])) for name, each in events.items()}
