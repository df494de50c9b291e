"""What the discovery service reads from its environment, the numbers of its rules among it."""

from __future__ import annotations

from datetime import timedelta

from unora_common.config import Config

from unora_discovery.domain import Odds, Policy, Tier


class DiscoveryConfig(Config, frozen=True, kw_only=True):
    """Numbers of the rules have their defaults in the design; a deployment may set others."""

    refresh_hours_free: float = 24.0
    """Hours between refreshes that spend the timer, on the free tier (DI-04)."""
    refresh_hours_plus: float = 12.0
    """The same on plus."""
    refresh_hours_pro: float = 6.0
    """The same on pro."""
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
            refresh_every={
                Tier.FREE: timedelta(hours=self.refresh_hours_free),
                Tier.PLUS: timedelta(hours=self.refresh_hours_plus),
                Tier.PRO: timedelta(hours=self.refresh_hours_pro),
            },
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
