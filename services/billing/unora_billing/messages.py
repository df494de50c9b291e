"""Domain objects to messages of the contract, and enums back."""

from __future__ import annotations

from uuid import UUID

from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1 import events_pb2
from unora.billing.v1.projection_service_pb2 import MemberTier
from unora.common.v1.types_pb2 import TIER_UNSPECIFIED
from unora_common.messages import TIERS, by_name, by_number, event_encoder, to_timestamp

from unora_billing.domain.accounts import Account, CreditEntry
from unora_billing.domain.errors import QuoteChanged
from unora_billing.domain.payments import Payment, PaymentMethod, Quoted
from unora_billing.domain.policy import CURRENCY, PaymentPurpose, Plan, Policy
from unora_billing.domain.quotes import QuoteAnswer
from unora_billing.domain.reversals import Totals
from unora_billing.domain.subscriptions import Subscription

PURPOSES = by_name(api.PaymentPurpose)
PURPOSE_OF = {number: PaymentPurpose(name) for number, name in by_number(api.PaymentPurpose).items()}
METHODS = by_name(api.PaymentMethod)
METHOD_OF = {number: PaymentMethod(name) for number, name in by_number(api.PaymentMethod).items()}
STATUSES = by_name(api.PaymentStatus)
FAILURES = by_name(api.PaymentFailure)
ENTRY_KINDS = by_name(api.CreditEntryKind)
SUBSCRIPTION_STATUSES = by_name(api.SubscriptionStatus)

NO_REVERSALS = Totals()

to_message = event_encoder(events_pb2)
"""A domain event as its message in events.proto."""


def to_member_tier(account: Account) -> MemberTier:
    """A member's tier, for a projection."""
    return MemberTier(user_id=str(account.user_id), version=account.version, tier=TIERS[account.tier])


def to_payment(payment: Payment, totals: Totals = NO_REVERSALS) -> api.Payment:
    """A payment as its payer sees it, and how much of it is reversed."""
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
        failure=FAILURES[payment.failure] if payment.failure else api.PAYMENT_FAILURE_UNSPECIFIED,
        created_at=to_timestamp(payment.created_at),
        succeeded_at=to_timestamp(payment.succeeded_at),
        refunded_amount=totals.refunded,
        disputed_amount=totals.disputed,
    )


def to_subscription(subscription: Subscription) -> api.Subscription:
    """A subscription as its member sees it."""
    return api.Subscription(
        subscription_id=str(subscription.id),
        tier=TIERS[subscription.tier],
        status=SUBSCRIPTION_STATUSES[subscription.status],
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
    """The price of each purchase that is no subscription."""
    return [
        api.Price(purpose=PURPOSES[purpose], amount=amount, currency=CURRENCY)
        for purpose, amount in policy.prices.items()
    ]


def to_quote(answer: QuoteAnswer) -> api.GetQuoteResponse:
    """What a purchase would cost, or why it is not for sale (BI-12)."""
    response = api.GetQuoteResponse(price=answer.price, currency=CURRENCY, free_left=answer.free_left)
    if answer.method:
        response.quote.CopyFrom(api.Quote(method=METHODS[answer.method], amount=answer.amount, currency=CURRENCY))
        response.credits_used = answer.amount if answer.method is PaymentMethod.CREDITS else 0
    if answer.refusal:
        response.not_for_sale.reason = answer.refusal.reason
        response.not_for_sale.sentence = answer.refusal.sentence
        response.not_for_sale.metadata.update(answer.refusal.metadata)
    return response


def from_quote(quote: api.Quote) -> Quoted:
    """What the member agreed to. Raises QuoteChanged for what GetQuote never says."""
    method = METHOD_OF.get(quote.method)
    if method is None or quote.currency != CURRENCY:
        raise QuoteChanged
    return Quoted(method, quote.amount)


def to_entry(entry: CreditEntry) -> api.CreditEntry:
    """An entry of the ledger as its member sees it."""
    return api.CreditEntry(
        entry_id=str(entry.id),
        kind=ENTRY_KINDS[entry.kind],
        amount=entry.amount,
        payment_id=_text(entry.payment_id),
        created_at=to_timestamp(entry.created_at),
    )


def _text(identifier: UUID | None) -> str:
    return str(identifier) if identifier else ""
