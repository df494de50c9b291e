"""What the matching service reads from its environment, the numbers of its rules among it."""

from __future__ import annotations

from datetime import timedelta

from unora_common.plans import PlanConfig

from unora_matching.domain import Policy, Slots


class MatchingConfig(PlanConfig, frozen=True, kw_only=True):
    """Numbers of the rules have their defaults in the design; a deployment may set others."""

    interest_days: int = 14
    """Days after which an interest that was not returned expires (MA-11)."""
    expiry_batch: int = 500
    """How many interests, counted by the oldest, one transaction of the expiry looks at."""

    @property
    def policy(self) -> Policy:
        """The numbers as the domain takes them."""
        return Policy(Slots(**self.slots), timedelta(days=self.interest_days))
