"""Chooses whether a process records traces."""

from __future__ import annotations

from urllib.parse import urlsplit

from unora_sdk.environment import ConfigError

from unora_common.config import Config
from unora_common.logs import Log
from unora_common.metrics import Metrics
from unora_common.tracing.tracing import NOT_RECORDED, Tracing


def start(service: str, config: Config, log: Log, metrics: Metrics) -> Tracing:
    """The tracing of one process of a service. Raises ConfigError for an address or a share that cannot be used."""
    if not config.traces_endpoint:
        return NOT_RECORDED
    require_usable(config)
    # Loaded here only: a process that records nothing needs neither its memory nor its third of a second.
    from unora_common.tracing.exporting import make_tracer
    from unora_common.tracing.recorder import Recorder

    return Recorder(*make_tracer(service, config, log, metrics))


def require_usable(config: Config) -> None:
    """Raises ConfigError for an address or a share that cannot be used."""
    try:
        address = urlsplit(config.traces_endpoint)
        usable = address.scheme in ("http", "https") and bool(address.hostname) and address.port is not None
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            "UNORA_TRACES_ENDPOINT cannot be used: give the address of a collector that takes OTLP over gRPC, such as "
            "http://collector:4317, or https://… for TLS"
        )
    if not 0 <= config.traces_ratio <= 1:
        raise ConfigError(f"UNORA_TRACES_RATIO is {config.traces_ratio}: give a share between 0 and 1, such as 0.01")
