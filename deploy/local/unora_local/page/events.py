"""A member's own events as a stream, for as long as the token is good."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import asyncpg
from aiohttp import ClientSession, ClientTimeout, web
from unora_common.authentication import AccountSuspended
from unora_common.revocations import SessionRevoked
from unora_common.tokens import Jwks, Member, TokenMissing, Verifier
from unora_gateway.paths import KEYS

from unora_local.client import ANSWER_WITHIN
from unora_local.page import database
from unora_local.page.broadcast import Broadcast, Listener
from unora_local.page.stack import RunningStack

EVERY: Final = 10.0
"""Seconds between two comments, at which it is also seen whether the session still lives."""
WRITTEN_WITHIN: Final = 10.0
"""Seconds that a page gets to take what is written to it."""
COMMENT: Final = b": still here\n\n"
END: Final = b"event: end\ndata: {}\n\n"
SCHEME: Final = "Bearer "


class Events:
    """The streams of all pages."""

    def __init__(self, stack: RunningStack, broadcast: Broadcast) -> None:
        self._env = stack.env
        self._broadcast = broadcast
        self._verifier = Verifier(self._keys)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """The events of the token's member from now on. Raises Unauthenticated, AccountSuspended and EventsAway."""
        member = await self._member(request.headers.get("Authorization", ""))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        with self._broadcast.listener(str(member.user)) as listener:
            await response.prepare(request)
            try:
                await _write(response, COMMENT)
                await send(
                    partial(_write, response),
                    listener,
                    member.expires,
                    partial(database.session_lives, self._env, member.session),
                )
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):  # the page, or Postgres, does not answer
                if request.transport is not None:
                    request.transport.abort()
        return response

    async def _member(self, authorization: str) -> Member:
        if not authorization.startswith(SCHEME):
            raise TokenMissing
        member = await self._verifier.verify(authorization.removeprefix(SCHEME))
        if member.suspended:
            raise AccountSuspended
        if not await database.session_lives(self._env, member.session):
            raise SessionRevoked
        return member

    async def _keys(self) -> Jwks:
        async with (
            ClientSession(timeout=ClientTimeout(ANSWER_WITHIN), raise_for_status=True) as session,
            session.get(f"{self._env.plain_gateway}{KEYS}") as response,
        ):
            keys: Jwks = await response.json()
        return keys


async def send(
    write: Callable[[bytes], Awaitable[None]],
    listener: Listener,
    expires: float,
    lives: Callable[[], Awaitable[bool]],
) -> None:
    """Write what the listener gets, until it is cut off; or until its token `expires` (seconds since 1970) or its
    session has ended, with END as the last word.
    """
    seen = time.monotonic()
    while not listener.is_cut:
        left = expires - time.time()
        frame = await listener.next(max(0.0, min(left, seen + EVERY - time.monotonic())))
        if frame is not None:
            await write(frame)
        if time.monotonic() >= seen + EVERY:
            seen = time.monotonic()
            await write(COMMENT)
            left = left if await lives() else 0
        if left <= 0:
            await write(END)
            return


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(WRITTEN_WITHIN):
        await response.write(data)
