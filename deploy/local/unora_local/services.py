"""How the services are started: one process each, or several, configured by environment variables."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from unora_common import declarations

from unora_local.process import Process, inherited_environment
from unora_local.supervisor import ProcessPart
from unora_local.tls import Certificate

SHUTDOWN_DELAY: Final = "5"
"""Seconds for which a process goes on serving at its end if there are others: the gateway asks every two seconds
whether it is ready, and leaves it at the second no.
"""
STOPS_WITHIN: Final = 20.0
"""Seconds until a process that is to end is killed: the delay, and ten for the calls under way."""


@dataclass(frozen=True)
class Endpoint:
    """Where one process of a service listens."""

    grpc: str
    metrics: str


@dataclass(frozen=True)
class Backing:
    """The addresses and certificates that the services need."""

    database_urls: Mapping[str, str]
    nats_urls: Mapping[str, str]
    certificates: Mapping[str, Certificate]
    endpoints: Mapping[str, Sequence[Endpoint]]
    """Of each context, its processes; each has one at least."""
    extra: Mapping[str, Mapping[str, str]]
    """Variables that only one context gets."""


def module(context: str) -> Sequence[str]:
    """The command of a service: with the packages that its image has (as_image.py)."""
    return [sys.executable, "-m", "unora_local.as_image", f"unora_{context}"]


def process_name(context: str, replica: int) -> str:
    """How a process is called in the table of processes, of its log and its ports; the first has its context's name."""
    return context if replica == 0 else f"{context}-{replica + 1}"


def target(endpoints: Sequence[Endpoint]) -> str:
    """What a gRPC client is given to reach these processes: `host:port`, or of several `ipv4:host:port,host:port`."""
    found = [endpoint.grpc for endpoint in endpoints]
    return found[0] if len(found) == 1 else f"ipv4:{','.join(found)}"


def targets(backing: Backing) -> dict[str, str]:
    """The same of every context."""
    return {context: target(endpoints) for context, endpoints in backing.endpoints.items()}


def addresses(backing: Backing) -> dict[str, str]:
    """The same, as variables."""
    return {f"UNORA_{context.upper()}_ADDRESS": address for context, address in targets(backing).items()}


def environment(context: str, backing: Backing, replica: int = 0) -> dict[str, str]:
    """The environment of one process of a service: what any program needs, its own variables, and what it reads of
    ours. A process that is one of several goes on serving for a while when it is to end, as in production.
    """
    certificate = backing.certificates[context]
    endpoints = backing.endpoints[context]
    own = {
        "UNORA_DATABASE_URL": backing.database_urls[context],
        "UNORA_NATS_URL": backing.nats_urls[context],
        "UNORA_LISTEN": endpoints[replica].grpc,
        "UNORA_METRICS_LISTEN": endpoints[replica].metrics,
        "UNORA_TLS_CA": str(certificate.ca),
        "UNORA_TLS_CERT": str(certificate.cert),
        "UNORA_TLS_KEY": str(certificate.key),
        "UNORA_SHUTDOWN_DELAY": "0" if len(endpoints) == 1 else SHUTDOWN_DELAY,
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


def part(context: str, command: Sequence[str], backing: Backing, logs: Path, replica: int = 0) -> ProcessPart:
    """A process of a service as a part for the supervisor. `logs` is the folder of its log."""
    name = process_name(context, replica)
    variables = environment(context, backing, replica)
    return ProcessPart(Process(name, command, log=logs / f"{name}.log", env=variables, grace=STOPS_WITHIN))
