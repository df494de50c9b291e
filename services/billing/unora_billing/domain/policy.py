"""What things cost, what the plans hold, and how long things last: policy, with its defaults in the config."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

CURRENCY: Final = "USD"
"""ISO 4217; amounts are its minor units, and one credit is one of them."""


class Tier(StrEnum):
    """What a member's subscription gives; free without one (BI-01)."""

    FREE = "free"
    PLUS = "plus"
    PRO = "pro"


RANK: Final = {Tier.FREE: 0, Tier.PLUS: 1, Tier.PRO: 2}


class Purpose(StrEnum):
    """What a payment is for (BI-02)."""

    RECOVERY = "recovery"
    REVEAL = "reveal"
    NUDGE = "nudge"
    SUBSCRIPTION = "subscription"


@dataclass(frozen=True, slots=True)
class Plan:
    """A tier as it is sold. Slots, hours, nudges and reveals are shown here and held where they belong."""

    tier: Tier
    name: str
    monthly_amount: int
    connection_slots: int
    refresh_hours: int
    nudges: int
    free_recoveries: int
    reveals_earned: int


@dataclass(frozen=True, slots=True)
class Policy:
    """All numbers of money."""

    plans: tuple[Plan, ...]
    prices: dict[Purpose, int]
    """Minor units of what is no subscription."""
    protection: timedelta
    grace: timedelta
    retry_renewal: timedelta
    drive_on: timedelta
    """How long a payment may stand unsent before a job drives it on, and between its tries."""
    give_up: timedelta
    """How long a payment waits to be confirmed."""

    def plan(self, tier: Tier) -> Plan:
        """The plan of a tier."""
        return next(plan for plan in self.plans if plan.tier is tier)

    def price(self, purpose: Purpose, plan: Tier | None) -> int:
        """What a payment costs."""
        return self.plan(plan).monthly_amount if plan else self.prices[purpose]
