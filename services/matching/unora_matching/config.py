"""What the matching service reads from its environment, the numbers of its rules among it."""

from __future__ import annotations

from datetime import timedelta

from unora_common.config import Config

from unora_matching.domain import Policy, Slots


class MatchingConfig(Config, frozen=True, kw_only=True):
    """Numbers of the rules have their defaults in the design; a deployment may set others."""

    free_slots: int = 1
    """Connections that a member without a subscription has room for (MA-06)."""
    plus_slots: int = 2
    """Connections that the plus plan has room for."""
    pro_slots: int = 4
    """Connections that the pro plan has room for."""

    interest_days: int = 14
    """Days after which an interest that was not returned expires (MA-11)."""
    expiry_batch: int = 500
    """How many interests, counted by the oldest, one transaction of the expiry looks at."""

    @property
    def policy(self) -> Policy:
        """The numbers as the domain takes them."""
        slots = Slots(free=self.free_slots, plus=self.plus_slots, pro=self.pro_slots)
        return Policy(slots, timedelta(days=self.interest_days))
