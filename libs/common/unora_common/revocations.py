"""SA-06: each process follows which sessions were revoked; their tokens stop working everywhere within a minute.

An access token is verified without a call, and lives for minutes. Identity lists the revoked sessions that may still
have a live token. The list is small, and a look into it costs a call nothing. A process that has had no answer from
identity for a minute does not know the list any more, and refuses all members. It uses the machine's clock, as tokens
do, and counts the minute from the request to identity, not from the answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

from unora_common.errors import Unauthenticated, Unavailable
from unora_common.logs import Log, describe


class SessionRevoked(Unauthenticated):
    """The session of this token has ended; the member signs in anew."""

    reason = "SESSION_REVOKED"
    sentence = "You were signed out. Sign in again."


class RevocationsStale(Unavailable):
    """Identity has not answered for too long, so this process does not know which sessions have ended."""

    reason = "REVOCATIONS_STALE"
    sentence = "This is not possible at the moment. Try again in a minute."


class Revocations:
    """The revoked sessions of identity's last answer."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[frozenset[UUID]]],
        *,
        max_staleness: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """After `max_staleness` seconds without an answer members are refused. `clock` counts seconds and never goes
        back.
        """
        self.clock = clock
        self._fetch = fetch
        self._max_staleness = max_staleness
        self._revoked: frozenset[UUID] = frozenset()
        self._last_answer_at = float("-inf")

    @property
    def ready(self) -> bool:
        """Whether there was ever an answer."""
        return self._last_answer_at != float("-inf")

    @property
    def fresh(self) -> bool:
        """Whether the list is known, and not too old to judge by."""
        return self.clock() - self._last_answer_at <= self._max_staleness

    def check(self, session: UUID) -> None:
        """Raises SessionRevoked, or RevocationsStale if the list is too old."""
        if not self.fresh:
            raise RevocationsStale
        if session in self._revoked:
            raise SessionRevoked

    async def refresh(self) -> None:
        """Asks identity. An answer is dropped if a later request was answered before it."""
        asked = self.clock()
        revoked = await self._fetch()
        if asked >= self._last_answer_at:
            self._revoked, self._last_answer_at = revoked, asked

    async def run(self, interval: float, log: Log) -> None:
        """Asks every `interval` seconds until cancelled, and survives all errors."""
        while True:
            await asyncio.sleep(interval)
            try:
                await self.refresh()
            except Exception as error:  # identity may be away for a while; `check` decides when that is too long
                log.warning("revocations not fetched", error=describe(error))
