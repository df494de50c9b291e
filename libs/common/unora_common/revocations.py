"""SA-06: each process follows which sessions were revoked, so that tokens stop working within a minute everywhere.

An access token is verified without a call, and lives for minutes. Identity tells the sessions that were revoked while a
token of theirs may still be alive; that set is small, and looking into it costs a call nothing. A process that has not
heard from identity for a minute cannot know any more who is out, and refuses all members. It goes by the machine's
clock, as tokens do, and counts the minute from when identity was asked, not from when it answered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from unora.identity.v1.directory_service_pb2 import ListRevocationsRequest, ListRevocationsResponse
from unora.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub

from unora_common.clients import Clients
from unora_common.errors import Unauthenticated, Unavailable
from unora_common.logs import describe


class SessionRevoked(Unauthenticated):
    """The session of this token has ended; the member signs in anew."""

    reason = "SESSION_REVOKED"


class RevocationsStale(Unavailable):
    """For too long nobody could tell us whose session has ended: until then no member is served."""

    reason = "REVOCATIONS_STALE"


class Revocations:
    """The revoked sessions as identity told them last."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[frozenset[UUID]]],
        *,
        silence: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`silence` is how many seconds without an answer are borne; `clock` counts seconds and never goes back."""
        self.clock = clock
        self._fetch = fetch
        self._silence = silence
        self._revoked: frozenset[UUID] = frozenset()
        self._heard = float("-inf")

    @property
    def ready(self) -> bool:
        """Whether there was ever an answer."""
        return self._heard != float("-inf")

    def check(self, session: UUID) -> None:
        """Raises SessionRevoked, or RevocationsStale when nobody can say."""
        if self.clock() - self._heard > self._silence:
            raise RevocationsStale
        if session in self._revoked:
            raise SessionRevoked

    async def refresh(self) -> None:
        """Asks identity. An answer that was overtaken by that to a later question is forgotten."""
        asked = self.clock()
        revoked = await self._fetch()
        if asked >= self._heard:
            self._revoked, self._heard = revoked, asked

    async def run(self, interval: float, log: Any) -> None:
        """Asks again and again until cancelled, whatever happens. The first answer is what readiness waits for."""
        while True:
            await asyncio.sleep(interval)
            try:
                await self.refresh()
            except Exception as error:  # identity may be away for a while; how long is borne, `check` knows
                log.warning("revocations not heard", error=describe(error))


async def ask_identity(clients: Clients) -> frozenset[UUID]:
    """The whole list, page by page."""
    stub = clients.stub(DirectoryServiceStub, "unora.identity.v1.DirectoryService")
    found: set[UUID] = set()
    page = ""
    while True:
        request = ListRevocationsRequest(page_token=page)
        answer = await clients.call(stub.ListRevocations, request, ListRevocationsResponse)
        found.update(map(UUID, answer.session_ids))
        page = answer.next_page_token
        if not page:
            return frozenset(found)
