"""What the streak service reads from its environment, including the numbers of its rules."""

from __future__ import annotations

from datetime import timedelta

from unora_common.plans import PlanConfig

from unora_streak.domain.state import Policy
from unora_streak.domain.views import Plans


class StreakConfig(PlanConfig, frozen=True, kw_only=True):
    """The defaults are the numbers of docs/rules.md; a deployment may set others."""

    at_risk_hours: float = 6.0
    """A day on which one has checked in is at risk for this long before it ends (ST-06)."""
    ends_soon_hours: float = 6.0
    """A day on which nobody has checked in is told of once, this long before it ends (ST-23)."""
    first_day_hours: float = 6.0
    """The minimum length of the first day of a cycle (ST-03)."""
    recovery_hold_minutes: float = 10.0
    """An authorised payment holds the payment window open for this long (ST-20)."""
    sweep_batch: int = 2000
    """How many streaks one transaction of the sweep advances."""

    @property
    def policy(self) -> Policy:
        """The numbers as the domain takes them. The seed fixes that day 15 completes a streak; no variable sets it."""
        return Policy(
            at_risk=timedelta(hours=self.at_risk_hours),
            ends_soon=timedelta(hours=self.ends_soon_hours),
            first_day=timedelta(hours=self.first_day_hours),
            hold=timedelta(minutes=self.recovery_hold_minutes),
        )

    @property
    def plans(self) -> Plans:
        """What members' tiers give, as the domain takes it."""
        return Plans(nudges=self.nudges, free_recoveries=self.recoveries, recovery_price=self.recovery_price)
