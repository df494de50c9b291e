"""Requests that a client may send to the object store by itself, signed with AWS Signature Version 4.

boto3 signs the same; but a client of it takes 26 MB, and most processes of identity need no more than these signatures.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs. Those of a role have a token besides."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


class Signer:
    """Signs for one bucket, in path style. All times are of the machine's clock."""

    def __init__(self, credentials: Callable[[], Credentials], *, endpoint: str, bucket: str, region: str) -> None:
        """`credentials` is asked at each signature, since those of a role change. Raises ValueError if `endpoint` is no
        address.
        """
        self._credentials = credentials
        self._region = region
        self._bucket = bucket
        self._url = f"{endpoint.rstrip('/')}/{bucket}"
        self._host = host_of(endpoint)

    def link(self, key: str, *, life: timedelta) -> str:
        """The address of an object, for a GET within `life`."""
        credentials, now = self._credentials(), datetime.now(UTC)
        address = f"{self._url}/{quote(key)}"
        parameters = {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{credentials.access_key}/{self._scope(now)}",
            "X-Amz-Date": _stamp(now),
            "X-Amz-Expires": str(int(life.total_seconds())),
            "X-Amz-SignedHeaders": "host",
        }
        if credentials.token is not None:
            parameters["X-Amz-Security-Token"] = credentials.token
        encoded = [f"{name}={quote(value, safe='')}" for name, value in parameters.items()]
        request = "\n".join(
            ("GET", urlsplit(address).path, "&".join(sorted(encoded)), f"host:{self._host}", "", "host")
        )
        digest = hashlib.sha256(f"{request}\nUNSIGNED-PAYLOAD".encode()).hexdigest()
        text = "\n".join((_ALGORITHM, _stamp(now), self._scope(now), digest))
        return f"{address}?{'&'.join(encoded)}&X-Amz-Signature={self._signature(credentials, now, text)}"

    def form(self, key: str, *, content_type: str, most_bytes: int, life: timedelta) -> tuple[str, dict[str, str]]:
        """The address and the fields of a form that stores one object, of this type and up to `most_bytes`."""
        credentials, now = self._credentials(), datetime.now(UTC)
        signed = {
            "x-amz-algorithm": _ALGORITHM,
            "x-amz-credential": f"{credentials.access_key}/{self._scope(now)}",
            "x-amz-date": _stamp(now),
        }
        if credentials.token is not None:
            signed["x-amz-security-token"] = credentials.token
        conditions: list[Any] = [
            {"Content-Type": content_type},
            ["content-length-range", 1, most_bytes],
            {"bucket": self._bucket},
            {"key": key},
            *({name: value} for name, value in signed.items()),
        ]
        expiration = (now + life).strftime("%Y-%m-%dT%H:%M:%SZ")
        policy = base64.b64encode(json.dumps({"expiration": expiration, "conditions": conditions}).encode()).decode()
        signature = self._signature(credentials, now, policy)
        fields = {"Content-Type": content_type, "key": key} | signed
        return self._url, fields | {"policy": policy, "x-amz-signature": signature}

    def _scope(self, now: datetime) -> str:
        return f"{now:%Y%m%d}/{self._region}/s3/aws4_request"

    def _signature(self, credentials: Credentials, now: datetime, text: str) -> str:
        key = f"AWS4{credentials.secret_key}".encode()
        for part in self._scope(now).split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.digest(key, text.encode(), "sha256").hex()


def host_of(endpoint: str) -> str:
    """The host that clients name in their requests: without the port if it is the usual one. Raises ValueError if
    `endpoint` is no address.
    """
    parts = urlsplit(endpoint)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError(f"{endpoint} is no address of an object store")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return host if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{parts.port}"


def _stamp(now: datetime) -> str:
    return now.strftime("%Y%m%dT%H%M%SZ")
