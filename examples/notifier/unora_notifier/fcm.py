"""Firebase Cloud Messaging over its HTTP v1 API, as a service account of Google."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from unora.identity.v1.device_service_pb2 import PUSH_PLATFORM_FCM
from unora_sdk import ConfigError

from unora_notifier.carriers import DeadTokenError, NotTakenError, Push, RefusedError

BASE: Final = "https://fcm.googleapis.com"
SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ANSWER_WITHIN: Final = 10.0
HOUR: Final = 3600
RENEWED_BEFORE: Final = 60
"""Seconds before its end in which a bearer token is no longer used."""
PAUSE: Final = 60.0
"""Seconds until the next try, if the answer does not say: what Google recommends after a 429."""
BUSY: Final = {HTTPStatus.TOO_MANY_REQUESTS, *(status for status in HTTPStatus if status >= 500)}


@dataclass(frozen=True)
class Account:
    """A service account: the fields of the JSON file that Google gives."""

    project_id: str
    client_email: str
    private_key_id: str
    private_key: str = field(repr=False)
    token_uri: str

    @classmethod
    def read(cls, file: Path) -> Account:
        """Raises ConfigError, also for a private key that signs nothing."""
        try:
            found = json.loads(file.read_bytes())
            made = cls(**{name: str(found[name]) for name in cls.__dataclass_fields__})
            made.key()
        except (OSError, ValueError, KeyError, TypeError, JoseError) as error:
            raise ConfigError(f"{file} is not the JSON file of a service account of Google: {error!r}") from None
        return made

    def key(self) -> RSAKey:
        """The private key. Raises ValueError or JoseError."""
        key = RSAKey.import_key(self.private_key)
        if not key.is_private:
            raise ValueError("its private_key is a public one")
        return key


class Fcm:
    """Sends to devices of FCM."""

    platforms: Final = frozenset({PUSH_PLATFORM_FCM})

    def __init__(self, account: Account, base: str = BASE) -> None:
        self._account, self._key = account, account.key()
        self._url = f"{base}/v1/projects/{account.project_id}/messages:send"
        self._client = httpx.AsyncClient(timeout=ANSWER_WITHIN)
        self._bearer, self._bearer_until = "", 0.0

    async def send(self, push: Push) -> None:
        """See Carrier. A bearer token that is refused is replaced once."""
        answer = await self._post(push, await self._token())
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            self._bearer_until = 0.0
            answer = await self._post(push, await self._token())
        if answer.is_success:
            return
        code = _error_code(answer)
        if answer.status_code == HTTPStatus.NOT_FOUND and code == "UNREGISTERED":
            raise DeadTokenError
        said = f"FCM: {answer.status_code} {code}"  # not its text, which may repeat the device's token
        raise NotTakenError(said, _pause(answer)) if answer.status_code in BUSY else RefusedError(said)

    async def close(self) -> None:
        """See Carrier."""
        await self._client.aclose()

    async def _post(self, push: Push, bearer: str) -> httpx.Response:
        seconds = max(round(push.lasts.total_seconds()), 0)
        message = {
            "token": push.token,
            "notification": {"body": push.text},
            "data": {"kind": push.kind},
            "android": {"ttl": f"{seconds}s"},
            "apns": {"headers": {"apns-expiration": str(round(time.time()) + seconds)}},
        }
        headers = {"authorization": f"Bearer {bearer}"}
        return await self._ask(self._url, json={"message": message}, headers=headers)

    async def _token(self) -> str:
        """A bearer token that is good for a while. Until there is one, no message is sent."""
        if time.time() < self._bearer_until:
            return self._bearer
        uri, assertion = self._account.token_uri, self._assertion()
        try:
            answer = await self._ask(uri, data={"grant_type": GRANT, "assertion": assertion})
            if answer.status_code in BUSY:
                raise NotTakenError(f"{uri}: {answer.status_code}", _pause(answer))
            if not answer.is_success:
                raise RefusedError(f"{uri} refuses the service account: {answer.status_code} {answer.text}")
            given = answer.json()
            self._bearer, lasts = str(given["access_token"]), float(given["expires_in"])
        except (httpx.TransportError, ValueError, KeyError, TypeError) as error:
            raise NotTakenError(f"{uri} gives no token: {error!r}", PAUSE) from error
        self._bearer_until = time.time() + lasts - RENEWED_BEFORE
        return self._bearer

    def _assertion(self) -> str:
        account, now = self._account, int(time.time())
        claims = {"iss": account.client_email, "scope": SCOPE, "aud": account.token_uri, "iat": now, "exp": now + HOUR}
        header = {"alg": "RS256", "kid": account.private_key_id}
        return jwt.encode(header, claims, self._key)

    async def _ask(self, url: str, **content: Any) -> httpx.Response:
        try:
            return await self._client.post(url, **content)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:  # nothing was sent
            raise NotTakenError(f"{url} cannot be reached: {error!r}", PAUSE) from error


def _error_code(answer: httpx.Response) -> str:
    """FCM's own code, such as UNREGISTERED, else the status of the answer, such as NOT_FOUND."""
    try:
        error = answer.json()["error"]
        codes = [each["errorCode"] for each in error.get("details", ()) if "errorCode" in each]
        return str(codes[0] if codes else error["status"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _pause(answer: httpx.Response) -> float:
    """Seconds, by the header Retry-After: a number or a date."""
    given = answer.headers.get("retry-after", "")
    if given.isdecimal():
        return float(given)
    try:
        return max((parsedate_to_datetime(given).astimezone(UTC) - datetime.now(UTC)).total_seconds(), 0.0)
    except ValueError:
        return PAUSE
