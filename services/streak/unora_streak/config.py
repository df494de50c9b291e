"""What the streak service reads from its environment, the numbers of its rules among it."""

from __future__ import annotations

from datetime import timedelta

from unora_common.plans import PlanConfig

from unora_streak.domain import Policy


class StreakConfig(PlanConfig, frozen=True, kw_only=True):
    """Numbers of the rules have their defaults in the design; a deployment may set others."""

    at_risk_hours: float = 6.0
    """A day that one has kept is at risk for so long before it ends (ST-06)."""
    first_day_hours: float = 6.0
    """The least that the first day of a cycle lasts (ST-03)."""
    recovery_hold_minutes: float = 10.0
    """A payment that was authorised keeps the payment window open for so long (ST-20)."""
    sweep_batch: int = 500
    """How many streaks one transaction of the sweep closes."""

    @property
    def policy(self) -> Policy:
        """The numbers as the domain takes them. That day 15 completes is no policy: the seed says so."""
        return Policy(
            at_risk=timedelta(hours=self.at_risk_hours),
            first_day=timedelta(hours=self.first_day_hours),
            hold=timedelta(minutes=self.recovery_hold_minutes),
        )
