"""ID-06: providers of Gov ID checks. A provider gives a page to which the member goes, and a signed result.

The document never reaches this service. A result has a reference, an opaque token and an outcome; a result with any
other field is refused before it is stored or logged, because the field could be part of a document.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request
from uuid import UUID

import msgspec
from unora_common.errors import InvalidArgument, Unavailable
from unora_common.provider_calls import ProviderCalls

from unora_identity.domain.signals import Outcome
from unora_identity.providers.https import fetch

SIGNATURE: Final = "unora-gov-id-signature"
"""The metadata that carries `t=<unix seconds>,v1=<hex>`: HMAC-SHA256 over the time, a dot and the raw bytes."""
MOST_BYTES: Final = 1024
TOLERANCE: Final = timedelta(minutes=5)
"""How far the signature's time may differ from this machine's, in both directions."""
REQUEST_TIMEOUT: Final = 4.0
"""In seconds."""
_SIGNATURE: Final = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


class SignatureInvalid(InvalidArgument):
    """The signature is not the provider's, or its time is too far from now. Both cases get this answer."""

    reason = "SIGNATURE_INVALID"
    sentence = "The signature of this result is not valid."

    def __init__(self) -> None:
        super().__init__({})


class ResultUnreadable(InvalidArgument):
    """The signature is valid, but the body is not a result: it is too long, or has a field that results do not have."""

    reason = "RESULT_UNREADABLE"
    sentence = "This result cannot be read."

    def __init__(self) -> None:
        super().__init__({})


class GovIdUnavailable(Unavailable):
    """The provider does not answer, or this deployment has none."""

    reason = "GOV_ID_UNAVAILABLE"
    sentence = "ID checks are not possible at the moment. Try again later."


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What the provider compares with the document."""

    name: str = field(repr=False)
    date_of_birth: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of a check. The token identifies a person to the provider, but not to this service."""

    reference: UUID
    token: str = field(repr=False)
    outcome: Outcome


class GovIdProvider(Protocol):
    """A provider of Gov ID checks."""

    name: str

    async def start(self, reference: UUID, claims: Claims) -> str:
        """The page for the member; the same reference gives the same check. Raises GovIdUnavailable."""
        ...

    def read(self, body: bytes, signature: str, now: datetime) -> Result:
        """A result. Raises SignatureInvalid or ResultUnreadable. `now` is the machine's clock."""
        ...


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    """All that a result may hold. A token is too short for a picture, and has no spaces for a text."""

    reference: UUID
    token: str
    outcome: Literal["verified", "refused"]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._~-]{8,128}", self.token):
            raise ValueError("the token has other characters or another length")


class Webhooks:
    """Results that are signed with a secret shared with the provider."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("the secret must have at least 32 bytes")
        self._secret = secret

    def sign(self, body: bytes, now: datetime) -> str:
        """The signature that the provider writes into the metadata."""
        seconds = str(int(now.timestamp()))
        return f"t={seconds},v1={self._mac(seconds, body)}"

    def read(self, body: bytes, signature: str, now: datetime) -> Result:
        """See GovIdProvider. The signature is verified first, over the raw bytes; only then the body is decoded."""
        if len(body) > MOST_BYTES:
            raise ResultUnreadable
        found = _SIGNATURE.fullmatch(signature)
        if not found or not hmac.compare_digest(self._mac(found[1], body), found[2]):
            raise SignatureInvalid
        if abs(int(found[1]) - now.timestamp()) > TOLERANCE.total_seconds():
            raise SignatureInvalid
        try:
            decoded = msgspec.json.decode(body, type=_Body)
        except (msgspec.DecodeError, ValueError):
            raise ResultUnreadable from None  # the decoder's message would quote the body
        return Result(reference=decoded.reference, token=decoded.token, outcome=Outcome(decoded.outcome))

    def _mac(self, seconds: str, body: bytes) -> str:
        return hmac.new(self._secret, seconds.encode() + b"." + body, hashlib.sha256).hexdigest()


class SandboxGovId(Webhooks):
    """A stand-in for a provider: its page is only an address, and a test or a developer signs the results."""

    def __init__(self, secret: bytes, page: str, name: str = "sandbox") -> None:
        super().__init__(secret)
        self.name = name
        self._page = page

    async def start(self, reference: UUID, claims: Claims) -> str:
        """The address of the page; makes no call over the network."""
        return f"{self._page}?{urlencode({'reference': reference})}"


class HttpGovId(Webhooks):
    """A real provider with this interface: a check is made by a POST of reference, name and date of birth; the answer
    has the address of its page. The reference is also the idempotency key.
    """

    def __init__(self, secret: bytes, *, endpoint: str, api_key: str, name: str, calls: ProviderCalls) -> None:
        super().__init__(secret)
        if not endpoint.startswith("https://"):
            raise ValueError("a provider of Gov ID checks is called by https")
        self.name = name
        self._endpoint = endpoint
        self._api_key = api_key
        self._calls = calls

    async def start(self, reference: UUID, claims: Claims) -> str:
        """Asks the provider for the page."""
        body = {"reference": str(reference), "name": claims.name, "date_of_birth": claims.date_of_birth}
        headers = {
            "Authorization": f"Bearer {self._api_key}",
            "Content-Type": "application/json",
            "Idempotency-Key": str(reference),
        }
        request = Request(self._endpoint, msgspec.json.encode(body), headers, method="POST")  # noqa: S310
        return await asyncio.to_thread(self._fetch_page, request)

    def _fetch_page(self, request: Request) -> str:
        try:
            answer = msgspec.json.decode(fetch(request, REQUEST_TIMEOUT, 65536, self._calls))
            url = str(answer["url"])
        except (URLError, OSError, msgspec.DecodeError, KeyError, TypeError):
            raise GovIdUnavailable from None  # the error may quote the request
        if not url.startswith("https://"):
            raise GovIdUnavailable
        return url


class NoGovId:
    """This deployment has no provider: no check can begin, and every result is refused."""

    name = "none"

    async def start(self, reference: UUID, claims: Claims) -> str:
        """Always raises GovIdUnavailable."""
        raise GovIdUnavailable

    def read(self, body: bytes, signature: str, now: datetime) -> Result:
        """Always raises SignatureInvalid."""
        raise SignatureInvalid
