"""What the parts of a service (servicers, consumers, jobs) may use of the process that they run in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from unora_common.clients import Clients
from unora_common.config import Config
from unora_common.database import Database
from unora_common.logs import Log
from unora_common.metrics import Metrics
from unora_common.tracing.tracing import NOT_RECORDED, Tracing

C = TypeVar("C", bound=Config, covariant=True)
R = TypeVar("R", covariant=True)


@dataclass(frozen=True)
class Runtime(Generic[C, R]):
    """One process of one service, as its parts see it: `Runtime[BillingConfig, Resources]`."""

    context: str
    """The name of the service, which is also its schema, its stream and its certificate."""
    config: C
    resources: R
    """What the service makes for its parts to share, such as providers; None if it makes nothing."""
    database: Database
    clients: Clients
    """Calls to other contexts."""
    log: Log
    metrics: Metrics
    tracing: Tracing = NOT_RECORDED


AnyRuntime = Runtime[Config, object]
"""The runtime of any service, for code that needs neither its own configuration nor its resources."""
