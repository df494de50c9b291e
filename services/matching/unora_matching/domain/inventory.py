"""A member's slots over all servers (MA-06)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self
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
    """What a member has, over all servers, and what billing and safety said of them."""

    user_id: UUID
    tier: Tier
    active_connection_count: int
    tier_limit: int
    version: int  # one higher with each event
    tier_version: int = 0  # of billing's account; a newer one counts
    restricted: bool = False
    suspended: bool = False
    standing_version: int = 0  # of safety's standing; a newer one counts
    standing_at: datetime | None = None  # when safety changed it

    @property
    def connection_limit(self) -> int:
        """MA-07: the tier's limit; while more connections are held than that, their number, which nothing can pass."""
        return max(self.tier_limit, self.active_connection_count)

    @property
    def is_full(self) -> bool:
        """Whether no slot is open."""
        return self.active_connection_count >= self.connection_limit

    @property
    def silenced(self) -> bool:
        """SA-06, SA-08: restricted or suspended, so that what the member sends can never match."""
        return self.restricted or self.suspended

    def demand_open_slot(self) -> None:
        """MA-13: raises CapacityFull when there is none."""
        if self.is_full:
            raise CapacityFull

    def take_slot(self) -> Self:
        """A connection forms. Whoever takes a slot has made sure that one is open."""
        if self.is_full:
            raise ValueError("a slot was taken of a member who is full")
        return replace(self, active_connection_count=self.active_connection_count + 1, version=self.version + 1)

    def free_slots(self, count: int = 1) -> Self:
        """So many connections end; a limit above the tier's falls with them (MA-07)."""
        if not 0 < count <= self.active_connection_count:
            raise ValueError("there are not so many taken slots to free")
        return replace(self, active_connection_count=self.active_connection_count - count, version=self.version + 1)

    def wipe(self) -> Self:
        """MA-04: the pending interests go with the last slot."""
        if not self.is_full:
            raise ValueError("a member with an open slot keeps their interests")
        return replace(self, version=self.version + 1)

    def change_tier(self, tier: Tier, slots: Slots, version: int) -> Self | None:
        """MA-07: what billing told in this version of the member's account; None if a newer one is known."""
        if version <= self.tier_version:
            return None
        return replace(self, tier=tier, tier_limit=slots.of(tier), tier_version=version, version=self.version + 1)

    def change_standing(self, *, restricted: bool, suspended: bool, version: int, at: datetime) -> Self | None:
        """SA-06, SA-08: what safety told in this version of the standing; None if a newer one is known.

        It is told to nobody (SA-03), so it is no event of the inventory.
        """
        if version <= self.standing_version:
            return None
        return replace(self, restricted=restricted, suspended=suspended, standing_version=version, standing_at=at)


def newcomer(user_id: UUID, slots: Slots) -> Inventory:
    """The inventory of a member of whom nothing is stored yet."""
    return Inventory(user_id, Tier.FREE, 0, slots.of(Tier.FREE), version=0)
