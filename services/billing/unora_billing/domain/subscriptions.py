"""Subscriptions: calendar months, renewal, grace and end (BI-01, BI-09)."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from unora_billing.domain.errors import PlanLower, SubscriptionExists
from unora_billing.domain.policy import TIER_RANK, Policy, Tier


class SubscriptionStatus(StrEnum):
    """A subscription's state; in all states but ENDED it keeps its tier."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    GRACE = "grace"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A member's subscription. Each step returns the subscription after it."""

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
    """When a job has work to do on it: a renewal, another attempt, or the end."""
    attempts: int
    """Declined renewals since the period's end."""
    provider_method_id: str
    ended_at: datetime | None

    @property
    def has_ended(self) -> bool:
        """Whether it has ended; it then never changes again."""
        return self.status is SubscriptionStatus.ENDED

    def is_lost(self, now: datetime, policy: Policy, *, asks_another: bool) -> bool:
        """BI-09: whether it can no longer be renewed. Its grace is over, and a renewal was declined, or the member
        asked for another plan and did not pay. An outage, ours or the provider's, takes no plan away: as long as it
        lasts, no renewal is declined.
        """
        return now >= self.current_period_ends_at + policy.grace_period and (self.attempts > 0 or asks_another)

    def renewed(self) -> Subscription:
        """One month more, from the end of the last; a cancelled subscription stays cancelled."""
        periods = self.periods + 1
        end = month_after(self.started_at, periods)
        cancelled = self.status is SubscriptionStatus.CANCELLED
        return replace(
            self,
            status=SubscriptionStatus.CANCELLED if cancelled else SubscriptionStatus.ACTIVE,
            periods=periods,
            current_period_starts_at=self.current_period_ends_at,
            current_period_ends_at=end,
            due_at=end,
            attempts=0,
        )

    def declined(self, now: datetime, policy: Policy) -> Subscription:
        """BI-09: a renewal was declined. The tier stays for the grace, and the renewal is tried again until then."""
        retry_at = min(now + policy.renewal_retry_interval, self.current_period_ends_at + policy.grace_period)
        cancelled = self.status is SubscriptionStatus.CANCELLED
        return replace(
            self,
            status=SubscriptionStatus.CANCELLED if cancelled else SubscriptionStatus.GRACE,
            attempts=self.attempts + 1,
            due_at=self.current_period_ends_at if cancelled else retry_at,
        )

    def cancelled(self, now: datetime) -> Subscription:
        """It ends with the paid period, or at once if that is over."""
        if self.current_period_ends_at <= now:
            return self.ended(now)
        return replace(self, status=SubscriptionStatus.CANCELLED, due_at=self.current_period_ends_at)

    def ended(self, now: datetime) -> Subscription:
        """It ends now."""
        return replace(self, status=SubscriptionStatus.ENDED, ended_at=now, due_at=None)

    def postponed(self, now: datetime, policy: Policy) -> Subscription:
        """A payment for it is under way: the job looks at it again soon."""
        return replace(self, due_at=now + policy.advance_interval)


def new_subscription(subscription_id: UUID, user_id: UUID, tier: Tier, method: str, now: datetime) -> Subscription:
    """A subscription that begins with its first payment. `method` is what the provider charges at a renewal."""
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


def month_after(start: datetime, months: int) -> datetime:
    """So many calendar months after `start`: on the same day, or on the month's last day (31.1., 28.2., 31.3.)."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return start.replace(year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1]))


def require_can_buy(current: Subscription | None, tier: Tier) -> None:
    """BI-01: raises SubscriptionExists for the plan that the member has, and PlanLower for a lower one. A plan in
    grace may be bought again.
    """
    if current is None:
        return
    if TIER_RANK[tier] < TIER_RANK[current.tier]:
        raise PlanLower
    if tier is current.tier and current.status is not SubscriptionStatus.GRACE:
        raise SubscriptionExists
