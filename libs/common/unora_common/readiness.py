"""Readiness: whether calls should come to this process. NATS is not needed for it: events wait in the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from unora_common.database import Database
from unora_common.logs import Log, describe
from unora_common.revocations import Revocations
from unora_common.tokens import Verifier

INTERVAL_READY = 2.0
"""Seconds between two looks while the process is ready."""
INTERVAL_NOT_READY = 0.2
"""Seconds between two looks while it is not."""


class Readiness:
    """Watches what a process needs to answer calls: Postgres, identity's keys and revocations, what it has to load."""

    def __init__(
        self,
        database: Database,
        verifier: Verifier,
        revocations: Revocations,
        *,
        ping: float,
        keys_interval: float,
        loading: Callable[[], list[str]],
        log: Log,
    ) -> None:
        """`ping` is how many seconds Postgres has to answer, `keys_interval` the number of seconds between two fetches
        of identity's public keys; `loading` names what the process has yet to load.
        """
        self._ping_timeout = ping
        self._database = database
        self._verifier = verifier
        self._revocations = revocations
        self._keys_interval = keys_interval
        self._loading = loading
        self._log = log
        self._ping: asyncio.Task[None] | None = None
        self.postgres_answers = False
        """Whether Postgres answered at the last look."""

    async def missing(self) -> list[str]:
        """What the process still lacks, in words for the log; empty when it is ready."""
        found: list[str] = []
        if self._ping is None or self._ping.done():
            self._ping = asyncio.ensure_future(self._ping_postgres())
        await asyncio.wait({self._ping}, timeout=self._ping_timeout)  # a frozen connection ignores cancellation
        if not self._ping.done():
            found.append("postgres (no answer)")
        elif error := self._ping.exception():
            found.append(f"postgres ({describe(error)})")
        self.postgres_answers = not found
        for what, source in (("keys", self._verifier), ("revocations", self._revocations)):
            if not source.ready:
                try:
                    await source.refresh()
                except Exception as error:  # identity may start later than we do
                    found.append(f"{what} of identity ({describe(error)})")
        return found + [f"{what} (loading)" for what in self._loading()]

    async def watch(self, set_ready: Callable[[bool], Awaitable[None]]) -> None:
        """Calls `set_ready` at each change, until cancelled; also fetches identity's keys again now and then."""
        clock = asyncio.get_running_loop().time
        keys_fetched_at = clock()
        before: list[str] | None = None
        while True:
            missing = await self.missing()
            if missing != before:
                self._log.info("not ready" if missing else "ready", missing=missing)
                before = missing
                await set_ready(not missing)
            if not missing and clock() - keys_fetched_at > self._keys_interval:
                keys_fetched_at = clock()
                with suppress(Exception):  # the keys that we have stay valid; the next round tries again
                    await self._verifier.refresh()
            await asyncio.sleep(INTERVAL_NOT_READY if missing else INTERVAL_READY)

    def close(self) -> None:
        """Gives up a ping that is still waiting."""
        if self._ping:
            self._ping.cancel()

    async def _ping_postgres(self) -> None:
        async with self._database.session() as session:
            await session.value("SELECT 1")
