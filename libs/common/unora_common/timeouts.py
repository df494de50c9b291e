"""How long a process waits for what it depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Timeouts:
    """Seconds. These are the values of production; tests wait longer, because a busy machine is no error."""

    peer: float = 5.0
    """A call to another context gets at most this; less if the current work has less left."""
    nats_start: float = 5.0
    """A process that starts waits this long for NATS before it goes on without."""
    nats: float = 5.0
    """NATS acknowledges an event, or answers a request about a stream, within this."""
    ping: float = 2.0
    """Postgres answers within this, or the process counts as not ready."""
    statement: float = 15.0
    """Postgres gives up a statement after this."""
    lock: float = 10.0
    """Postgres gives up a statement that has waited this long for one lock."""
    idle_transaction: float = 30.0
    """Postgres ends a connection whose open transaction has run nothing for this long."""
    command: float = 20.0
    """This side gives up a statement after this: Postgres's own limit does not help if Postgres is gone."""


PRODUCTION: Final = Timeouts()
