"""The events of billing. Each is the message with its name in unora/billing/v1/events.proto, in domain types.

Amounts are minor units of USD. `event_builders.py` makes the events from the state after a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from unora_common.domain_events import DomainEvent

from unora_billing.domain.accounts import CreditEntryKind
from unora_billing.domain.mismatches import MismatchResolution
from unora_billing.domain.payments import PaymentFailure, PaymentMethod
from unora_billing.domain.policy import PaymentPurpose, Tier
from unora_billing.domain.reversals import ReversalKind
from unora_billing.domain.subscriptions import SubscriptionStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChanged(DomainEvent):
    """BI-01: a member's tier changed."""

    user_id: UUID
    version: int
    previous_tier: Tier
    tier: Tier
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionChanged(DomainEvent):
    """BI-01, BI-09: a subscription moved from one state to another."""

    user_id: UUID
    version: int
    subscription_id: UUID
    previous_status: SubscriptionStatus | None
    """None when it begins."""
    status: SubscriptionStatus
    tier: Tier
    current_period_ends_at: datetime
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsChanged(DomainEvent):
    """BI-03: the ledger of a member's credits has a new entry."""

    user_id: UUID
    version: int
    entry_id: UUID
    kind: CreditEntryKind
    amount: int
    balance: int
    payment_id: UUID | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEvent(DomainEvent):
    """The fields that every event of a payment has."""

    payment_id: UUID
    version: int
    payer_id: UUID
    purpose: PaymentPurpose
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseEvent(PaymentEvent):
    """An event of a payment on which the owner of the purchase may act."""

    streak_id: UUID | None
    reveal_number: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCreated(PurchaseEvent):
    """BI-02: the first event of every payment."""

    method: PaymentMethod
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSent(PaymentEvent):
    """The provider waits for the member's confirmation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSucceeded(PurchaseEvent):
    """It is paid: the owner delivers the purchased item, or rejects it (BI-11)."""

    method: PaymentMethod
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFailed(PurchaseEvent):
    """Nothing was charged: what was held for it is released (ST-20)."""

    failure: PaymentFailure | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentApplied(PaymentEvent):
    """The purchased item was delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCredited(PaymentEvent):
    """BI-05, BI-11: the amount became credits, less what was reversed before (BI-10)."""

    amount: int
    kind: CreditEntryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversalRecorded(PaymentEvent):
    """BI-10: the provider told of a refund, a dispute or a warning."""

    reversal_id: UUID
    kind: ReversalKind
    amount: int
    reversed_amount: int
    credits: int
    uncollected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMismatched(PaymentEvent):
    """BI-10: the provider took another amount or currency, or money under a second name."""

    amount: int
    received_amount: int | None
    other_currency: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MismatchResolved(PaymentEvent):
    """BI-10: money that did not match was given back, or became credits."""

    resolution: MismatchResolution


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionEvent(DomainEvent):
    """The fields that every event of a protection has."""

    protection_id: UUID
    version: int
    payment_id: UUID
    payer_id: UUID
    partner_id: UUID
    connection_id: UUID
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionOpened(ProtectionEvent):
    """BI-05: a paid recovery was applied, and its price is protected until `expires_at`."""

    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionClosed(ProtectionEvent):
    """BI-05: it expired, or the partner's ending turned the price into credits."""

    converted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberErasedFromBilling(DomainEvent):
    """ID-09: what this context kept of a member is erased. The aggregate is the erasure."""

    erasure_id: UUID
    version: int
    user_id: UUID
    occurred_at: datetime
