"""The commands, run as a person runs them, on real servers, with stand-ins for the services."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from unora_local import postgres_home
from unora_local.env import Env
from unora_local.run_folder import LOCK, Row, RunFolder, start_time
from unora_local.stack_commands import STOPS_WITHIN
from unora_local.up import READY_WITHIN
from unora_testing.deadlines import GENEROUS, PATIENCE, wait_until

COMMAND_WITHIN = (READY_WITHIN + STOPS_WITHIN) * PATIENCE
OLD = Path("tls", "old.pem")
PLANTED = {
    **dict.fromkeys(("AWS_SESSION_TOKEN", "PGPASSWORD", "GITHUB_TOKEN", "UNORA_STRIPE_SECRET_KEY"), "not-for-them"),
    "UNORA_LOG_LEVEL": "debug",
}
STANDIN = [sys.executable, str(Path(__file__).with_name("standin.py"))]


class Commands:
    def __init__(self, folder: Path) -> None:
        self.folder = RunFolder(folder)
        self.environment = os.environ | {"STANDIN_FOLDER": str(folder)}
        self.output = folder.parent / "output"
        self.started: list[subprocess.Popen[bytes]] = []

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*STANDIN, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_WITHIN,
            check=False,
        )

    def up(self, *words: str) -> subprocess.Popen[bytes]:
        with self.output.open("wb") as output:
            process = subprocess.Popen(
                [*STANDIN, "up", *words], env=self.environment, stdout=output, stderr=output, umask=0
            )
        self.started.append(process)
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
    for process in made.started:
        process.wait(GENEROUS)


def alive(rows: list[Row]) -> list[str]:
    return [row.name for row in rows if start_time(row.pid) == row.started]


def test_a_stack_from_its_first_start_to_its_end(commands: Commands) -> None:
    up = commands.up()
    rows = commands.folder.rows()
    names = {row.name for row in rows}
    assert names == {"postgres", "nats", "seaweed", "identity", "streak"}
    commands.until(lambda: all(row.address in commands.output.read_text() for row in rows))

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


def test_a_stack_with_two_processes_of_each_context(commands: Commands) -> None:
    up = commands.up("--replicas", "2")
    rows = commands.folder.rows()
    processes = {row.name: row for row in rows}
    assert processes.keys() == {"postgres", "nats", "seaweed", "identity", "identity-2", "streak", "streak-2"}
    assert len({row.address for row in rows}) == len(rows)
    assert all((commands.folder.logs / f"{name}.log").exists() for name in processes)
    shown = commands.run("status").stdout
    assert all(f"{row.name} " in shown and row.address in shown for row in rows)
    both = ",".join(processes[name].address for name in ("streak", "streak-2"))
    assert Env.read(commands.folder.env).address("streak") == f"ipv4:{both}"

    os.kill(processes["streak-2"].pid, signal.SIGTERM)
    commands.until(lambda: "streak-2 runs again" in commands.output.read_text())
    assert alive([processes["streak"]]) == ["streak"]

    rows = commands.folder.rows()
    assert "has stopped" in commands.run("down").stdout
    assert up.wait() == 0
    assert not alive(rows)

    up = commands.up()
    assert {row.name for row in commands.folder.rows()} == {"postgres", "nats", "seaweed", "identity", "streak"}
    assert commands.run("down").returncode == 0


def test_a_service_that_cannot_start_ends_the_start_with_its_reason(commands: Commands) -> None:
    commands.folder.path.mkdir()
    for name in (LOCK, "die"):
        (commands.folder.path / name).touch()
    done = commands.run("up")
    assert done.returncode == 1
    assert "died 3 times" in done.stdout
    assert "cannot go on" in done.stdout
    assert not commands.folder.env.exists()
    assert json.loads((commands.folder.path / "processes.json").read_text()) == []


def test_a_stack_that_nobody_reads_of_any_more_stops_in_order(commands: Commands) -> None:
    """Such as one whose terminal was closed: a line that cannot be printed must not keep it from stopping its parts."""
    process = subprocess.Popen(
        [*STANDIN, "up"], env=commands.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    commands.started.append(process)
    wait_until(commands.folder.env.exists, lambda: "the stack is ready", COMMAND_WITHIN)
    rows = commands.folder.rows()
    assert process.stdout
    process.stdout.close()
    process.send_signal(signal.SIGHUP)
    _, told = process.communicate(timeout=COMMAND_WITHIN)
    assert (process.returncode, told) == (0, b"")
    assert not alive(rows)
    assert commands.folder.rows() == []
    assert not commands.folder.env.exists()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    """A stack for the tests that only look at it. It was started with variables that are not for its processes, in a
    folder that an earlier version left open.
    """
    made = Commands(tmp_path_factory.mktemp("stack") / "run")
    made.environment |= PLANTED
    old = made.folder.path / OLD
    old.parent.mkdir(parents=True)
    old.touch()
    (made.folder.path / LOCK).touch()
    for path, mode in ((old, 0o666), (old.parent, 0o777), (made.folder.path, 0o777)):
        path.chmod(mode)
    made.up()
    yield made.folder
    made.run("clean")
    for process in made.started:
        process.wait(GENEROUS)


def given(row: Row) -> dict[str, str]:
    """The variables that a process was started with."""
    pairs = (text.partition("=") for text in Path(f"/proc/{row.pid}/environ").read_text().split("\0") if text)
    return {name: value for name, _, value in pairs}


def test_each_process_gets_only_the_variables_that_it_needs(running: RunFolder) -> None:
    passwords: dict[str, str] = json.loads((running.path / "passwords.json").read_text())
    for row in running.rows():
        found = given(row)
        assert "not-for-them" not in found.values(), row.name
        own = {f"unora_{row.name}", f"nats {row.name}"} | ({"s3"} if row.name in ("identity", "seaweed") else set())
        seen = {name for name, secret in passwords.items() if any(secret in value for value in found.values())}
        assert seen <= own, row.name
        is_service = row.name in ("identity", "streak")
        assert {f"unora_{row.name}", f"nats {row.name}"} <= seen or not is_service
        assert found.get("UNORA_LOG_LEVEL") == ("debug" if is_service else None)
        assert row.name == "seaweed" or found["PATH"]


def test_what_a_stack_writes_is_its_owners_alone(running: RunFolder) -> None:
    """Whatever the umask, and also what an earlier version left open."""
    outside = postgres_home.outside(running.path / "postgres")
    roots = [running.path, *([outside] if outside.exists() else [])]
    paths = [path for root in roots for path in (root, *root.rglob("*")) if not path.is_symlink()]
    kinds = {stat.S_IFMT(path.lstat().st_mode) for path in paths}
    assert {stat.S_IFDIR, stat.S_IFREG, stat.S_IFSOCK} <= kinds
    # SeaweedFS sets the mode of its .vif files itself; nobody else can enter their folder.
    open_to_others = {str(path) for path in paths if path.lstat().st_mode & 0o077 and path.suffix != ".vif"}
    assert open_to_others == set()
    assert (running.path / OLD).exists()
    for row in running.rows():
        for each in psutil.Process(row.pid).net_connections("unix"):
            place = str(each.laddr)  # psutil types it as an address of the network
            if place.startswith("/"):
                assert Path(place).lstat().st_mode & 0o077 == 0, (row.name, place)


def test_what_is_served_asks_for_a_password_or_a_certificate(running: RunFolder) -> None:
    """NATS has no port for monitoring, which would ask for neither; test_seaweed.py tries all ports of the S3."""
    for row in running.rows():
        served = psutil.Process(row.pid).net_connections("tcp")
        listening = {each.laddr.port for each in served if each.status == psutil.CONN_LISTEN}
        if row.name != "seaweed":
            assert len(listening) == 1, (row.name, listening)
