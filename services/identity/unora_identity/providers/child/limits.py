"""XX-07: what a process that decodes one picture may take, and all that it gives up before it sees the picture."""

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

_DEATH_SIGNAL, _NO_NEW_PRIVILEGES = 1, 38  # of prctl(2)
_LEAST_FILES: Final = 8
NICENESS: Final = 5
"""The service's own calls come first."""
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def give_up(parent: int, cpu_seconds: int, wall_seconds: float) -> None:
    """In a new process: it dies with its parent, of too much CPU time, and of too much wall time, even within a
    decoder; it writes no file and no core, and opens few files.
    """
    _prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it died before it could be told
        os._exit(0)
    _prctl(_NO_NEW_PRIVILEGES, 1)
    os.nice(NICENESS)
    with suppress(OSError):  # when memory is short, this process is killed, and not the service
        Path("/proc/self/oom_score_adj").write_text("1000")
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, _LEAST_FILES)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    limit_wall_time(wall_seconds)


def limit_wall_time(seconds: float) -> None:
    """From now on. The default action of the signal ends the process within C code too."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def limit_memory(more: int) -> None:
    """The process may take `more` bytes beyond what it has now. A decoder that asks for more gets none, and fails."""
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * _PAGE + more, resource.RLIM_INFINITY))


def _limit(kind: int, most: int) -> None:
    with suppress(ValueError, OSError):
        resource.setrlimit(kind, (most, most))


def _prctl(option: int, value: int) -> None:
    if _libc is not None:
        _libc.prctl(option, value, 0, 0, 0)
