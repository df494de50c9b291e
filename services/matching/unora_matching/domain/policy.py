"""The tiers, and the numbers of matching's rules."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Tier(StrEnum):
    """A member's subscription level."""

    FREE = "free"
    PLUS = "plus"
    PRO = "pro"


@dataclass(frozen=True, slots=True)
class Slots:
    """How many connections each tier has room for (MA-06)."""

    free: int = 1
    plus: int = 2
    pro: int = 4

    def of(self, tier: Tier) -> int:
        """The limit of a tier."""
        return {Tier.FREE: self.free, Tier.PLUS: self.plus, Tier.PRO: self.pro}[tier]


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers that use cases take. The defaults are the design's; a deployment may set others."""

    slots: Slots = field(default_factory=Slots)
    lifetime: timedelta = timedelta(days=14)
    """The time from the sending of an interest to its expiry (MA-11)."""
