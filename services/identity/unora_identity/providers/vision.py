"""PR-02, PR-03, PR-07, XX-07: pictures are inspected on the machine itself, in processes of their own: no photo is sent
elsewhere to be judged, and a hostile file can neither stop the service nor take its memory.

This process decodes nothing and loads no decoder.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, NoReturn

import msgspec
from unora_common.errors import Unavailable

from unora_identity.providers.child.frames import (
    GO,
    LENGTH,
    MOST_ANSWER,
    Answer,
    Failed,
    Found,
    Needs,
    TooLarge,
    TooSmall,
    request_head,
    unpack_answer,
)
from unora_identity.providers.memory_budget import MemoryBudget
from unora_identity.providers.pictures import PhotoTooLarge, PhotoTooSmall, PhotoUnreadable, Picture, VisionPolicy

_MODULE: Final = "unora_identity.providers.child"
_FORK: Final = b"f"
_START_SECONDS: Final = 20.0  # on a busy machine, loading the decoders takes a while
_ENDING_SECONDS: Final = 5.0
# A decoder waits for nothing, so wall time is spent without CPU time only on a machine that is too busy.
_NOT_ITS_FAULT: Final = (None, 0, signal.SIGKILL, signal.SIGALRM)
_KEPT_VARIABLES: Final = ("PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LANG", "LC_ALL", "TMPDIR")
# One thread each, and one arena: memory can be limited exactly, and a process without threads may fork.
_VARIABLES: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}


class Vision:
    """Inspects pictures, each in a process that is forked for it and has limits of time and memory."""

    def __init__(self, policy: VisionPolicy | None = None) -> None:
        """Starts nothing: a process that inspects no pictures does not pay for it."""
        self._policy = policy or VisionPolicy()
        self._memory = MemoryBudget(self._policy.memory_at_once)
        self._forker: _Forker | None = None

    def prepare(self) -> None:
        """Starts the process that forks, if there is none, so that the first picture does not wait for it."""
        with suppress(OSError):  # the picture will tell
            self._started()

    async def inspect(self, data: bytes, *, new: bool = True) -> Picture:
        """What is found in a picture, with its copies in three sizes. `new`: it must have the least size.

        Raises PhotoUnreadable, PhotoTooLarge or PhotoTooSmall; Unavailable if the process was lost for another reason
        than the picture. If the caller is cancelled, the process is killed.
        """
        if len(data) > self._policy.most_bytes:
            raise PhotoTooLarge(most_bytes=self._policy.most_bytes)
        with self._fork() as (talk, report):
            try:
                answer = await self._converse(talk, data, new=new)
                await _end_of(report)  # its memory is free only then
            except (ConnectionError, EOFError):
                await _raise_for_end(report)
            except msgspec.DecodeError:
                raise PhotoUnreadable from None
            except TimeoutError:
                self._end()  # it has stopped: its own limits would have ended it
                raise Unavailable from None
        return _found(answer)

    def close(self) -> None:
        """Ends all processes, at once."""
        self._end()

    async def _converse(self, talk: socket.socket, data: bytes, *, new: bool) -> Answer:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_START_SECONDS + self._policy.wall_seconds):
            await loop.sock_sendall(talk, request_head(len(data), new=new))
            await loop.sock_sendall(talk, data)
            answer = await _read(talk)
        if not isinstance(answer, Needs):
            return answer
        async with self._memory.reserved(answer.memory), asyncio.timeout(_ENDING_SECONDS + self._policy.wall_seconds):
            await loop.sock_sendall(talk, GO)
            return await _read(talk)

    @contextmanager
    def _fork(self) -> Iterator[tuple[socket.socket, socket.socket]]:
        """The sockets to a new process: its own, and the one on which its end is reported. Closed, the process is
        killed.
        """
        for _ in range(2):
            with suppress(OSError):  # it cannot be started, or has just died
                sockets = self._started().fork()
                break
            self._end()
        else:
            raise Unavailable
        try:
            yield sockets
        finally:
            for each in sockets:
                each.close()

    def _started(self) -> "_Forker":
        """Raises OSError."""
        if self._forker is None or not self._forker.alive():
            self._end()
            self._forker = _Forker(self._policy)
        return self._forker

    def _end(self) -> None:
        if self._forker is not None:
            self._forker.end()
            self._forker = None


class _Forker:
    """The process that has the decoders, and forks."""

    def __init__(self, policy: VisionPolicy) -> None:
        self._control, theirs = socket.socketpair()
        self._control.setblocking(False)
        with theirs:
            kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
            # A session of its own: Ctrl-C in a terminal is for the service, which ends it.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _MODULE, msgspec.json.encode(policy).decode()],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=kept | _VARIABLES,
                start_new_session=True,
            )

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def fork(self) -> tuple[socket.socket, socket.socket]:
        """Raises OSError if it has ended."""
        talk, their_talk = socket.socketpair()
        report, their_report = socket.socketpair()
        with their_talk, their_report:
            talk.setblocking(False)
            report.setblocking(False)
            try:
                socket.send_fds(self._control, [_FORK], [their_talk.fileno(), their_report.fileno()])
            except OSError:
                talk.close()
                report.close()
                raise
        return talk, report

    def end(self) -> None:
        """With all that it forked."""
        self._control.close()
        if self.alive():  # else its number may be another's by now; its children have died with it
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


async def _read(talk: socket.socket) -> Answer:
    (length,) = LENGTH.unpack(await _exactly(talk, LENGTH.size))
    if length > MOST_ANSWER:
        raise PhotoUnreadable
    return unpack_answer(await _exactly(talk, length))


async def _exactly(talk: socket.socket, length: int) -> bytes:
    loop = asyncio.get_running_loop()
    whole = bytearray()
    while len(whole) < length:
        part = await loop.sock_recv(talk, min(length - len(whole), 2**20))
        if not part:
            raise EOFError
        whole += part
    return bytes(whole)


async def _raise_for_end(report: socket.socket) -> NoReturn:
    """Why a process ended without an answer: CPU time or a broken decoder, which is the picture's fault; or not."""
    if await _end_of(report) in _NOT_ITS_FAULT:
        raise Unavailable
    raise PhotoUnreadable


async def _end_of(report: socket.socket) -> int | None:
    """The signal that ended the process, or 0; None if nobody knows, because the process that forked it ended too."""
    try:
        async with asyncio.timeout(_ENDING_SECONDS):
            ended = await asyncio.get_running_loop().sock_recv(report, 1)
    except (ConnectionError, TimeoutError):
        return None
    return ended[0] if ended else None


def _found(answer: Answer) -> Picture:
    match answer:
        case Found(picture):
            return picture
        case TooLarge(most):
            raise PhotoTooLarge(**most)
        case TooSmall(least_side):
            raise PhotoTooSmall(least_side)
        case Failed(traceback):
            raise RuntimeError(f"the inspection failed:\n{traceback}")
        case _:
            raise PhotoUnreadable
