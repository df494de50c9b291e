"""A member's slots over all servers (MA-06)."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from unora_matching.domain.errors import AccountPaused, CapacityFull
from unora_matching.domain.events import InterestsWiped, InventoryChanged
from unora_matching.domain.notices import AccountNotice, Restriction
from unora_matching.domain.policy import Slots, Tier


@dataclass(frozen=True, slots=True)
class Inventory:
    """A member's slots over all servers, and what billing, safety and identity published of the member."""

    user_id: UUID
    tier: Tier
    active_connection_count: int
    tier_limit: int
    version: int  # one higher with each event
    tier_version: int = 0  # of billing's account; a newer one counts
    restricted: bool = False
    suspended: bool = False
    standing_version: int = 0  # of safety's Restriction; a newer one counts
    standing_at: datetime | None = None  # when safety decided it
    paused: bool = False
    closed: bool = False  # or hidden
    away_version: int = 0  # of identity's event; a newer one counts
    away_at: datetime | None = None  # when the member acted

    @property
    def connection_limit(self) -> int:
        """MA-07: the tier's limit, or the number of connections if that is higher."""
        return max(self.tier_limit, self.active_connection_count)

    @property
    def is_full(self) -> bool:
        """Whether no slot is open."""
        return self.active_connection_count >= self.connection_limit

    @property
    def cannot_match(self) -> bool:
        """SA-06, SA-08: restricted or suspended, so the member's interests can never match."""
        return self.restricted or self.suspended

    def require_may_send(self) -> None:
        """MA-13, ID-16: raises AccountPaused for a member who has paused, and CapacityFull if no slot is open."""
        if self.paused:
            raise AccountPaused
        self.require_open_slot()

    def require_open_slot(self) -> None:
        """MA-13: raises CapacityFull if no slot is open."""
        if self.is_full:
            raise CapacityFull

    def take_slot(self, now: datetime) -> tuple[Self, InventoryChanged]:
        """A connection forms. Raises ValueError if no slot is open: the caller must check that first."""
        if self.is_full:
            raise ValueError("a full member has no slot to take")
        taken = replace(self, active_connection_count=self.active_connection_count + 1, version=self.version + 1)
        return taken, _changed(taken, now)

    def free_slots(self, count: int, now: datetime) -> tuple[Self, InventoryChanged]:
        """`count` connections end. A limit that is higher than the tier's falls with them (MA-07)."""
        if not 0 < count <= self.active_connection_count:
            raise ValueError("there are not so many taken slots to free")
        freed = replace(self, active_connection_count=self.active_connection_count - count, version=self.version + 1)
        return freed, _changed(freed, now)

    def wipe(self, count: int, connection_id: UUID | None, now: datetime) -> tuple[Self, InterestsWiped]:
        """MA-04: the last slot was taken, by a connection or by a lower tier, and `count` interests were wiped."""
        if not self.is_full:
            raise ValueError("a member with an open slot keeps their interests")
        wiped = replace(self, version=self.version + 1)
        return wiped, InterestsWiped(
            user_id=wiped.user_id,
            version=wiped.version,
            wiped_count=count,
            connection_id=connection_id,
            occurred_at=now,
        )

    def change_tier(
        self, tier: Tier, slots: Slots, version: int, now: datetime
    ) -> tuple[Self, InventoryChanged] | None:
        """MA-07: the tier in this version of billing's account; None if this version or a newer one is known."""
        if version <= self.tier_version:
            return None
        changed = replace(self, tier=tier, tier_limit=slots.of(tier), tier_version=version, version=self.version + 1)
        return changed, _changed(changed, now)

    def change_restriction(self, restriction: Restriction) -> Self | None:
        """SA-06, SA-08: None if this version or a newer one is known.

        It is hidden from all members (SA-03), so it is no event of the inventory.
        """
        if restriction.version <= self.standing_version:
            return None
        return replace(
            self,
            restricted=restriction.restricted,
            suspended=restriction.suspended,
            standing_version=restriction.version,
            standing_at=restriction.changed_at,
        )

    def change_account(self, notice: AccountNotice) -> Self | None:
        """ID-09, ID-16: None if this version or a newer one is known. It is no event of the inventory either."""
        if notice.version <= self.away_version:
            return None
        return replace(
            self,
            paused=notice.paused,
            closed=notice.closed,
            away_version=notice.version,
            away_at=notice.changed_at,
        )


def new_inventory(user_id: UUID, slots: Slots) -> Inventory:
    """The inventory of a member who has no stored row yet."""
    return Inventory(user_id, Tier.FREE, 0, slots.of(Tier.FREE), version=0)


def _changed(inventory: Inventory, now: datetime) -> InventoryChanged:
    return InventoryChanged(
        user_id=inventory.user_id,
        version=inventory.version,
        tier=inventory.tier,
        active_connection_count=inventory.active_connection_count,
        connection_limit=inventory.connection_limit,
        occurred_at=now,
    )
