"""The random numbers of a search (DI-07, DI-10, DI-13), and what they are drawn from."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Final, Protocol, TypeVar
from uuid import UUID

from unora_discovery.domain.servers import ServerType

T = TypeVar("T")
VISIBILITY_STEPS: Final = 1 << 32
"""The visibility draw of a candidate is a number from 0 up to this, excluded."""


class RandomSource(Protocol):
    """A source of random numbers: the system's in a service, a seeded one in tests."""

    def random(self) -> float:
        """At least 0, below 1."""

    def getrandbits(self, bits: int, /) -> int:
        """A number of so many bits."""

    def choice(self, of: Sequence[T], /) -> T:
        """One element."""


def tie_seed(random_source: RandomSource) -> int:
    """DI-07: the seed of the order among equals in one search; a signed number of 64 bits."""
    return _signed(random_source.getrandbits(64))


def visibility_seed(viewer: UUID, server: ServerType, batch: UUID | None, now: datetime) -> int:
    """DI-10: the seed of which members of reduced visibility take part in a search; a signed number of 64 bits.

    It stays the same for a day (UTC) while the batch stays. If it were new for each call, a viewer whose pool is barely
    too small would sometimes be refused and sometimes served, and learn that a member in it is not always shown.
    """
    key = viewer.bytes + server.encode() + (batch.bytes if batch else b"") + now.date().isoformat().encode()
    return _signed(int.from_bytes(blake2b(key, digest_size=8).digest()))


def visibility_below(weight: float) -> int:
    """A candidate of reduced visibility takes part if their draw is below this."""
    return round(weight * VISIBILITY_STEPS)


def _signed(bits: int) -> int:
    return bits - (1 << 63)
