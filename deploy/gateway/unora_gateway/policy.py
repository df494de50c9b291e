"""The numbers of the gateway, with defaults that work. Each can be given as a variable when the files are rendered."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from unora_common.tracing.settings import fault

PREFIX = "UNORA_GATEWAY_"
T = TypeVar("T")


class PolicyError(ValueError):
    """A variable holds what its field cannot; the text names it, and says what to give."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Limits, time limits and origins. `UNORA_GATEWAY_<NAME>` sets a field."""

    address_calls_per_second: int = 100
    """How many calls a second one address may go on making: an IPv4 address, or the /64 of an IPv6 address. Members
    behind one address share it. In each process of the gateway.
    """
    address_burst: int = 400
    """How many calls one address may make in a moment after a rest."""
    addresses: int = 100_000
    """How many addresses are counted at once; those that called last are kept."""
    trusted_proxies: int = 0
    """How many proxies before the gateway add to X-Forwarded-For: the address that the first of them saw is the
    client's. With 0 it is that of the connection, and the header counts for nothing.
    """
    proxy_protocol: bool = False
    """Whether each connection of a client begins with the PROXY protocol (version 1 or 2), by which a balancer that
    passes TLS on tells the client's address. With true a connection without it is refused, and only the balancer may
    reach the gateway: whoever else does can claim any address.
    """
    origins: tuple[str, ...] = ()
    """The origins of web pages that may call (CORS), such as `https://app.example.com`; `*` in one stands for any
    letters but a slash, such as `http://localhost:*`.
    """
    preflight_seconds: int = 7200
    """Seconds for which a browser may keep the answer of a preflight."""
    body_bytes: int = 1 << 20
    """The most bytes of a REST request's body. Services take no larger messages."""
    header_kilobytes: int = 16
    """The most kilobytes of a request's headers."""
    headers: int = 64
    """The most headers of a request."""
    call_seconds: float = 10.0
    """Seconds until a call is given up that sets no deadline of its own, such as each of REST; as in a service."""
    longest_call_seconds: float = 60.0
    """The most seconds of a gRPC call, whatever its deadline."""
    request_seconds: float = 20.0
    """Seconds until a request must have arrived as a whole."""
    idle_seconds: float = 300.0
    """Seconds without a call after which a client's connection is closed."""
    client_connections: int = 10_000
    """The most connections of clients at once."""
    memory_bytes: int = 384 << 20
    """The bytes of memory that the gateway keeps to: the calls that hold the most are given up before it is full. A
    process needs some more, so set it to three quarters of what the process may use before it is killed.
    """
    client_calls: int = 100
    """The most calls at once on one connection of a client."""
    service_connections: int = 84
    """The most connections to one service; each carries 12 calls at once. A replica of a service takes 1000, so ten
    processes of the gateway leave room for others.
    """
    service_calls: int = 1000
    """The most calls under way to one service; more are refused."""
    waiting_calls: int = 500
    """The most calls to one service that wait for a connection."""
    connect_seconds: float = 2.0
    """Seconds until a connection to a service must be open."""
    retries: int = 2
    """How often a read is sent again, and a change that no service has taken."""
    health_seconds: float = 2.0
    """Seconds between two questions whether a replica of a service is ready."""
    failures_to_leave: int = 5
    """After so many failures in a row (UNAVAILABLE, or no connection) a replica gets no calls for a while."""
    leave_seconds: float = 10.0
    """Seconds of the first such while; it grows with each one."""
    traces_endpoint: str = ""
    """Where spans are sent by OTLP over gRPC, http://host:4317 or https://host:4317; empty records none."""
    traces_ratio: float = 0.01
    """The share of calls that is recorded, from 0 to 1."""
    traces_ca: str = "/etc/ssl/certs/ca-certificates.crt"
    """With https, the file of the authorities that the collector's certificate may be from."""

    def __post_init__(self) -> None:
        """Raises PolicyError for a collector or a share that cannot be."""
        if said := fault(PREFIX, self.traces_endpoint, self.traces_ratio):
            raise PolicyError(said)


def load(environ: Mapping[str, str] | None = None, **defaults: Any) -> Policy:
    """The policy with what the environment sets; `defaults` are those of a target. Raises PolicyError."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = dict(defaults)
    for field in msgspec.structs.fields(Policy):
        name = f"{PREFIX}{field.name.upper()}"
        if name in environ:
            values[field.name] = _parsed(name, environ[name], field.type)
    return Policy(**values)


def _parsed(name: str, text: str, kind: type[T]) -> T:
    is_list = getattr(kind, "__origin__", None) is tuple
    raw: Any = [part.strip() for part in text.split(",") if part.strip()] if is_list else text
    try:
        return msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError:
        needed = {int: "a whole number", bool: "true or false"}.get(kind, "a number")
        raise PolicyError(f"{name} is {text!r}: give {needed}, or do not set it") from None
