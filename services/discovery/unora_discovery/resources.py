"""What the calls of one process share: the planes of the pool, and how far they follow Postgres."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from unora_common.metrics import Metrics

from unora_discovery.config import DiscoveryConfig
from unora_discovery.domain.planes import Planes
from unora_discovery.store.planes import START


@dataclass(slots=True)
class Pool:
    """The pool in memory (DI-17). It is filled by `use_cases.following`."""

    planes: Planes = field(default_factory=Planes)
    cursor: str = START
    """The snapshot of Postgres up to which all changes are in the planes."""
    history: str = ""
    """The database, and the start of its server, to which the cursor belongs; empty before the first load."""
    behind: bool = True
    """Whether more changed than a call takes over by itself: the planes are late until the job has done it."""
    following: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while changes are read and applied: older facts must not replace newer ones. A task gets its database
    connection before it waits for this lock.
    """

    def start_anew(self) -> None:
        """The cursor is of another database: all is loaded again, and until then searches use the planes as they are.
        Postgres decides, so at worst some are proposed in vain.
        """
        self.cursor, self.behind = START, True


@dataclass(frozen=True, slots=True)
class Resources:
    """One of each per process."""

    pool: Pool


def make_resources(_: DiscoveryConfig, __: Metrics) -> Resources:
    """Makes empty planes; calls nothing."""
    return Resources(Pool())
