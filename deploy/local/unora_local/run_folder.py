"""The folder of a running stack: its lock, the table of its processes, and the env file with all addresses."""

import contextlib
import fcntl
import json
import os
import shlex
import shutil
import signal
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

import psutil

from unora_local.keys import private_folder, write_private

LEFTOVERS_STOP_WITHIN: Final = 30.0
"""Seconds after which what is left of a stack is killed."""
CLONE: Final = Path(__file__).resolve().parents[3]
DEFAULT: Final = CLONE / ".run"
"""The folder of the stack that `make up` starts."""
LOCK: Final = "lock"
"""A file that the folder of each stack has, from its first start on."""


@dataclass(frozen=True)
class Row:
    """One process that was started. `started` is its start time: a later process can have the same pid."""

    name: str
    pid: int
    started: str
    address: str
    stop_signal: int


def start_time(pid: int) -> str | None:
    """When a process began, in a form that a change of the machine's clock does not change; None if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):  # the second when it ends between opening and reading
        if Path("/proc/self/stat").exists() or not psutil.pid_exists(pid):
            return None
        return str(psutil.Process(pid).create_time())
    return None if fields[0] == "Z" else f"{boot}/{fields[19]}"


class Lock:
    """A file lock that the one supervisor of a folder holds as long as it lives. Whoever only looks takes it as one of
    many for a moment, which keeps no supervisor from starting.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor: int | None = None

    def acquire(self, *, named: bool = True) -> bool:
        """Take the lock if it is free; return whether it was. A command that stops the stack takes it without its name:
        nobody is to stop that one.
        """
        while True:
            private_folder(self._file.parent)
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
            if not _lock(descriptor, fcntl.LOCK_EX):
                only_looked_at = _lock(descriptor, fcntl.LOCK_SH)
                os.close(descriptor)
                if only_looked_at:
                    continue
                return False
            if self._file.exists() and self._file.stat().st_ino == os.fstat(descriptor).st_ino:
                break
            # The file was removed between the two calls, so this lock would not exclude other processes.
            os.close(descriptor)
        os.ftruncate(descriptor, 0)
        if named:
            os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor
        return True

    def acquire_within(self, seconds: float) -> bool:
        """Take the lock to stop the stack, waiting for its holder to end."""
        end = time.monotonic() + seconds
        while not self.acquire(named=False):
            if time.monotonic() > end:
                return False
            time.sleep(0.05)  # a lock that is waited for without an end would leave no way to give up
        return True

    def holder(self) -> int | None:
        """The pid of the supervisor that holds the lock, if any."""
        try:
            descriptor = os.open(self._file, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            if _lock(descriptor, fcntl.LOCK_SH):
                return None
            text = os.read(descriptor, 32)
        finally:
            os.close(descriptor)
        return int(text) if text else None

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _lock(descriptor: int, kind: int) -> bool:
    """Take a lock on an open file, or return False if another process has one that excludes it."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class RunFolder:
    """Files of one stack."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.env = self.path / "env"
        self.logs = self.path / "logs"
        self.lock = Lock(self.path / LOCK)
        self._processes = self.path / "processes.json"
        self._replicas = self.path / "replicas"

    def rows(self) -> list[Row]:
        """The table of processes, in the order of their start."""
        if not self._processes.exists():
            return []
        return [Row(**row) for row in json.loads(self._processes.read_text())]

    def record(self, rows: list[Row]) -> None:
        """Write the table of processes, so that a later command can stop them if this process is killed."""
        write_private(self._processes, json.dumps([asdict(row) for row in rows], indent=1).encode())

    def replicas(self) -> int:
        """How many processes each context has in the stack that was started last."""
        return int(self._replicas.read_text()) if self._replicas.exists() else 1

    def keep_replicas(self, number: int) -> int:
        """Write how many processes each context has, for commands that use the stack; return it."""
        if number != self.replicas():
            write_private(self._replicas, str(number).encode())
        return number

    def write_env(self, values: Mapping[str, str]) -> None:
        """Write the env file: it says that the stack is ready, and all addresses."""
        lines = (f"{name}={shlex.quote(value)}\n" for name, value in values.items())
        write_private(self.env, "".join(lines).encode())

    def remove_env(self) -> None:
        """Remove the env file: the stack is not ready."""
        self.env.unlink(missing_ok=True)

    def stop_leftovers(self) -> list[str]:
        """Stop what a killed supervisor has left running, last started first, and return the names.

        The caller holds the lock. A process counts only if its start time is the recorded one: a pid can be reused.
        """
        found = [row for row in reversed(self.rows()) if start_time(row.pid) == row.started]
        for row in found:
            _signal(row, row.stop_signal)
        end = time.monotonic() + LEFTOVERS_STOP_WITHIN
        while any(start_time(row.pid) == row.started for row in found) and time.monotonic() < end:
            time.sleep(0.02)  # they are not this process's children, so the system does not say when they end
        for row in found:
            if start_time(row.pid) == row.started:
                _signal(row, signal.SIGKILL)
        self._processes.unlink(missing_ok=True)
        return [row.name for row in found]

    def erase(self) -> None:
        """Remove everything here, the lock last: as long as it is there, the folder is known as that of a stack."""
        for each in self.path.iterdir() if self.path.is_dir() else ():
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each, ignore_errors=True)
        shutil.rmtree(self.path, ignore_errors=True)


def _signal(row: Row, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(row.pid, number)
