"""ID-05: OpenID providers whose accounts members can link. ID tokens are verified with the provider's own keys."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.request import Request
from uuid import UUID

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from unora_common.errors import InvalidArgument, Unavailable
from unora_common.provider_calls import ProviderCalls

from unora_identity.providers.https import fetch

ALGORITHMS: Final = ["RS256", "ES256"]
CLOCK_SKEW: Final = 60.0
"""Seconds by which the provider's clock and ours may differ."""
TOKEN_MAX_AGE: Final = 600.0
"""In seconds: an older token is not one that the member has just received."""
KEY_REFRESH_MIN_INTERVAL: Final = 10.0
"""In seconds."""
KEY_MAX_AGE: Final = 3600.0
"""In seconds."""
REQUEST_TIMEOUT: Final = 4.0
"""In seconds."""
UNREADABLE = (JoseError, ValueError, KeyError, TypeError, RecursionError)
"""What reading a made-up token can raise."""


class ProviderUnknown(InvalidArgument):
    """This deployment has no provider with that name."""

    reason = "PROVIDER_UNKNOWN"
    sentence = "Accounts of this kind cannot be linked."

    def __init__(self) -> None:
        super().__init__({"provider": "is not one whose accounts can be linked"})


class IdTokenInvalid(InvalidArgument):
    """The ID token is forged, expired, too old, for another app or for another member. All cases get this answer."""

    reason = "ID_TOKEN_INVALID"
    sentence = "This sign-in did not work. Sign in there again."

    def __init__(self) -> None:
        super().__init__({"id_token": "is not a fresh one of this provider for this app and this member"})


class OidcUnavailable(Unavailable):
    """The provider's keys cannot be fetched now."""

    reason = "OIDC_UNAVAILABLE"
    sentence = "Linking accounts is not possible at the moment. Try again in a minute."


class OidcSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One provider, as the file of UNORA_OIDC_PROVIDERS lists it."""

    name: str
    issuer: str
    audience: str
    """This app's client id with the provider."""
    jwks: str
    """Address (https) or file of the provider's keys."""


def read_settings(path: Path) -> list[OidcSettings]:
    """The providers in a JSON file. Raises ValueError for anything else."""
    providers = msgspec.json.decode(path.read_bytes(), type=list[OidcSettings])
    for each in providers:
        if "://" in each.jwks and not each.jwks.startswith("https://"):
            raise ValueError(f"the keys of {each.name} are fetched by https or read from a file")
    return providers


class OidcProvider:
    """One provider and its keys, fetched at first use, after an hour, and when a token names an unknown key."""

    def __init__(
        self,
        settings: OidcSettings,
        *,
        fetch: Callable[[str], Awaitable[bytes]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self._fetch = fetch
        self._clock = clock
        self._keys: KeySet | None = None
        self._ids: frozenset[str] = frozenset()
        self._fetched = float("-inf")
        self._asked = float("-inf")
        self._fetching = asyncio.Lock()

    async def subject(self, id_token: str, nonce: str) -> str:
        """The provider's name for the account. Raises IdTokenInvalid, or OidcUnavailable without keys."""
        try:
            await self._ensure_key(_key_id(id_token))
            claims = jwt.decode(id_token, self._keys, algorithms=ALGORITHMS).claims  # type: ignore[arg-type]
            return self._checked(claims, nonce)
        except UNREADABLE:
            raise IdTokenInvalid from None

    def _checked(self, claims: dict[str, Any], nonce: str) -> str:
        now, audience, subject = self._clock(), claims["aud"], claims["sub"]
        audiences = [audience] if isinstance(audience, str) else audience
        if claims["iss"] != self.settings.issuer or self.settings.audience not in audiences:
            raise ValueError("issuer or audience")
        if len(audiences) > 1 and claims.get("azp") != self.settings.audience:
            raise ValueError("another app")
        if claims["nonce"] != nonce:
            raise ValueError("another member")
        earliest, latest = now - TOKEN_MAX_AGE - CLOCK_SKEW, now + CLOCK_SKEW
        if float(claims["exp"]) + CLOCK_SKEW <= now or not earliest < float(claims["iat"]) <= latest:
            raise ValueError("expired, too old or from the future")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise ValueError("subject")
        return subject

    async def _ensure_key(self, key: str) -> None:
        """Fetches the keys if they are old or lack this one, but not more often than KEY_REFRESH_MIN_INTERVAL."""
        async with self._fetching:
            known = key in self._ids and self._clock() - self._fetched < KEY_MAX_AGE
            if not known and self._clock() - self._asked > KEY_REFRESH_MIN_INTERVAL:
                self._asked = self._clock()
                await self._refresh()
        if self._keys is None:
            raise OidcUnavailable

    async def _refresh(self) -> None:
        try:
            jwks = msgspec.json.decode(await self._fetch(self.settings.jwks))
            keys = KeySet.import_key_set(jwks)
            ids = frozenset(str(key["kid"]) for key in jwks["keys"])
        except (OSError, *UNREADABLE, msgspec.DecodeError):
            if self._keys is None:
                raise OidcUnavailable from None
            return  # old keys are better than none
        self._keys, self._ids, self._fetched = keys, ids, self._clock()


class OidcProviders:
    """The providers of this deployment, by name."""

    def __init__(self, providers: Sequence[OidcProvider]) -> None:
        self._by_name = {each.settings.name: each for each in providers}

    async def subject(self, provider: str, id_token: str, made_for: UUID) -> str:
        """The subject of an ID token that was made for this member, or for this challenge (ID-13)."""
        if provider not in self._by_name:
            raise ProviderUnknown
        return await self._by_name[provider].subject(id_token, str(made_for))


async def fetch_keys(calls: ProviderCalls, location: str) -> bytes:
    """Reads a key set from its address, which is one of https, or file."""
    if "://" not in location:
        return await asyncio.to_thread(Path(location).read_bytes)
    request = Request(location)  # noqa: S310 - https only, see read_settings
    return await asyncio.to_thread(fetch, request, REQUEST_TIMEOUT, 262144, calls)


def _key_id(token: str) -> str:
    """The key id that a token claims; the token is not verified yet."""
    header = msgspec.json.decode(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))
    return str(header["kid"])
