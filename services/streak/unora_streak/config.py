"""What the streak service reads from its environment, the numbers of its rules among it."""

from __future__ import annotations

from datetime import timedelta

from unora_common.config import Config

from unora_streak.domain import Policy


class StreakConfig(Config, frozen=True, kw_only=True):
    """Numbers of the rules have their defaults in the design; a deployment may set others."""

    at_risk_hours: float = 6.0
    """A day that one has kept is at risk for so long before it ends (ST-06)."""
    first_day_hours: float = 6.0
    """The least that the first day of a cycle lasts (ST-03)."""
    recovery_hold_minutes: float = 10.0
    """A payment that was authorised keeps the payment window open for so long (ST-20)."""
    nudges_free: int = 1
    """Nudges of a free member in an at-risk period (ST-13)."""
    nudges_plus: int = 2
    """Of a plus member."""
    nudges_pro: int = 3
    """Of a pro member."""
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

    @property
    def nudges(self) -> dict[str, int]:
        """Nudges an at-risk period by tier (ST-13)."""
        return {"free": self.nudges_free, "plus": self.nudges_plus, "pro": self.nudges_pro}
