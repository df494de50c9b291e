"""Who checks a Gov ID (ID-06): a page of the provider's, to which the member goes, and a signed word on the outcome.

The document never comes here. What does come is a reference, an opaque token and an outcome; anything else in a result
is refused before it is kept or logged, because it could be part of a document.
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
from urllib.request import Request, urlopen
from uuid import UUID

import msgspec
from unora_common.errors import InvalidArgument, Unavailable

from unora_identity.domain.signals import Outcome

SIGNATURE: Final = "unora-gov-id-signature"
"""The metadata that carries `t=<unix seconds>,v1=<hex>`: HMAC-SHA256 over the time, a dot and the raw bytes."""
MOST_BYTES: Final = 1024
TOLERANCE: Final = timedelta(minutes=5)
"""How far the signature's time may be from this machine's, either way."""
_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")
SECONDS: Final = 4.0


class SignatureInvalid(InvalidArgument):
    """Not the provider's, or not of now: one answer."""

    reason = "SIGNATURE_INVALID"

    def __init__(self) -> None:
        super().__init__({})


class ResultUnreadable(InvalidArgument):
    """Signed, and not what a result is: too long, or with a field that it does not have."""

    reason = "RESULT_UNREADABLE"

    def __init__(self) -> None:
        super().__init__({})


class GovIdUnavailable(Unavailable):
    """The provider does not answer, or this deployment has none."""

    reason = "GOV_ID_UNAVAILABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What the provider compares with the document."""

    name: str = field(repr=False)
    date_of_birth: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a check came out. The token is the provider's: it names a person to them and says nothing to us."""

    reference: UUID
    token: str = field(repr=False)
    outcome: Outcome


class GovIdProvider(Protocol):
    """Whatever can check a Gov ID."""

    name: str

    async def start(self, reference: UUID, claims: Claims) -> str:
        """The page for the member; the same reference gives the same check. Raises GovIdUnavailable."""
        ...

    def read(self, body: bytes, signature: str, now: datetime) -> Result:
        """A result; raises SignatureInvalid or ResultUnreadable. `now` is the machine's clock."""
        ...


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    """All that a result may hold. A token has no room for a picture, and no blanks for a text."""

    reference: UUID
    token: str
    outcome: Literal["verified", "refused"]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._~-]{8,128}", self.token):
            raise ValueError("the token is not one")


class Webhooks:
    """Results, signed with a secret that the provider and we share."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("the secret must have at least 32 bytes")
        self._secret = secret

    def sign(self, body: bytes, now: datetime) -> str:
        """What the provider writes into the metadata."""
        at = str(int(now.timestamp()))
        return f"t={at},v1={self._mac(at, body)}"

    def read(self, body: bytes, signature: str, now: datetime) -> Result:
        """The signature first, over the bytes as they came; only then anything is read of them."""
        if len(body) > MOST_BYTES:
            raise ResultUnreadable
        found = _SIGNATURE.fullmatch(signature)
        if not found or not hmac.compare_digest(self._mac(found[1], body), found[2]):
            raise SignatureInvalid
        if abs(int(found[1]) - now.timestamp()) > TOLERANCE.total_seconds():
            raise SignatureInvalid
        try:
            told = msgspec.json.decode(body, type=_Body)
        except (msgspec.DecodeError, ValueError):
            raise ResultUnreadable from None  # the decoder's message would quote it
        return Result(reference=told.reference, token=told.token, outcome=Outcome(told.outcome))

    def _mac(self, at: str, body: bytes) -> str:
        return hmac.new(self._secret, at.encode() + b"." + body, hashlib.sha256).hexdigest()


class SandboxGovId(Webhooks):
    """A provider that is not there: its page is an address, and results are signed by whoever plays it."""

    def __init__(self, secret: bytes, page: str, name: str = "sandbox") -> None:
        super().__init__(secret)
        self.name = name
        self._page = page

    async def start(self, reference: UUID, claims: Claims) -> str:
        """No network."""
        return f"{self._page}?{urlencode({'reference': reference})}"


class HttpGovId(Webhooks):
    """A real provider of this shape: a check is made by a POST of reference, name and date of birth, and answered with
    the address of its page. The reference is also the idempotency key.
    """

    def __init__(self, secret: bytes, *, endpoint: str, api_key: str, name: str) -> None:
        super().__init__(secret)
        if not endpoint.startswith("https://"):
            raise ValueError("a provider of Gov ID checks is reached by https")
        self.name = name
        self._endpoint = endpoint
        self._api_key = api_key

    async def start(self, reference: UUID, claims: Claims) -> str:
        """Asks the provider for the page."""
        asked = {"reference": str(reference), "name": claims.name, "date_of_birth": claims.date_of_birth}
        headers = {
            "Authorization": f"Bearer {self._api_key}",
            "Content-Type": "application/json",
            "Idempotency-Key": str(reference),
        }
        request = Request(self._endpoint, msgspec.json.encode(asked), headers, method="POST")  # noqa: S310
        return await asyncio.to_thread(_page, request)


class NoGovId:
    """This deployment has no provider: nobody can begin a check, and no result is anybody's."""

    name = "none"

    async def start(self, reference: UUID, claims: Claims) -> str:
        """There is none."""
        raise GovIdUnavailable

    def read(self, body: bytes, signature: str, now: datetime) -> Result:
        """There is none."""
        raise SignatureInvalid


def _page(request: Request) -> str:
    try:
        with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - https only, see HttpGovId
            told = msgspec.json.decode(answer.read(65536))
        url = str(told["url"])
    except (URLError, OSError, msgspec.DecodeError, KeyError, TypeError):
        raise GovIdUnavailable from None  # what went wrong may quote what was asked
    if not url.startswith("https://"):
        raise GovIdUnavailable
    return url
