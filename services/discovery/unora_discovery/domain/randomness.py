"""What chance decides in a search (DI-07, DI-10, DI-13), and from what it is drawn."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Final, Protocol, TypeVar
from uuid import UUID

from unora_discovery.domain.servers import ServerType

T = TypeVar("T")
VISIBILITY_STEPS: Final = 1 << 32
"""The draw of a candidate's visibility is one of so many numbers from 0."""


class Chance(Protocol):
    """A source of random numbers: the system's in service, a seeded one in tests."""

    def random(self) -> float:
        """At least 0, below 1."""

    def getrandbits(self, bits: int, /) -> int:
        """So many bits."""

    def choice(self, of: Sequence[T], /) -> T:
        """One of them."""


def tie_seed(chance: Chance) -> int:
    """DI-07: what orders equals in one search; a signed number of 64 bits."""
    return _signed(chance.getrandbits(64))


def visibility_seed(viewer: UUID, server: ServerType, batch: UUID | None, now: datetime) -> int:
    """DI-10: what decides in a search who of reduced visibility takes part; a signed number of 64 bits.

    It stays for the day (UTC) while the batch stays. Drawn anew at each call, a viewer whose pool is barely too small
    would be refused and served by turns, and learn that somebody in it is not always there.
    """
    told = viewer.bytes + server.encode() + (batch.bytes if batch else b"") + now.date().isoformat().encode()
    return _signed(int.from_bytes(blake2b(told, digest_size=8).digest()))


def visibility_below(weight: float) -> int:
    """A candidate of reduced visibility takes part if their draw is below this."""
    return round(weight * VISIBILITY_STEPS)


def _signed(bits: int) -> int:
    return bits - (1 << 63)
