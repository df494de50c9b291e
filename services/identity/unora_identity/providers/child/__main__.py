"""XX-07: a small process that has loaded all decoders, and forks one process for each picture.

The service starts it with one end of a socket as its standard input. Each message there is one byte and two more
sockets: on the first a picture comes and its answer goes; on the second it tells how the picture's process ended, and
finds that the service wants it no more. At the end of the first socket it ends, with all its children. It has one
thread, so that it may fork.
"""

import gc
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn

import msgspec

from unora_identity.providers.child.stray_output import capture

if TYPE_CHECKING:
    from unora_identity.providers.child.inspector import PictureInspector

_CONTROL: Final = 0
_MOST_FILES: Final = 256


@dataclass(slots=True)
class Forker:
    """Forks a process for each picture, and reports how each ended."""

    control: socket.socket
    inspector: "PictureInspector"
    serve: Callable[[socket.socket, "PictureInspector", int], NoReturn]
    children: dict[int, socket.socket] = field(default_factory=dict)
    """By their process ids, each with the socket on which its end is reported."""

    def run(self) -> None:
        """Until the service closes its end of the control socket."""
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(woken, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            poll = select.poll()
            poll.register(self.control, select.POLLIN)
            poll.register(woken, select.POLLIN)
            for report in self.children.values():
                poll.register(report, 0)  # only that it was closed
            ready = {fd for fd, _ in poll.poll()}
            if woken in ready:
                with suppress(BlockingIOError):
                    os.read(woken, _MOST_FILES)
            for pid, report in self.children.items():
                if report.fileno() in ready:
                    os.kill(pid, signal.SIGKILL)
            self._reap()
            if self.control.fileno() in ready and not self._fork():
                break
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)

    def _fork(self) -> bool:
        """False at the end of the control socket."""
        message, files, _, _ = socket.recv_fds(self.control, 1, 2)
        if not message:
            return False
        talk, report = (socket.socket(fileno=file) for file in files)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self.serve(talk, self.inspector, parent)
        talk.close()
        self.children[pid] = report
        return True

    def _reap(self) -> None:
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            report = self.children.pop(pid)
            with suppress(OSError):
                report.sendall(bytes([os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0]))
            report.close()


def main() -> int:
    """The one argument is the policy, as JSON."""
    capture()
    # Only now: an error of what loads the decoders is a line of the log too.
    from unora_identity.providers.child.inspector import PictureInspector
    from unora_identity.providers.child.one_picture import serve_one
    from unora_identity.providers.pictures import VisionPolicy

    # The service decides when this ends; a signal to all processes of a terminal or a container is for the service.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o077)
    inspector = PictureInspector(msgspec.json.decode(sys.argv[1], type=VisionPolicy))
    gc.collect()
    gc.freeze()  # so that children share these pages
    with suppress(ConnectionError):
        Forker(socket.socket(fileno=_CONTROL), inspector, serve_one).run()
    return 0


if __name__ == "__main__":
    os._exit(main())
