"""One child process, with its own process group and log file; stopping it leaves no process behind."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from unora_local.keys import private_folder

PR_SET_PDEATHSIG: Final = 1

_NEEDED: Final = {
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONPATH"),
    *("PYTHONHASHSEED", "PYTHONWARNINGS", "PYTHONFAULTHANDLER", "SSL_CERT_FILE", "SSL_CERT_DIR"),
}
_NEEDED_GROUPS: Final = ("LC_", "GRPC_", "OTEL_")

# Loaded before any fork: between fork and exec nothing may be imported or loaded.
_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


class StartFailedError(RuntimeError):
    """A process ended, or did not become ready in time."""


@dataclass(frozen=True)
class User:
    """The user that a process runs as, if not the current one."""

    uid: int
    gid: int


@dataclass
class Process:
    """A command that can be started, watched and stopped, any number of times. Without `env` it gets only the variables
    that any program needs.

    `death_signal` is what the kernel sends to the child if this process dies without having stopped it.
    """

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    user: User | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    grace: float = 15.0
    _child: asyncio.subprocess.Process | None = field(default=None, init=False, repr=False)

    @property
    def pid(self) -> int:
        """The id of the child that runs, or ran last."""
        if self._child is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the child is known to run."""
        return self._child is not None and self._child.returncode is None

    async def start(self) -> None:
        """Start the command; its output goes to the end of the log."""
        if not self.log.parent.exists():
            private_folder(self.log.parent)
        user, bind_to_this_process = self.user, die_with(self.death_signal)

        def before_exec() -> None:
            # In the child. The user is changed first, because that makes the kernel forget the signal. The user is not
            # an argument of the call below, because uvloop does not support it.
            os.umask(0o077)  # what it writes is its user's alone
            if user is not None:
                os.setgroups([])
                os.setgid(user.gid)
                os.setuid(user.uid)
            bind_to_this_process()

        with os.fdopen(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
            self._child = await asyncio.create_subprocess_exec(
                *self.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(self.env if self.env is not None else inherited_environment()),
                cwd=self.cwd,
                start_new_session=True,
                preexec_fn=before_exec,
            )

    async def wait(self) -> int:
        """Wait for the end of the child and return its status."""
        if self._child is None:
            raise RuntimeError(f"{self.name} was never started")
        return await self._child.wait()

    async def wait_until(self, ready: Callable[[], Awaitable[bool]], *, within: float, every: float = 0.05) -> None:
        """Return when `ready` returns true; raise StartFailedError if the child ends, or after `within` seconds."""
        for _ in range(int(within / every)):
            self.check()
            if await ready():
                return
            await asyncio.sleep(every)
        raise self.failure(f"was not ready within {within:.0f} s")

    async def stop(self) -> None:
        """Ask the child to end, and after `grace` seconds end its whole group."""
        if self._child is None:
            return
        if self._child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(self.stop_signal)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._child.wait(), self.grace)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        await self._child.wait()

    def kill(self) -> None:
        """End the child at once, as a crash would."""
        if self._child is not None and self._child.returncode is None:
            self._child.kill()

    def failure(self, reason: str) -> StartFailedError:
        """A StartFailedError with the reason and the end of the log."""
        return StartFailedError(f"{self.name} {reason}; the end of {self.log}:\n{tail(self.log)}")

    def check(self) -> None:
        """Raise if the child has ended."""
        if not self.running:
            status = self._child.returncode if self._child else None
            raise self.failure(f"ended with status {status}")


def die_with(number: signal.Signals) -> Callable[[], None]:
    """What a child calls before it runs its program, so that the kernel sends it this signal if this process dies."""
    parent = os.getpid()

    def before_exec() -> None:
        if _prctl is not None:
            _prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return before_exec


def inherited_environment(*more: str) -> dict[str, str]:
    """The variables of this process that any program needs, and those in `more`: no others, which may hold secrets.

    PYTHONDONTWRITEBYTECODE is not among them: every start would compile the code again.
    """
    names = _NEEDED | set(more) | {name for name in os.environ if name.startswith(_NEEDED_GROUPS)}
    return {name: value for name, value in os.environ.items() if name in names}


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return "  (no output)"
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:]) or "  (no output)"


async def output_of(child: asyncio.subprocess.Process) -> bytes:
    """Waits until a child has ended. Returns what it wrote to standard output, if that is a pipe. If the caller is
    cancelled, the child is killed.
    """
    try:
        output, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return output or b""
