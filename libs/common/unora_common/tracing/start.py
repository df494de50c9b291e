"""Chooses whether a process records traces."""

from __future__ import annotations

from unora_sdk.environment import ConfigError

from unora_common.config import Config
from unora_common.logs import Log
from unora_common.metrics import Metrics
from unora_common.tracing.settings import fault
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
    if said := fault("UNORA_", config.traces_endpoint, config.traces_ratio):
        raise ConfigError(said)
