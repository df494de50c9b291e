"""The variables that the matching service reads, with the numbers of its rules."""

from __future__ import annotations

from datetime import timedelta

from unora_common.plans import PlanConfig

from unora_matching.domain.policy import Policy, Slots


class MatchingConfig(PlanConfig, frozen=True, kw_only=True):
    """The defaults of the numbers are the design's; a deployment may set others."""

    interest_days: int = 14
    """Days after which an interest that was not returned expires (MA-11)."""
    expiry_batch: int = 500
    """The most interests that one transaction of the expiry looks at, the oldest first."""
    closed_interest_days: int = 400
    """Days for which an interest that came to nothing is stored after it was closed, by the machine's clock."""

    @property
    def policy(self) -> Policy:
        """The numbers as use cases take them."""
        return Policy(Slots(**self.slots), timedelta(days=self.interest_days))
