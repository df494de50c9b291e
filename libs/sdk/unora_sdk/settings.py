"""What a subscriber has to know of the platform: its address, its certificate, its inbox, its consumers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from unora_sdk.environment import ConfigError, given
from unora_sdk.nats_client import addresses

HELP = "On a stack of one machine it is in .run/subscribers/NAME.env: see docs/tutorial-subscriber.md"


class Durable(NamedTuple):
    """A durable consumer that the platform has made for this subscriber."""

    stream: str
    name: str

    def reads(self, stream: str, subject: str) -> bool:
        """Whether it reads the events of a subject."""
        return self.stream == stream and self.name.endswith(f"__{subject.rpartition('.')[2]}")


@dataclass(frozen=True)
class Settings:
    """Read once, when a subscriber is made."""

    nats_url: str
    """Its own user, as tls://name:password@host:port; several addresses, separated by commas."""
    inbox: str
    """Where its answers go, such as `_INBOX.push`: it may listen nowhere else."""
    consumers: tuple[Durable, ...]
    tls_ca: Path
    """PEM of the authority of Unora's certificates."""
    tls_cert: Path
    """PEM of its own certificate."""
    tls_key: Path
    """PEM of its private key."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Reads UNORA_NATS_URL, UNORA_NATS_INBOX, UNORA_NATS_CONSUMERS (`stream/consumer`, separated by spaces),
        UNORA_TLS_CA, UNORA_TLS_CERT, UNORA_TLS_KEY, or what the same names with _FILE point to. Raises ConfigError.
        """
        values = os.environ if environ is None else environ
        url = _needed("UNORA_NATS_URL", values)
        addresses(url)
        return cls(
            nats_url=url,
            inbox=_needed("UNORA_NATS_INBOX", values),
            consumers=tuple(_consumers(_needed("UNORA_NATS_CONSUMERS", values).split())),
            tls_ca=Path(_needed("UNORA_TLS_CA", values)),
            tls_cert=Path(_needed("UNORA_TLS_CERT", values)),
            tls_key=Path(_needed("UNORA_TLS_KEY", values)),
        )


def _needed(name: str, environ: Mapping[str, str]) -> str:
    value = given(name, environ)
    if not value:
        raise ConfigError(f"{name} is not set. {HELP}")
    return value


def _consumers(words: Iterable[str]) -> Iterable[Durable]:
    for word in words:
        stream, slash, name = word.partition("/")
        if not (stream and slash and name) or "/" in name:
            raise ConfigError(f"UNORA_NATS_CONSUMERS cannot be read: {word!r} is not stream/consumer. {HELP}")
        yield Durable(stream, name)
