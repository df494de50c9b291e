"""Configuration: frozen, typed, read once from UNORA_* variables when a process starts.

Any variable may be given as a file, so that no secret needs to be in the environment: UNORA_DATABASE_URL_FILE names a
file with the value of UNORA_DATABASE_URL.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from unora_sdk.environment import ConfigError, given
from unora_sdk.stores import RECORD_RETENTION

from unora_common.logs import LogControl

CONTEXTS = ("identity", "discovery", "matching", "streak", "reveal", "billing", "safety")
STREAM_DAYS: Final = 7
"""Days for which a stream holds an event."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What every service reads. A field `database_url` comes from UNORA_DATABASE_URL, and so on."""

    database_url: str
    """The context's own role, as postgresql://unora_streak:…@host:port/unora?sslmode=verify-full&sslrootcert=FILE, with
    the authority of the server's certificate. Only an address of this machine may be without TLS.
    """
    direct_database_url: str = ""
    """Only if database_url leads to a pooler by transaction, such as pgbouncer: the same role at Postgres itself. The
    relay connects there, because its lock belongs to a session; and the pool prepares no statements.
    """
    nats_url: str
    """The context's own user, as tls://streak:…@host:port; several addresses, separated by commas."""
    tls_ca: Path
    """PEM of the authority that signs every context's certificate."""
    tls_cert: Path
    """PEM of this context's certificate, with the URI spiffe://unora/<context>."""
    tls_key: Path
    """PEM of its private key."""
    listen: str = "0.0.0.0:8443"
    """Where gRPC is served, host:port; port 0 takes a free one."""
    health_listen: str = ""
    """Where grpc.health.v1 is served without TLS, for probes, host:port; empty serves none."""
    metrics_listen: str = ""
    """Where Prometheus metrics are served over HTTP, host:port; empty serves none."""
    traces_endpoint: str = ""
    """Where spans are sent by OTLP over gRPC, http://host:4317 or https://host:4317; empty records none."""
    traces_ratio: float = 0.01
    """The share of traces that is recorded of those that begin in this process, from 0 to 1. Of a trace that begins
    elsewhere, such as in the gateway, it is decided there.
    """
    peers: dict[str, str] = {}
    """Address of each other context, host:port or dns:///…; from UNORA_<CONTEXT>_ADDRESS."""
    gateway_callers: tuple[str, ...] = ("gateway",)
    """Certificates that may bring members' tokens, separated by commas."""
    reflection: bool = False
    """Whether gRPC reflection is on."""
    log_level: str = "info"
    """debug, info, warning or error. Its file is read again while the process runs (docs/logs.md)."""
    log_sample: float = 1.0
    """Share of the traces of which answered calls and applied events are logged, 0 to 1. Its file is read again too."""
    database_connections: int = 10
    """The most connections of one process."""
    kept_connections: int = 2
    """How many of them calls of the gateway leave to calls of other contexts, consumers and jobs (XX-06)."""
    concurrent_calls: int = 100
    """The most calls of members at once; more are refused with SERVICE_BUSY (XX-06)."""
    public_calls: int = 40
    """The most calls at once that come from a gateway without a member, such as sign-in and webhooks (XX-06)."""
    context_calls: int = 100
    """The most calls of other contexts at once, and twice as many as one of them gets (XX-06)."""
    member_calls: int = 10
    """The most calls of one member at once; more are refused with TOO_MANY_CALLS (XX-06)."""
    member_calls_per_second: float = 20.0
    """How many calls a second one member may go on making (XX-06)."""
    member_burst: int = 60
    """How many calls one member may make in a moment after a rest (XX-06)."""
    first_message_seconds: float = 5.0
    """Seconds from the headers of a call until its message must be there."""
    handshake_seconds: float = 5.0
    """Seconds from the opening of a connection until TLS and HTTP/2 must be agreed."""
    connections: int = 1000
    """The most connections of clients at once."""
    connection_calls: int = 16
    """The most calls at once on one connection; a client keeps more back, or opens another connection."""
    default_deadline: float = 10.0
    """Seconds for a call without a deadline of its own."""
    longest_deadline: float = 60.0
    """The most seconds that a call gets, whatever its own deadline."""
    shutdown_delay: float = 5.0
    """Seconds that a process which ends goes on serving: clients learn meanwhile that it is not ready any more."""
    shutdown_grace: float = 10.0
    """Seconds that calls in flight get to finish after that."""
    jwks_refresh: float = 300.0
    """Seconds between two fetches of identity's public keys."""
    revocations_interval: float = 10.0
    """Seconds between two fetches of the sessions that identity has revoked (SA-06)."""
    revocations_silence: float = 60.0
    """Seconds without an answer from identity after which members are refused (SA-06)."""
    relay_interval: float = 1.0
    """Seconds between two reads of the outbox when nothing wakes the relay."""
    retry_delays: tuple[float, ...] = (1.0, 5.0, 15.0, 60.0)
    """Seconds until a failed event is delivered again: after its first failure, its second, and so on."""
    kept_answer_hours: int = 24
    """Hours for which the response to a call that changes something is stored for a repeat (BI-08)."""
    outbox_days: int = 14
    """Days for which a published event stays in the outbox, from which the streams can be restored: 23 at most."""
    inbox_days: int = 30
    """Days for which the inbox remembers that an event was applied: at least outbox_days and 7 more."""

    def __post_init__(self) -> None:
        """Raises ConfigError for settings of the log that cannot be used, and if an event can come again when who has
        applied it does not know that any more.
        """
        try:
            LogControl(self.log_level)
        except ValueError as error:
            raise ConfigError(f"UNORA_LOG_LEVEL cannot be used: {error}") from None
        try:
            LogControl("info").set_sample(self.log_sample)
        except ValueError as error:
            raise ConfigError(f"UNORA_LOG_SAMPLE cannot be used: {error}") from None
        last = self.outbox_days + STREAM_DAYS
        why = f"an event of the outbox can be published again, and come {last} days after it was applied"
        if last > RECORD_RETENTION.days:
            raise ConfigError(
                f"UNORA_OUTBOX_DAYS is {self.outbox_days}: {why}, and subscribers would apply it twice, since they "
                f"remember it for {RECORD_RETENTION.days} days. Set it to {RECORD_RETENTION.days - STREAM_DAYS} at most"
            )
        if last > self.inbox_days:
            raise ConfigError(
                f"UNORA_INBOX_DAYS is {self.inbox_days}: {why}, and would be applied twice. Set it to {last} at least, "
                f"or UNORA_OUTBOX_DAYS to {max(self.inbox_days - STREAM_DAYS, 0)} at most"
            )


C = TypeVar("C", bound=Config)


def load(kind: type[C], environ: Mapping[str, str] | None = None) -> C:
    """Reads `kind` from the environment. Raises ConfigError, which names the variable."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        name = f"UNORA_{field.name.upper()}"
        if field.name == "peers":
            values["peers"] = {c: environ[key] for c in CONTEXTS if (key := f"UNORA_{c.upper()}_ADDRESS") in environ}
        elif (text := given(name, environ)) is not None:
            values[field.name] = _parsed(name, text, field.type)
        elif field.required:
            raise ConfigError(f"{name} is not set. {_meaning(kind, field.name)}".strip())
    return kind(**values)


def _parsed(name: str, text: str, kind: Any) -> Any:
    raw: Any = [part.strip() for part in text.split(",") if part.strip()] if _is_tuple(kind) else text
    try:
        return msgspec.convert(raw, kind, strict=False, dec_hook=lambda to, value: to(value))
    except (msgspec.ValidationError, ValueError) as error:
        raise ConfigError(f"{name} cannot be read: {error}") from None


def _is_tuple(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) is tuple


def _meaning(kind: type[Config], field: str) -> str:
    if field in Config.__struct_fields__:
        return "unora_common/config.py says what it holds."
    return f"It is read by {kind.__module__}."
