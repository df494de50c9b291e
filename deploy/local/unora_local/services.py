"""How the services are started: one process each, configured by environment variables."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from unora_common import declarations

from unora_local.process import Process, inherited_environment
from unora_local.supervisor import ProcessPart
from unora_local.tls import Certificate


@dataclass(frozen=True)
class Endpoint:
    """Where one service listens."""

    grpc: str
    metrics: str


@dataclass(frozen=True)
class Backing:
    """The addresses and certificates that the services need."""

    database_urls: Mapping[str, str]
    nats_urls: Mapping[str, str]
    certificates: Mapping[str, Certificate]
    endpoints: Mapping[str, Endpoint]
    extra: Mapping[str, Mapping[str, str]]
    """Variables that only one context gets."""


def module(context: str) -> Sequence[str]:
    """The command of a service: with the packages that its image has (as_image.py)."""
    return [sys.executable, "-m", "unora_local.as_image", f"unora_{context}"]


def addresses(backing: Backing) -> dict[str, str]:
    """The address of every service, as variables."""
    return {f"UNORA_{context.upper()}_ADDRESS": endpoint.grpc for context, endpoint in backing.endpoints.items()}


def environment(context: str, backing: Backing) -> dict[str, str]:
    """The environment of one service: what any program needs, its own variables, and what it reads of ours."""
    certificate = backing.certificates[context]
    own = {
        "UNORA_DATABASE_URL": backing.database_urls[context],
        "UNORA_NATS_URL": backing.nats_urls[context],
        "UNORA_LISTEN": backing.endpoints[context].grpc,
        "UNORA_METRICS_LISTEN": backing.endpoints[context].metrics,
        "UNORA_TLS_CA": str(certificate.ca),
        "UNORA_TLS_CERT": str(certificate.cert),
        "UNORA_TLS_KEY": str(certificate.key),
        "UNORA_SHUTDOWN_DELAY": "0",
        "UNORA_REFLECTION": "true",
        "UNORA_GATEWAY_CALLERS": "gateway,developer",
    }
    given = inherited_environment(*_read_by(context))
    return given | own | addresses(backing) | dict(backing.extra.get(context, {}))


def _read_by(context: str) -> list[str]:
    """The variables that a service reads, so that `UNORA_LOG_LEVEL=debug make up` reaches it."""
    fields = msgspec.structs.fields(declarations.load_service(context).config)
    names = [f"UNORA_{field.name.upper()}" for field in fields]
    return [*names, *(f"{name}_FILE" for name in names)]


def part(context: str, command: Sequence[str], backing: Backing, log: Path) -> ProcessPart:
    """A service as a part for the supervisor."""
    return ProcessPart(Process(context, command, log=log, env=environment(context, backing)))
