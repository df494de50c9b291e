"""Makes the events of billing from the state after a step."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from unora_billing.domain.accounts import Account, CreditEntry, CreditEntryKind
from unora_billing.domain.events import (
    CreditsChanged,
    MismatchResolved,
    PaymentApplied,
    PaymentCreated,
    PaymentCredited,
    PaymentFailed,
    PaymentMismatched,
    PaymentSent,
    PaymentSucceeded,
    ProtectionClosed,
    ProtectionOpened,
    ReversalRecorded,
    SubscriptionChanged,
    TierChanged,
)
from unora_billing.domain.mismatches import Mismatch, MismatchResolution
from unora_billing.domain.payments import Payment
from unora_billing.domain.policy import CURRENCY, PaymentPurpose
from unora_billing.domain.protections import Protection, ProtectionStatus
from unora_billing.domain.reversals import Reversal
from unora_billing.domain.subscriptions import Subscription, SubscriptionStatus


class PaymentHeader(TypedDict):
    """The first fields of every event of a payment."""

    payment_id: UUID
    version: int
    payer_id: UUID
    purpose: PaymentPurpose
    occurred_at: datetime


class Purchase(TypedDict):
    """What a payment pays for, in the events on which the owner of the purchase acts."""

    streak_id: UUID | None
    reveal_number: int | None


class ProtectionHeader(TypedDict):
    """The first fields of every event of a protection."""

    protection_id: UUID
    version: int
    payment_id: UUID
    payer_id: UUID
    partner_id: UUID
    connection_id: UUID
    occurred_at: datetime


def tier_changed(before: Account, after: Account, now: datetime) -> TierChanged:
    """The account changed to another tier."""
    return TierChanged(
        user_id=after.user_id, version=after.version, previous_tier=before.tier, tier=after.tier, occurred_at=now
    )


def subscription_changed(
    account: Account, previous: SubscriptionStatus | None, subscription: Subscription, now: datetime
) -> SubscriptionChanged:
    """The subscription after its step, under the account's version."""
    return SubscriptionChanged(
        user_id=subscription.user_id,
        version=account.version,
        subscription_id=subscription.id,
        previous_status=previous,
        status=subscription.status,
        tier=subscription.tier,
        current_period_ends_at=subscription.current_period_ends_at,
        occurred_at=now,
    )


def credits_changed(account: Account, entry: CreditEntry) -> CreditsChanged:
    """The account after an entry of the ledger."""
    return CreditsChanged(
        user_id=account.user_id,
        version=account.version,
        entry_id=entry.id,
        kind=entry.kind,
        amount=entry.amount,
        balance=account.balance,
        payment_id=entry.payment_id,
        occurred_at=entry.created_at,
    )


def payment_created(payment: Payment) -> PaymentCreated:
    """A new payment."""
    return PaymentCreated(
        **event_header(payment, payment.created_at),
        **_purchase(payment),
        method=payment.method,
        amount=payment.amount,
    )


def payment_sent(payment: Payment, now: datetime) -> PaymentSent:
    """A payment that the provider knows."""
    return PaymentSent(**event_header(payment, now))


def payment_succeeded(payment: Payment, now: datetime) -> PaymentSucceeded:
    """A payment that is paid. `now` is its `succeeded_at`, which decides whether it came in time (ST-17)."""
    return PaymentSucceeded(
        **event_header(payment, now), **_purchase(payment), method=payment.method, amount=payment.amount
    )


def payment_failed(payment: Payment, now: datetime) -> PaymentFailed:
    """A payment that failed."""
    return PaymentFailed(**event_header(payment, now), **_purchase(payment), failure=payment.failure)


def payment_applied(payment: Payment, now: datetime) -> PaymentApplied:
    """A payment whose purchased item was delivered."""
    return PaymentApplied(**event_header(payment, now))


def payment_credited(payment: Payment, amount: int, kind: CreditEntryKind, now: datetime) -> PaymentCredited:
    """A payment that became so many credits, and why."""
    return PaymentCredited(**event_header(payment, now), amount=amount, kind=kind)


def reversal_recorded(payment: Payment, reversal: Reversal, reversed_amount: int) -> ReversalRecorded:
    """A row beside the payment, and how much of the payment is reversed after it."""
    return ReversalRecorded(
        **event_header(payment, reversal.recorded_at),
        reversal_id=reversal.id,
        kind=reversal.kind,
        amount=reversal.amount,
        reversed_amount=reversed_amount,
        credits=reversal.credits,
        uncollected=reversal.uncollected,
    )


def payment_mismatched(payment: Payment, mismatch: Mismatch) -> PaymentMismatched:
    """Money that does not pay for the payment."""
    return PaymentMismatched(
        **event_header(payment, mismatch.noted_at),
        amount=payment.amount,
        received_amount=mismatch.received,
        other_currency=mismatch.currency != CURRENCY,
    )


def mismatch_resolved(payment: Payment, resolution: MismatchResolution, now: datetime) -> MismatchResolved:
    """What became of money that did not match."""
    return MismatchResolved(**event_header(payment, now), resolution=resolution)


def protection_opened(protection: Protection) -> ProtectionOpened:
    """A new protection."""
    return ProtectionOpened(**_protection_header(protection, protection.opened_at), expires_at=protection.expires_at)


def protection_closed(protection: Protection) -> ProtectionClosed:
    """A protection that expired or converted."""
    assert protection.closed_at is not None
    return ProtectionClosed(
        **_protection_header(protection, protection.closed_at),
        converted=protection.status is ProtectionStatus.CONVERTED,
    )


def event_header(payment: Payment, occurred_at: datetime) -> PaymentHeader:
    """The first fields of every event of a payment."""
    return {
        "payment_id": payment.id,
        "version": payment.version,
        "payer_id": payment.payer_id,
        "purpose": payment.purpose,
        "occurred_at": occurred_at,
    }


def _purchase(payment: Payment) -> Purchase:
    return {"streak_id": payment.streak_id, "reveal_number": payment.reveal_number}


def _protection_header(protection: Protection, occurred_at: datetime) -> ProtectionHeader:
    return {
        "protection_id": protection.id,
        "version": protection.version,
        "payment_id": protection.payment_id,
        "payer_id": protection.payer_id,
        "partner_id": protection.partner_id,
        "connection_id": protection.connection_id,
        "occurred_at": occurred_at,
    }
