"""The bridge behind the page, as a part of the stack. It is a process of its own."""

import sys
from pathlib import Path

from unora_local.launcher import READY_WITHIN, Launcher, status_of
from unora_local.process import Process


class PagePart(Launcher):
    """The bridge of the stack in a folder."""

    def __init__(self, folder: Path, *, port: int, log: Path) -> None:
        self._folder = folder
        self._port = port
        self._log = log

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Start it, and return when it answers."""
        command = [sys.executable, "-m", "unora_local.page", str(self._folder), str(self._port)]
        await self._launch(Process("page", command, log=self._log))

    async def _ready(self, process: Process) -> None:
        await process.wait_until(self._answers, within=READY_WITHIN, every=0.1)

    async def _answers(self) -> bool:
        return await status_of(self._port, "/local/") == 200
