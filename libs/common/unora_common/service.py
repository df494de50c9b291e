"""The declaration of a service. `app.py` runs it in a process (or in a test)."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

from unora_common.config import Config
from unora_common.errors import DomainError
from unora_common.handler_marks import Consumes
from unora_common.metrics import Metric, Metrics
from unora_common.runtime import Runtime
from unora_common.tokens import Jwks

C = TypeVar("C", bound=Config)
R = TypeVar("R")
Part = Callable[[Runtime[C, R]], Any]
"""A class of servicer, consumer or job methods. The process makes one object of it, with the Runtime."""


@dataclass(frozen=True)
class Command(Generic[C, R]):
    """A command line of one service besides serving, such as making the first admin."""

    summary: str
    arguments: Callable[[argparse.ArgumentParser], Any]
    """Adds the command's arguments to its parser."""
    run: Callable[[Runtime[C, R], argparse.Namespace], Awaitable[int]]
    """Returns the exit status."""


@dataclass(frozen=True)
class Service(Generic[C, R]):
    """What a service is made of. Read it and you know the service."""

    name: str
    """The context, which is also its schema, its stream and its certificate."""
    config: type[C]
    servicers: Sequence[Part[C, R]] = ()
    consumers: Sequence[Part[C, R]] = ()
    jobs: Sequence[Part[C, R]] = ()
    followers: Sequence[Part[C, R]] = ()
    """Like jobs, but they run in each process that serves calls, also where no job does: they keep up to date what
    calls read in the memory of the process. It is not ready before each of them has caught up once.
    """
    gauges: Sequence[Part[C, R]] = ()
    """What is counted in Postgres for the metrics, where jobs run (`@counts`)."""
    metrics: Sequence[Metric[Any]] = ()
    """What it measures beside what every service does (`common_metrics.py`)."""
    constraints: Mapping[str, type[DomainError]] = field(default_factory=dict)
    """The names of database constraints, and the refusal that a violation of each becomes."""
    resources: Callable[[C, Metrics], R] | None = None
    """Makes what the parts share, such as providers; they find it as `runtime.resources`.

    It raises ConfigError for a configuration that it cannot use. If the result has a `close`, the process calls it
    last, and awaits it if it is asynchronous.
    """
    commands: Mapping[str, Command[C, R]] = field(default_factory=dict)
    keys: Callable[[Runtime[C, R]], Jwks] | None = None
    """Only identity: its public keys. All other contexts fetch them from identity."""
    revocations: Callable[[Runtime[C, R]], Awaitable[frozenset[UUID]]] | None = None
    """Only identity: the sessions revoked lately. All other contexts fetch them from identity (SA-06)."""

    def consumed(self) -> list[Consumes]:
        """The events that the service reads from other contexts."""
        return [method.consumes for part in self.consumers for method in marked(part, "consumes")]


def marked(part: Any, mark: str) -> list[Any]:
    """The methods of a part, or of its class, that a decorator of `handlers.py` gave the attribute `mark`."""
    return [method for _, method in inspect.getmembers(part, callable) if hasattr(method, mark)]


async def close_resources(resources: object) -> None:
    """Closes what `Service.resources` has made, if it can be closed."""
    close = getattr(resources, "close", None)
    if close is not None:
        closing = close()
        if inspect.isawaitable(closing):
            await closing
