"""What the discovery service reads from its environment, with the numbers of its rules."""

from __future__ import annotations

from datetime import timedelta

from unora_common.plans import PlanConfig

from unora_discovery.domain.policy import Odds, Policy
from unora_discovery.domain.pool import Tier


class DiscoveryConfig(PlanConfig, frozen=True, kw_only=True):
    """The defaults are the numbers of the design; a deployment may set others."""

    shown_again_days: float = 7.0
    """Days for which a member who was shown is not shown to the same viewer again (DI-09)."""
    admirer_probability: float = 0.7
    """The probability that each of two places in a batch is drawn at random, first among admirers (DI-13)."""
    reduced_visibility: float = 0.1
    """The probability that a member of reduced visibility takes part in a search (DI-10)."""
    batch_days: float = 90.0
    """Days for which a replaced batch is stored, by the machine's clock; never fewer than shown_again_days. On its last
    day its cards can no longer be blocked or reported.
    """
    closed_interest_days: int = 400
    """As for matching: so long an interest that came to nothing is listed, so its card is kept (DI-16)."""

    @property
    def policy(self) -> Policy:
        """The numbers for the domain."""
        return Policy(
            refresh_every={tier: timedelta(hours=self.refresh_hours[tier]) for tier in Tier},
            shown_again_after=timedelta(days=self.shown_again_days),
            odds=Odds(self.admirer_probability, self.reduced_visibility),
        )

    @property
    def batch_retention(self) -> timedelta:
        """How long a replaced batch is stored: its members could be shown again once it is deleted (DI-09)."""
        return timedelta(days=max(self.batch_days, self.shown_again_days))

    @property
    def listed_interests(self) -> timedelta:
        """How long an interest is listed after it came to nothing."""
        return timedelta(days=self.closed_interest_days)

    @property
    def interest_retention(self) -> timedelta:
        """How long an interest is stored after it stopped waiting: a late event must not restore a deleted one."""
        return timedelta(days=self.inbox_days)
