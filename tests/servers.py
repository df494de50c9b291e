"""Starts the servers of a test run when they are needed, or uses those that `make testbed` keeps."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unora_testing.kept_testbed import Borrowing
    from unora_testing.testbed import Servers, Testbed


class TestServers:
    """The servers of the first process of a run. Its workers find them by the environment."""

    __test__ = False  # pytest should not take it for a test

    def __init__(self) -> None:
        self._borrowing: Borrowing | None = None
        self._own: Servers | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, workers: int) -> None:
        """Start or borrow a testbed with room for this many workers, and put its address into the environment."""
        from unora_testing.kept_testbed import Borrowing, accounts_of
        from unora_testing.testbed import Servers

        self._borrowing = Borrowing()
        kept = self._borrowing.take(accounts_of(workers))
        if kept is not None:
            kept.announce()
            return
        self._own = Servers(accounts_of(workers))
        self._loop = asyncio.new_event_loop()  # it must stay open as long as its child processes
        self._loop.run_until_complete(self._own.start())

    def testbed(self) -> Testbed:
        """The testbed of this run; starts it if no process of the run has done so."""
        from unora_testing.testbed import VARIABLE, Testbed

        if VARIABLE not in os.environ:
            self.start(workers=0)
        return Testbed.find()

    @property
    def notice(self) -> str:
        """Why a kept testbed was not used; empty if there was none, or if it was used."""
        refusal = self._borrowing.refusal if self._borrowing else ""
        return f"the kept testbed was not used: {refusal}" if refusal else ""

    def stop(self) -> None:
        """Stop the servers that this process started, or give back those that it borrowed."""
        if self._loop is not None and self._own is not None:
            self._loop.run_until_complete(self._own.stop())
            self._loop.close()
        if self._borrowing is not None:
            self._borrowing.give_back()
