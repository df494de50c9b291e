"""A member's slots over all servers (MA-06)."""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from unora_matching.domain.errors import CapacityFull


class Tier(StrEnum):
    """A member's subscription."""

    FREE = "free"
    PLUS = "plus"
    PRO = "pro"


@dataclass(frozen=True, slots=True)
class Slots:
    """Policy: how many connections each tier has room for."""

    free: int = 1
    plus: int = 2
    pro: int = 4

    def of(self, tier: Tier) -> int:
        """The limit of a tier."""
        return {Tier.FREE: self.free, Tier.PLUS: self.plus, Tier.PRO: self.pro}[tier]


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a member has, over all servers."""

    user_id: UUID
    tier: Tier
    active_connection_count: int
    connection_limit: int
    version: int  # one higher with each event

    @property
    def is_full(self) -> bool:
        """Whether no slot is open."""
        return self.active_connection_count >= self.connection_limit

    def demand_open_slot(self) -> None:
        """MA-13."""
        if self.is_full:
            raise CapacityFull

    def take_slot(self) -> "Inventory":
        """A connection forms. Whoever takes a slot has made sure that one is open."""
        if self.is_full:
            raise ValueError("there is no open slot to take")
        return replace(self, active_connection_count=self.active_connection_count + 1, version=self.version + 1)

    def free_slot(self) -> "Inventory":
        """A connection ends."""
        if not self.active_connection_count:
            raise ValueError("there is no taken slot to free")
        return replace(self, active_connection_count=self.active_connection_count - 1, version=self.version + 1)

    def wipe(self) -> "Inventory":
        """MA-04: the pending interests go with the last slot."""
        if not self.is_full:
            raise ValueError("a member with an open slot keeps their interests")
        return replace(self, version=self.version + 1)


def newcomer(user_id: UUID, slots: Slots) -> Inventory:
    """The inventory of a member of whom nothing is stored yet."""
    return Inventory(user_id, Tier.FREE, 0, slots.of(Tier.FREE), version=0)
