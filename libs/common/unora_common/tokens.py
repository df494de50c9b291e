"""Verifies members' access tokens in each service without a call: the public keys are identity's, fetched now and then.

Tokens are ES256 with pinned algorithm, issuer and audience. A verified one is remembered until it expires. They are
security, so they go by the machine's clock and not by the rule clock.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from unora_common.errors import Unauthenticated

ISSUER = "unora"
AUDIENCE = "unora"
ALGORITHM = "ES256"
TOKEN_CACHE_SIZE = 20_000
KEY_REFRESH_MIN_INTERVAL = 10.0  # seconds, so that made-up key ids cannot make us ask identity all the time
Jwks = dict[str, Any]
UNREADABLE = (JoseError, ValueError, KeyError, TypeError, RecursionError)
"""What reading a made-up token can raise; the last by JSON that is nested deep enough."""


class TokenMissing(Unauthenticated):
    """The call carries no bearer token."""

    reason = "TOKEN_MISSING"


class TokenExpired(Unauthenticated):
    """The token is over; the client refreshes its session."""

    reason = "TOKEN_EXPIRED"


@dataclass(frozen=True, slots=True)
class Member:
    """What a token says."""

    user: UUID
    session: UUID
    roles: frozenset[str]
    expires: float
    suspended: bool = False
    """SA-06: the member was suspended when the token was made; it opens only methods that say so."""


class Verifier:
    """Verifies tokens against the newest keys that `fetch` gave."""

    def __init__(self, fetch: Callable[[], Awaitable[Jwks]], clock: Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: KeySet | None = None
        self._ids: frozenset[str] = frozenset()
        self._remembered: dict[str, Member] = {}
        self._asked = float("-inf")
        self._fetching = asyncio.Lock()

    @property
    def ready(self) -> bool:
        """Whether there are keys."""
        return self._keys is not None

    async def refresh(self) -> None:
        """Fetches the keys; what was verified by a key that is gone is forgotten."""
        jwks = await self._fetch()
        keys = KeySet.import_key_set(jwks)  # type: ignore[arg-type]
        ids = frozenset(str(key["kid"]) for key in jwks["keys"])
        if not self._ids <= ids:
            self._remembered.clear()
        self._keys, self._ids, self._asked = keys, ids, time.monotonic()

    async def verify(self, token: str) -> Member:
        """The member of a token; raises Unauthenticated."""
        member = self._remembered.get(token)
        if member is None:
            member = await self._decode(token)
            if len(self._remembered) >= TOKEN_CACHE_SIZE:
                self._forget()
            self._remembered[token] = member
        if member.expires <= self._clock():
            self._remembered.pop(token, None)
            raise TokenExpired
        return member

    async def _decode(self, token: str) -> Member:
        if len(token) > 4096:
            raise Unauthenticated
        if _key_id(token) not in self._ids and time.monotonic() - self._asked > KEY_REFRESH_MIN_INTERVAL:
            await self._look_again()  # it may be signed by a key newer than ours
        try:
            return self._read(token)
        except UNREADABLE:
            raise Unauthenticated from None

    def _read(self, token: str) -> Member:
        if self._keys is None:
            raise ValueError("no keys")
        claims = jwt.decode(token, self._keys, algorithms=[ALGORITHM]).claims
        if claims["iss"] != ISSUER or claims["aud"] != AUDIENCE:
            raise ValueError("issuer or audience")
        return Member(
            user=UUID(claims["sub"]),
            session=UUID(claims["sid"]),
            roles=frozenset(claims.get("roles", ())),
            expires=float(claims["exp"]),
            suspended=bool(claims.get("suspended", False)),
        )

    async def _look_again(self) -> None:
        """Fetches the keys unless another call just did."""
        before = self._asked
        async with self._fetching:
            if self._asked == before:
                try:
                    await self.refresh()
                finally:  # also when there is no answer: made-up key ids must not pile up on an identity in trouble
                    self._asked = time.monotonic()

    def _forget(self) -> None:
        now = self._clock()
        self._remembered = {token: member for token, member in self._remembered.items() if member.expires > now}
        if len(self._remembered) >= TOKEN_CACHE_SIZE:
            self._remembered.clear()


def _key_id(token: str) -> str:
    """The key id that a token claims in its header; nothing of it is trusted yet."""
    try:
        header = msgspec.json.decode(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))
        return str(header["kid"])
    except UNREADABLE:
        raise Unauthenticated from None
