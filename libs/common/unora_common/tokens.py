"""Verifies members' access tokens in each service without a call, by the public keys of identity.

Tokens are ES256 with pinned algorithm, issuer and audience. A verified token is cached until it expires. Tokens are
security, so they use the machine's clock and not the rule clock.
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
KEY_REFRESH_MIN_INTERVAL = 10.0
"""Seconds between two fetches of the keys, so that forged key ids cannot make each call ask identity."""
Jwks = dict[str, Any]
UNREADABLE = (JoseError, ValueError, KeyError, TypeError, RecursionError)
"""The errors that a forged token can cause; the last by deeply nested JSON."""


class TokenMissing(Unauthenticated):
    """The call carries no bearer token."""

    reason = "TOKEN_MISSING"
    sentence = "You are not signed in. Sign in first."


class TokenExpired(Unauthenticated):
    """The token has expired; the client refreshes its session."""

    reason = "TOKEN_EXPIRED"
    sentence = "Your sign-in has expired. Sign in again."


@dataclass(frozen=True, slots=True)
class Member:
    """The claims of a verified token."""

    user: UUID
    session: UUID
    roles: frozenset[str]
    expires: float
    suspended: bool = False
    """SA-06: the member was suspended when the token was issued; it opens only methods with `suspended_allowed`."""


class Verifier:
    """Verifies tokens against the newest keys that `fetch` returned."""

    def __init__(self, fetch: Callable[[], Awaitable[Jwks]], clock: Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: KeySet | None = None
        self._ids: frozenset[str] = frozenset()
        self._verified: dict[str, Member] = {}
        self._asked = float("-inf")
        self._fetching = asyncio.Lock()

    @property
    def ready(self) -> bool:
        """Whether keys were fetched."""
        return self._keys is not None

    async def refresh(self) -> None:
        """Fetches the keys. If one was withdrawn, the cache of verified tokens is emptied."""
        jwks = await self._fetch()
        keys = KeySet.import_key_set(jwks)  # type: ignore[arg-type]
        ids = frozenset(str(key["kid"]) for key in jwks["keys"])
        if not self._ids <= ids:
            self._verified.clear()
        self._keys, self._ids, self._asked = keys, ids, time.monotonic()

    async def verify(self, token: str) -> Member:
        """The member of a token; raises Unauthenticated."""
        member = self._verified.get(token)
        if member is None:
            member = await self._decode(token)
            if len(self._verified) >= TOKEN_CACHE_SIZE:
                self._evict()
            self._verified[token] = member
        if member.expires <= self._clock():
            self._verified.pop(token, None)
            raise TokenExpired
        return member

    async def _decode(self, token: str) -> Member:
        if len(token) > 4096:
            raise Unauthenticated
        if _key_id(token) not in self._ids and time.monotonic() - self._asked > KEY_REFRESH_MIN_INTERVAL:
            await self._refresh_once()  # its key may be newer than ours
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

    async def _refresh_once(self) -> None:
        """Fetches the keys unless another call just did."""
        before = self._asked
        async with self._fetching:
            if self._asked == before:
                try:
                    await self.refresh()
                finally:  # without an answer too: forged key ids must not load an identity in trouble
                    self._asked = time.monotonic()

    def _evict(self) -> None:
        now = self._clock()
        self._verified = {token: member for token, member in self._verified.items() if member.expires > now}
        if len(self._verified) >= TOKEN_CACHE_SIZE:
            self._verified.clear()


def _key_id(token: str) -> str:
    """The key id in a token's header, which is not trusted yet."""
    try:
        header = msgspec.json.decode(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))
        return str(header["kid"])
    except UNREADABLE:
        raise Unauthenticated from None
