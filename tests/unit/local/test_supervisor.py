"""Processes and their supervisor, with shell commands instead of services."""

import asyncio
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest
from unora_local import supervisor
from unora_local.mistakes import Mistake
from unora_local.process import Process, StartFailedError, tail
from unora_local.run_folder import Row, RunFolder, start_time
from unora_local.stack_commands import up
from unora_local.supervisor import ProcessPart, Supervisor
from unora_testing.deadlines import eventually, within


def shell(script: str, folder: Path, name: str = "part") -> Process:
    return Process(name, ["/bin/sh", "-c", script], log=folder / f"{name}.log", grace=0.3)


def _replaced(folder: RunFolder, old: Row) -> bool:
    return folder.rows() not in ([], [old])


async def test_stopping_a_process_ends_its_whole_group_even_if_it_ignores_the_signal(tmp_path: Path) -> None:
    process = shell("trap '' TERM; sleep 60 & echo $!; wait; wait", tmp_path)
    await process.start()
    await eventually(process.log.read_text, "the shell starts its child")
    grandchild = int(process.log.read_text())
    await process.stop()
    await eventually(lambda: start_time(grandchild) is None, "the grandchild ends")
    assert not process.running


async def test_a_process_dies_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import asyncio, os; from pathlib import Path; from unora_local.process import Process\n"
        "async def main():\n"
        f"    child = Process('child', ['sleep', '60'], log=Path({str(tmp_path / 'log')!r}))\n"
        "    await child.start(); print(child.pid, flush=True); os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())"
    )
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True)
    child = int(done.stdout)
    await eventually(lambda: start_time(child) is None, "the child ends")


async def test_a_part_that_dies_is_started_again_and_the_output_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_DELAY", 0.01)
    lines: list[str] = []
    recorded: list[int] = []
    folder = RunFolder(tmp_path)

    def say(line: str) -> None:
        lines.append(line)
        if "runs again" in line:
            recorded.append(int(line.rpartition(" ")[2]) - folder.rows()[0].pid)

    watch = Supervisor(folder, say)
    part = ProcessPart(shell("exec sleep 60", tmp_path))
    await watch.start("part", part, "an address")
    watch.all_started()
    for _ in range(supervisor.MAX_DEATHS + 1):
        old = folder.rows()[0]
        part.process.kill()
        await eventually(partial(_replaced, folder, old), "the part runs again")
    assert sum("part died (signal 9)" in line for line in lines) == supervisor.MAX_DEATHS + 1
    assert sum("runs again" in line for line in lines) == supervisor.MAX_DEATHS + 1
    assert watch.deaths == [f"part died (signal 9), see {part.process.log}"] * (supervisor.MAX_DEATHS + 1)
    assert set(recorded) == {0}, "the table holds the new pid before the message"
    await watch.stop()
    assert folder.rows() == []
    assert not part.process.running


async def test_no_part_waits_longer_for_its_restart_than_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(supervisor.LONGEST, "0.01")
    lines: list[str] = []
    folder = RunFolder(tmp_path)
    watch = Supervisor(folder, lines.append)
    part = ProcessPart(shell("exec sleep 60", tmp_path))
    await watch.start("part", part, "an address")
    watch.all_started()
    for _ in range(3):
        old = folder.rows()[0]
        part.process.kill()
        await eventually(partial(_replaced, folder, old), "the part runs again")
    await watch.stop()
    assert [line.rpartition(" in ")[2] for line in lines if "died" in line] == ["0.0 s"] * 3


async def test_a_part_that_keeps_dying_at_the_start_is_an_error_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_DELAY", 0.01)
    watch = Supervisor(RunFolder(tmp_path), lambda _: None)
    await watch.start("part", ProcessPart(shell("echo no such thing; exit 3", tmp_path)), "an address")
    with pytest.raises(StartFailedError, match="no such thing"):
        await within(watch.failure())
    await watch.stop()


async def test_leftovers_are_stopped_and_other_processes_are_not(tmp_path: Path) -> None:
    left, foreign = shell("exec sleep 60", tmp_path, "left"), shell("exec sleep 60", tmp_path, "foreign")
    await left.start()
    await foreign.start()
    began = start_time(left.pid)
    assert began is not None
    folder = RunFolder(tmp_path)
    # The second row is of an earlier process that had the same pid.
    rows = [Row("left", left.pid, began, "", signal.SIGTERM), Row("gone", foreign.pid, "earlier", "", signal.SIGTERM)]
    folder.record(rows)
    assert await asyncio.to_thread(folder.stop_leftovers) == ["left"]
    assert start_time(left.pid) is None
    assert foreign.running
    await foreign.stop()
    await left.wait()


def test_the_lock_has_one_holder(tmp_path: Path) -> None:
    first, second = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "run")
    with first.lock:
        assert first.lock.acquire()
        assert not second.lock.acquire()
        assert second.lock.holder() is not None
    assert second.lock.holder() is None


def test_who_only_looks_keeps_no_supervisor_from_starting_and_is_none(tmp_path: Path) -> None:
    """Such as a script that asks for the status until the stack is ready."""
    ended = Event()
    seen: set[int | None] = set()

    def look() -> None:
        lock = RunFolder(tmp_path).lock
        while not ended.is_set():
            seen.add(lock.holder())

    looking = [Thread(target=look) for _ in range(3)]
    for each in looking:
        each.start()
    taken = []
    for _ in range(300):
        lock = RunFolder(tmp_path).lock
        taken.append(lock.acquire(named=False))
        lock.release()
    ended.set()
    for each in looking:
        each.join()
    assert all(taken)
    assert seen == {None}


def test_a_command_that_stops_the_stack_is_no_supervisor_that_another_one_could_stop(tmp_path: Path) -> None:
    stopping, other = RunFolder(tmp_path), RunFolder(tmp_path)
    with stopping.lock:
        assert stopping.lock.acquire_within(0)
        assert not other.lock.acquire()
        assert other.lock.holder() is None
        with pytest.raises(Mistake, match="another command is stopping Unora"):
            up(other)


def test_the_env_file_is_for_a_shell(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_env({"A": "two words", "B": "$x"})
    done = subprocess.run(["/bin/sh", "-c", f". {folder.env}; echo $A $B"], capture_output=True, text=True, check=True)
    assert done.stdout == "two words $x\n"
    folder.remove_env()
    assert not folder.env.exists()


def test_the_tail_of_a_log_is_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert "no output" in tail(log)
    log.write_text("\n".join(map(str, range(100_000))))
    assert tail(log, 2).split() == ["99998", "99999"]


async def test_a_part_that_is_ended_stays_ended_and_another_may_take_its_place(tmp_path: Path) -> None:
    folder, lines = RunFolder(tmp_path), list[str]()
    supervisor = Supervisor(folder, lines.append)
    first, other = ProcessPart(shell("exec sleep 60", tmp_path)), ProcessPart(shell("exec sleep 60", tmp_path))
    await supervisor.start("part", first, "here")
    await supervisor.start("other", other, "there")
    await supervisor.end("part")
    assert not first.process.running
    assert [row.name for row in folder.rows()] == ["other"]
    second = ProcessPart(shell("exec sleep 60", tmp_path))
    await supervisor.start("part", second, "here")
    assert [(row.name, row.pid) for row in folder.rows()] == [
        ("other", other.process.pid),
        ("part", second.process.pid),
    ]
    await supervisor.stop()
    assert lines == []
