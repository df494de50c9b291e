"""Subscriptions: months by the calendar, renewal, grace and end (BI-01, BI-09)."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from unora_billing.domain.errors import PlanLower, SubscriptionExists
from unora_billing.domain.policy import RANK, Policy, Tier


class SubscriptionStatus(StrEnum):
    """A subscription's state; all but ended go on."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    GRACE = "grace"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription. `due_at` is when something has to happen: a renewal, another try, or the end."""

    id: UUID
    user_id: UUID
    tier: Tier
    status: SubscriptionStatus
    started_at: datetime
    periods: int
    """Months paid so far."""
    current_period_starts_at: datetime
    current_period_ends_at: datetime
    due_at: datetime | None
    attempts: int
    """Tries to renew since the period's end."""
    provider_method_id: str
    ended_at: datetime | None

    def is_lost(self, now: datetime, policy: Policy, *, asks_another: bool) -> bool:
        """BI-09: whether it can no longer be renewed: its grace is over, and it was tried in vain, or its member asks
        for another plan without paying. An outage, of ours or the provider's, takes no plan away: until it is over,
        nothing was tried in vain.
        """
        return now >= self.current_period_ends_at + policy.grace and (self.attempts > 0 or asks_another)


def month_after(start: datetime, months: int) -> datetime:
    """So many months by the calendar after `start`, on its day or the month's last: 31.1., 28.2., 31.3."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return start.replace(year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1]))


def demand_can_buy(current: Subscription | None, tier: Tier) -> None:
    """BI-01: raises SubscriptionExists for the plan there is, PlanLower for one below. One in grace may be paid
    anew.
    """
    if current is None:
        return
    if RANK[tier] < RANK[current.tier]:
        raise PlanLower
    if tier is current.tier and current.status is not SubscriptionStatus.GRACE:
        raise SubscriptionExists


def begun(subscription_id: UUID, user_id: UUID, tier: Tier, method: str, now: datetime) -> Subscription:
    """A subscription from its first payment."""
    end = month_after(now, 1)
    return Subscription(
        id=subscription_id,
        user_id=user_id,
        tier=tier,
        status=SubscriptionStatus.ACTIVE,
        started_at=now,
        periods=1,
        current_period_starts_at=now,
        current_period_ends_at=end,
        due_at=end,
        attempts=0,
        provider_method_id=method,
        ended_at=None,
    )


def renewed(subscription: Subscription) -> Subscription:
    """One month more, from the end of the last; a cancelled one stays so."""
    periods = subscription.periods + 1
    end = month_after(subscription.started_at, periods)
    cancelled = subscription.status is SubscriptionStatus.CANCELLED
    return replace(
        subscription,
        status=SubscriptionStatus.CANCELLED if cancelled else SubscriptionStatus.ACTIVE,
        periods=periods,
        current_period_starts_at=subscription.current_period_ends_at,
        current_period_ends_at=end,
        due_at=end,
        attempts=0,
    )


def declined(subscription: Subscription, now: datetime, policy: Policy) -> Subscription:
    """BI-09: the tier stays for the grace; it is tried again until then."""
    end = subscription.current_period_ends_at + policy.grace
    again = min(now + policy.retry_renewal, end)
    cancelled = subscription.status is SubscriptionStatus.CANCELLED
    return replace(
        subscription,
        status=SubscriptionStatus.CANCELLED if cancelled else SubscriptionStatus.GRACE,
        attempts=subscription.attempts + 1,
        due_at=subscription.current_period_ends_at if cancelled else again,
    )


def cancelled(subscription: Subscription, now: datetime) -> Subscription:
    """It ends with what is paid: with its period, or at once when that is over."""
    if subscription.current_period_ends_at <= now:
        return ended(subscription, now)
    return replace(subscription, status=SubscriptionStatus.CANCELLED, due_at=subscription.current_period_ends_at)


def ended(subscription: Subscription, now: datetime) -> Subscription:
    """Over."""
    return replace(subscription, status=SubscriptionStatus.ENDED, ended_at=now, due_at=None)


def postponed(subscription: Subscription, now: datetime, policy: Policy) -> Subscription:
    """A payment for it is under way; it is looked at again soon."""
    return replace(subscription, due_at=now + policy.drive_on)
