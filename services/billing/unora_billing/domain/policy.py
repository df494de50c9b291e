"""Prices, plans and periods of time. Their defaults are in `config.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

CURRENCY: Final = "USD"
"""ISO 4217. Amounts are its minor units, and one credit is one minor unit."""


class Tier(StrEnum):
    """A member's subscription level; free without a subscription (BI-01)."""

    FREE = "free"
    PLUS = "plus"
    PRO = "pro"


TIER_RANK: Final = {Tier.FREE: 0, Tier.PLUS: 1, Tier.PRO: 2}


class PaymentPurpose(StrEnum):
    """What a payment is for (BI-02)."""

    RECOVERY = "recovery"
    REVEAL = "reveal"
    NUDGE = "nudge"
    SUBSCRIPTION = "subscription"

    @property
    def can_be_free(self) -> bool:
        """BI-06: whether a plan gives some of it for nothing: recoveries only."""
        return self is PaymentPurpose.RECOVERY


@dataclass(frozen=True, slots=True)
class Plan:
    """A tier as it is sold. Billing only shows slots, hours, nudges and reveals; other contexts apply them."""

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
    """The numbers of billing's rules."""

    plans: tuple[Plan, ...]
    prices: dict[PaymentPurpose, int]
    """Minor units for each purpose except a subscription."""
    protection_period: timedelta
    """How long the partner's ending turns the price of a recovery into credits (BI-05)."""
    grace_period: timedelta
    """How long a subscription that cannot be renewed keeps its tier (BI-09)."""
    renewal_retry_interval: timedelta
    """How long after a declined renewal the next one is tried."""
    advance_interval: timedelta
    """How long a payment may stay unsent before a job advances it, and the time between two such attempts."""
    confirmation_timeout: timedelta
    """How long a payment waits for the member's confirmation."""

    def plan(self, tier: Tier) -> Plan:
        """The plan of a tier."""
        return next(plan for plan in self.plans if plan.tier is tier)

    def free_allowance(self, purpose: PaymentPurpose, tier: Tier) -> int:
        """BI-06: how many purchases of this kind a tier gives for nothing, per connection."""
        return self.plan(tier).free_recoveries if purpose.can_be_free else 0

    def price(self, purpose: PaymentPurpose, plan: Tier | None) -> int:
        """What a payment costs, in minor units."""
        return self.plan(plan).monthly_amount if plan else self.prices[purpose]
