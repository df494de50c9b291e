"""The commands, run as a person runs them, on real servers, with stand-ins for the services."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from unora_local import postgres_home
from unora_local.cli import STOPS_WITHIN
from unora_local.run_folder import Row, RunFolder, start_time
from unora_local.up import READY_WITHIN
from unora_testing.deadlines import GENEROUS, PATIENCE, wait_until

COMMAND_WITHIN = (READY_WITHIN + STOPS_WITHIN) * PATIENCE
STANDIN = [sys.executable, str(Path(__file__).with_name("standin.py"))]


class Commands:
    def __init__(self, folder: Path) -> None:
        self.folder = RunFolder(folder)
        self._environment = os.environ | {"STANDIN_FOLDER": str(folder)}
        self.output = folder.parent / "output"

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*STANDIN, command],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_WITHIN,
            check=False,
        )

    def up(self) -> subprocess.Popen[bytes]:
        with self.output.open("wb") as output:
            process = subprocess.Popen([*STANDIN, "up"], env=self._environment, stdout=output, stderr=output)
        self.until(lambda: "is ready" in self.output.read_text() or process.poll() is not None, COMMAND_WITHIN)
        assert process.poll() is None, self.output.read_text()
        assert self.folder.env.exists()
        return process

    def until(self, condition: Callable[[], bool], seconds: float = GENEROUS) -> None:
        wait_until(condition, self.output.read_text, seconds)


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    made = Commands(tmp_path / "run")
    yield made
    made.run("clean")


def alive(rows: list[Row]) -> list[str]:
    return [row.name for row in rows if start_time(row.pid) == row.started]


def test_a_stack_from_its_first_start_to_its_end(commands: Commands) -> None:
    up = commands.up()
    rows = commands.folder.rows()
    names = {row.name for row in rows}
    assert names == {"postgres", "nats", "seaweed", "identity", "streak"}
    assert all(row.address in commands.output.read_text() for row in rows)

    again = commands.run("up")
    assert (again.returncode, "runs already" in again.stdout) == (0, True)
    assert commands.run("status").returncode == 0

    (streak,) = (row for row in rows if row.name == "streak")
    os.kill(streak.pid, signal.SIGKILL)
    commands.until(lambda: "streak runs again" in commands.output.read_text())
    assert "streak died (signal 9)" in commands.output.read_text()

    rows = commands.folder.rows()
    up.kill()
    up.wait()
    commands.until(lambda: not alive(rows))
    assert commands.run("status").returncode == 1

    kept = (commands.folder.path / "ports.json").read_text(), (commands.folder.path / "passwords.json").read_text()
    up = commands.up()
    assert kept == (
        (commands.folder.path / "ports.json").read_text(),
        (commands.folder.path / "passwords.json").read_text(),
    )
    rows = commands.folder.rows()
    children = psutil.Process(up.pid).children(recursive=True)
    assert "has stopped" in commands.run("down").stdout
    assert up.wait() == 0
    assert not alive(rows)
    assert not any(child.is_running() for child in children)
    assert not commands.folder.env.exists()
    assert commands.run("down").returncode == 0

    assert commands.run("clean").returncode == 0
    assert not commands.folder.path.exists()
    assert not postgres_home.outside(commands.folder.path / "postgres").exists()


def test_a_service_that_cannot_start_ends_the_start_with_its_reason(commands: Commands) -> None:
    commands.folder.path.mkdir()
    (commands.folder.path / "die").touch()
    done = commands.run("up")
    assert done.returncode == 1
    assert "died 3 times" in done.stdout
    assert "cannot go on" in done.stdout
    assert not commands.folder.env.exists()
    assert json.loads((commands.folder.path / "processes.json").read_text()) == []
