"""The numbers of the plans. Billing shows them; matching, discovery and streak apply them.

All four read them from the same variables by this one class, so that none accepts a value that another refuses.
"""

from __future__ import annotations

from typing import Final

from unora_common.config import Config

CURRENCY: Final = "USD"
"""ISO 4217, of all amounts; they are in its minor units."""


class PlanConfig(Config, frozen=True, kw_only=True):
    """The configuration of a service that shows or applies plans."""

    free_slots: int = 1
    """Connections that a member without a subscription has room for (MA-06)."""
    plus_slots: int = 2
    """Connections that the plus plan has room for (MA-06)."""
    pro_slots: int = 4
    """Connections that the pro plan has room for (MA-06)."""
    refresh_hours_free: int = 24
    """Hours between two refreshes of the cards, on the free tier (DI-04)."""
    refresh_hours_plus: int = 12
    """Hours between two refreshes of the cards, on the plus plan (DI-04)."""
    refresh_hours_pro: int = 6
    """Hours between two refreshes of the cards, on the pro plan (DI-04)."""
    nudges_free: int = 1
    """Nudges of a free member in one at-risk period (ST-13)."""
    nudges_plus: int = 2
    """Nudges of a plus member in one at-risk period (ST-13)."""
    nudges_pro: int = 3
    """Nudges of a pro member in one at-risk period (ST-13)."""

    recovery_price: int = 299
    """Price of a recovery, in minor units of USD."""
    free_recoveries: int = 0
    """Free recoveries per connection for a member without a subscription (BI-06)."""
    plus_recoveries: int = 1
    """Free recoveries per connection on the plus plan (BI-06)."""
    pro_recoveries: int = 2
    """Free recoveries per connection on the pro plan (BI-06)."""

    @property
    def slots(self) -> dict[str, int]:
        """Connections by tier (MA-06)."""
        return {"free": self.free_slots, "plus": self.plus_slots, "pro": self.pro_slots}

    @property
    def refresh_hours(self) -> dict[str, int]:
        """Hours between refreshes by tier (DI-04)."""
        return {"free": self.refresh_hours_free, "plus": self.refresh_hours_plus, "pro": self.refresh_hours_pro}

    @property
    def nudges(self) -> dict[str, int]:
        """Nudges in one at-risk period by tier (ST-13)."""
        return {"free": self.nudges_free, "plus": self.nudges_plus, "pro": self.nudges_pro}

    @property
    def recoveries(self) -> dict[str, int]:
        """Free recoveries per connection by tier (BI-06)."""
        return {"free": self.free_recoveries, "plus": self.plus_recoveries, "pro": self.pro_recoveries}
