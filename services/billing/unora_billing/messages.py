"""Domain to proto and back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1 import events_pb2 as events
from unora.common.v1.types_pb2 import TIER_UNSPECIFIED
from unora_common.database import Row
from unora_common.messages import TIERS, by_name, by_number, to_timestamp

from unora_billing.domain.payments import Entry, Payment
from unora_billing.domain.policy import CURRENCY, Plan, Policy, Purpose, Tier
from unora_billing.domain.protections import Protection
from unora_billing.domain.subscriptions import Subscription, SubscriptionStatus

PURPOSES = by_name(api.PaymentPurpose)
PURPOSE_OF = {number: Purpose(name) for number, name in by_number(api.PaymentPurpose).items()}
METHODS = by_name(api.PaymentMethod)
STATUSES = by_name(api.PaymentStatus)
FAILURES = by_name(api.PaymentFailure)
ENTRIES = by_name(api.CreditEntryKind)
SUBSCRIPTIONS = by_name(api.SubscriptionStatus)


# Answers


def to_payment(payment: Payment) -> api.Payment:
    """A payment as its payer sees it."""
    return api.Payment(
        payment_id=str(payment.id),
        purpose=PURPOSES[payment.purpose],
        method=METHODS[payment.method],
        status=STATUSES[payment.status],
        amount=payment.amount,
        currency=CURRENCY,
        streak_id=_text(payment.streak_id),
        reveal_number=payment.reveal_number or 0,
        plan=TIERS[payment.plan] if payment.plan else TIER_UNSPECIFIED,
        failure=_failure(payment),
        created_at=to_timestamp(payment.created_at),
        succeeded_at=to_timestamp(payment.succeeded_at),
    )


def to_subscription(subscription: Subscription) -> api.Subscription:
    """A subscription as its member sees it."""
    return api.Subscription(
        subscription_id=str(subscription.id),
        tier=TIERS[subscription.tier],
        status=SUBSCRIPTIONS[subscription.status],
        started_at=to_timestamp(subscription.started_at),
        current_period_starts_at=to_timestamp(subscription.current_period_starts_at),
        current_period_ends_at=to_timestamp(subscription.current_period_ends_at),
    )


def to_plan(plan: Plan) -> api.Plan:
    """A plan as it is sold."""
    return api.Plan(
        tier=TIERS[plan.tier],
        name=plan.name,
        monthly_amount=plan.monthly_amount,
        currency=CURRENCY,
        connection_slots=plan.connection_slots,
        refresh_hours=plan.refresh_hours,
        nudges=plan.nudges,
        free_recoveries=plan.free_recoveries,
        reveals_earned=plan.reveals_earned,
    )


def to_prices(policy: Policy) -> list[api.Price]:
    """What single things cost."""
    return [api.Price(purpose=PURPOSES[p], amount=amount, currency=CURRENCY) for p, amount in policy.prices.items()]


def to_entry(row: Row) -> api.CreditEntry:
    """An entry of the ledger."""
    return api.CreditEntry(
        entry_id=str(row["id"]),
        kind=ENTRIES[row["kind"]],
        amount=row["amount"],
        payment_id=str(row["payment_id"]),
        created_at=to_timestamp(row["created_at"]),
    )


# Events


def tier_changed(user_id: UUID, version: int, before: Tier, after: Tier, now: datetime) -> events.TierChanged:
    """BI-01: the tier that follows from the subscription."""
    return events.TierChanged(
        user_id=str(user_id),
        version=version,
        previous_tier=TIERS[before],
        tier=TIERS[after],
        occurred_at=to_timestamp(now),
    )


def subscription_changed(
    subscription: Subscription, version: int, before: SubscriptionStatus | None, now: datetime
) -> events.SubscriptionChanged:
    """BI-01, BI-09: a step of a subscription, with the state before."""
    return events.SubscriptionChanged(
        user_id=str(subscription.user_id),
        version=version,
        subscription_id=str(subscription.id),
        previous_status=SUBSCRIPTIONS[before] if before else api.SUBSCRIPTION_STATUS_UNSPECIFIED,
        status=SUBSCRIPTIONS[subscription.status],
        tier=TIERS[subscription.tier],
        current_period_ends_at=to_timestamp(subscription.current_period_ends_at),
        occurred_at=to_timestamp(now),
    )


def credits_changed(
    user_id: UUID, version: int, entry_id: UUID, kind: Entry, amount: int, balance: int, payment_id: UUID, now: datetime
) -> events.CreditsChanged:
    """BI-03: one entry of the ledger, and the balance after it."""
    return events.CreditsChanged(
        user_id=str(user_id),
        version=version,
        entry_id=str(entry_id),
        kind=ENTRIES[kind],
        amount=amount,
        balance=balance,
        payment_id=str(payment_id),
        occurred_at=to_timestamp(now),
    )


def payment_created(payment: Payment) -> events.PaymentCreated:
    """The first event of every payment."""
    return events.PaymentCreated(
        **_head(payment, payment.created_at), **_thing(payment), method=METHODS[payment.method], amount=payment.amount
    )


def payment_sent(payment: Payment, now: datetime) -> events.PaymentSent:
    """It waits for its member."""
    return events.PaymentSent(**_head(payment, now))


def payment_succeeded(payment: Payment) -> events.PaymentSucceeded:
    """The owner of the thing acts on it."""
    return events.PaymentSucceeded(
        **_head(payment, payment.succeeded_at), **_thing(payment), method=METHODS[payment.method], amount=payment.amount
    )


def payment_failed(payment: Payment, now: datetime) -> events.PaymentFailed:
    """What was held for it is free again."""
    return events.PaymentFailed(**_head(payment, now), **_thing(payment), failure=_failure(payment))


def payment_applied(payment: Payment, now: datetime) -> events.PaymentApplied:
    """Its thing was given."""
    return events.PaymentApplied(**_head(payment, now))


def payment_credited(payment: Payment, kind: Entry, now: datetime) -> events.PaymentCredited:
    """BI-05, BI-11: the whole amount is credits now, and why."""
    return events.PaymentCredited(**_head(payment, now), amount=payment.amount, kind=ENTRIES[kind])


def protection_opened(protection: Protection) -> events.ProtectionOpened:
    """BI-05: from when the recovery applied, for 24 hours."""
    return events.ProtectionOpened(
        **_protected(protection, protection.opened_at), expires_at=to_timestamp(protection.expires_at)
    )


def protection_closed(protection: Protection, *, converted: bool) -> events.ProtectionClosed:
    """BI-05: it expired, or the partner's ending turned the price into credits."""
    return events.ProtectionClosed(**_protected(protection, protection.closed_at), converted=converted)


def _head(payment: Payment, at: datetime | None) -> dict[str, Any]:
    """What every event of a payment begins with."""
    return {
        "payment_id": str(payment.id),
        "version": payment.version,
        "payer_id": str(payment.payer_id),
        "purpose": PURPOSES[payment.purpose],
        "occurred_at": to_timestamp(at),
    }


def _thing(payment: Payment) -> dict[str, Any]:
    """What is paid for, where somebody acts on it."""
    return {"streak_id": _text(payment.streak_id), "reveal_number": payment.reveal_number or 0}


def _protected(protection: Protection, at: datetime | None) -> dict[str, Any]:
    """What every event of a protection begins with."""
    return {
        "protection_id": str(protection.id),
        "version": protection.version,
        "payment_id": str(protection.payment_id),
        "payer_id": str(protection.payer_id),
        "partner_id": str(protection.partner_id),
        "connection_id": str(protection.connection_id),
        "occurred_at": to_timestamp(at),
    }


def _failure(payment: Payment) -> api.PaymentFailure.ValueType:
    return FAILURES[payment.failure] if payment.failure else api.PAYMENT_FAILURE_UNSPECIFIED


def _text(identifier: UUID | None) -> str:
    return str(identifier) if identifier else ""
