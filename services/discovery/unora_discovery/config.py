"""What the discovery service reads from its environment, the numbers of its rules among it."""

from __future__ import annotations

from datetime import timedelta

from unora_common.plans import PlanConfig

from unora_discovery.domain import Odds, Policy, Tier


class DiscoveryConfig(PlanConfig, frozen=True, kw_only=True):
    """Numbers of the rules have their defaults in the design; a deployment may set others."""

    shown_again_days: float = 7.0
    """Who was shown is not shown to the same member again for so long (DI-09)."""
    admirer_probability: float = 0.7
    """With which each of the two places that may be drawn in a batch is (DI-13)."""
    reduced_visibility: float = 0.1
    """With which someone of reduced visibility takes part in a search (DI-10)."""
    batch_days: float = 90.0
    """How long a replaced batch is kept, by the machine's clock; never less than shown_again_days."""

    @property
    def policy(self) -> Policy:
        """The numbers as the domain takes them. That a batch has five cards is no policy: the seed says so."""
        return Policy(
            refresh_every={tier: timedelta(hours=self.refresh_hours[tier]) for tier in Tier},
            shown_again_after=timedelta(days=self.shown_again_days),
            odds=Odds(self.admirer_probability, self.reduced_visibility),
        )

    @property
    def batches_kept(self) -> timedelta:
        """Who is in a batch that is forgotten could be shown again (DI-09)."""
        return timedelta(days=max(self.batch_days, self.shown_again_days))

    @property
    def waits_kept(self) -> timedelta:
        """An interest that is forgotten must not come back by an event of it that is told late."""
        return timedelta(days=self.inbox_days)
