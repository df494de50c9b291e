"""Ports: the usual ones, others where these are taken, and the same ones at the next start.

UNORA_PORT_SHIFT is added to all usual ports, so that several stacks can start at the same time without competing for
the same port.
"""

import contextlib
import json
import os
import random
import socket
from collections import deque
from itertools import islice
from pathlib import Path
from typing import Final

import psutil

from unora_local.keys import write_private
from unora_local.mistakes import Mistake

# From here on the kernel gives ports to outgoing connections, so a free one may be taken a moment later.
LIMIT: Final = 32_768
LOWEST: Final = 20_000
"""Any free port is drawn between these: above the usual ones, below the kernel's."""
MOST_SHIFT: Final = LIMIT - LOWEST
"""So that each usual port stays below the kernel's."""
STRIDE: Final = 100
SHIFT: Final = "UNORA_PORT_SHIFT"
MOST_CLAIMS: Final = 200
"""So many drawn ports a process keeps for itself: by then the servers of the first ones have started."""
_claims: Final[deque[int]] = deque()
"""Descriptors of sockets, the oldest first."""


def is_free(port: int) -> bool:
    """Whether no process listens on the port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free(count: int = 1) -> list[int]:
    """Any free ports, all different. A process that asks later gets others, although no server listens on these yet."""
    drawn = random.sample(range(LOWEST, LIMIT), LIMIT - LOWEST)
    found = list(islice(filter(_claim, drawn), count))
    if len(found) < count:
        raise RuntimeError(f"fewer than {count} ports are free")
    return found


def _claim(port: int) -> bool:
    """Take a port that no process has, and that none has claimed; return whether it was so.

    A claim is a socket that is bound and does not listen. It is bound without SO_REUSEADDR, so that only one process
    succeeds. Then it gets the option, so that a server, which has it too, can listen beside it.
    """
    claim = socket.socket()
    try:
        claim.bind(("127.0.0.1", port))
    except OSError:
        claim.close()
        return False
    claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _claims.append(claim.detach())
    if len(_claims) > MOST_CLAIMS:
        os.close(_claims.popleft())
    return True


def holder(port: int) -> str:
    """Who listens on a port of this machine, in words; the kernel names no process of another user."""
    for each in psutil.net_connections("tcp"):
        if each.status == psutil.CONN_LISTEN and each.laddr[1:] == (port,) and each.pid is not None:
            with contextlib.suppress(psutil.Error):
                return f"{psutil.Process(each.pid).name()} (pid {each.pid})"
    return "another process"


def _shift() -> int:
    said = os.environ.get(SHIFT) or "0"
    if not said.isdecimal() or len(said) > len(str(MOST_SHIFT)) or int(said) > MOST_SHIFT:
        raise Mistake(f"{SHIFT} is {said!r}: give a whole number from 0 to {MOST_SHIFT}, or do not set it")
    return int(said)


class Ports:
    """Ports by name, remembered in a file. With `in_use`, the ports of a running stack are returned without a check.

    `moved` says of each that is not the usual one why.
    """

    def __init__(self, file: Path, *, in_use: bool = False) -> None:
        self._file = file
        self._in_use = in_use
        self.moved: list[str] = []
        self._known: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        self._shift = _shift()

    def take(self, name: str, usual: int) -> int:
        """The port of `name`: the one it had, else its usual one, else the next that is free."""
        if self._in_use and name in self._known:
            return self._known[name]
        usual += self._shift
        others = {port for other, port in self._known.items() if other != name}
        candidates: tuple[int, ...] = (self._known.get(name, usual), *range(usual, LIMIT, STRIDE))
        port = next((port for port in candidates if port < LIMIT and port not in others and is_free(port)), None)
        if port is None:
            raise Mistake(f"no port is free for {name}: all that it may have, from {usual} to {LIMIT}, are taken")
        if port != usual:
            self.moved.append(self._reason(name, port, usual))
        if self._known.get(name) != port:
            self._known[name] = port
            write_private(self._file, json.dumps(self._known, indent=1).encode() + b"\n")
        return port

    def _reason(self, name: str, port: int, usual: int) -> str:
        before = self._known.get(name)
        if before == port:
            return f"{name} has port {port}, as at an earlier start, not the usual {usual}"
        return f"{name} has port {port}, since {before or usual} is taken by {holder(before or usual)}"
