"""BillingService, for members."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.billing_service_pb2 import (
    PAYMENT_METHOD_CREDITS,
    PAYMENT_PURPOSE_SUBSCRIPTION,
    CancelSubscriptionRequest,
    CancelSubscriptionResponse,
    Confirmation,
    CreatePaymentRequest,
    CreatePaymentResponse,
    GetCreditsRequest,
    GetCreditsResponse,
    GetPaymentRequest,
    GetPaymentResponse,
    GetQuoteRequest,
    GetQuoteResponse,
    GetSubscriptionRequest,
    GetSubscriptionResponse,
    ListCreditEntriesRequest,
    ListCreditEntriesResponse,
    ListPaymentsRequest,
    ListPaymentsResponse,
    ListPlansRequest,
    ListPlansResponse,
    SubscribeRequest,
    SubscribeResponse,
)
from unora_common.call import Call
from unora_common.database import Session, Tx
from unora_common.handlers import custom_read, custom_write, idempotent, reads
from unora_common.messages import TIER_NAMES, TIERS
from unora_common.pages import DEFAULT_SIZE
from unora_common.runtime import Runtime

from unora_billing.clients import Authorizers
from unora_billing.config import BillingConfig
from unora_billing.domain.payments import Order, Payment, PaymentMethod
from unora_billing.domain.policy import PaymentPurpose, Tier
from unora_billing.messages import PURPOSE_OF, from_quote, to_payment, to_plan, to_prices, to_quote, to_subscription
from unora_billing.providers.payments import Intent
from unora_billing.resources import Resources
from unora_billing.servicers.wallet import entries_page, payments_page, shown_payments
from unora_billing.store import accounts, payments, subscriptions
from unora_billing.use_cases.payments import PaymentProcess
from unora_billing.use_cases.quotes import get_quote
from unora_billing.use_cases.subscriptions import cancel

NO_REQUEST: Final = UUID(int=0)
"""Of an order that is only asked about."""


class Billing:
    """Plans, payments and credits of the caller."""

    service = "unora.billing.v1.BillingService"

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy
        self.payments = PaymentProcess(runtime)
        self.authorizers = Authorizers(runtime.clients)

    @custom_read
    async def ListPlans(self, request: ListPlansRequest, call: Call) -> ListPlansResponse:
        """The cheapest plan first."""
        plans = sorted(self.policy.plans, key=lambda plan: plan.monthly_amount)
        return ListPlansResponse(plans=map(to_plan, plans), prices=to_prices(self.policy))

    @reads
    async def GetSubscription(self, request: GetSubscriptionRequest, db: Session) -> GetSubscriptionResponse:
        """BI-01: a member without a subscription is free."""
        found = await subscriptions.find_current(db, db.user)
        tier = found.tier if found else Tier.FREE
        return GetSubscriptionResponse(subscription=to_subscription(found) if found else None, tier=TIERS[tier])

    @custom_write
    async def Subscribe(self, request: SubscribeRequest, call: Call) -> SubscribeResponse:
        """BI-04: by money only; the contract and the database refuse credits too."""
        assert call.user is not None
        order = Order(
            UUID(request.request_id),
            PaymentPurpose.SUBSCRIPTION,
            PaymentMethod.MONEY,
            plan=Tier(TIER_NAMES[request.tier]),
            quote=from_quote(request.quote) if request.HasField("quote") else None,
        )
        payment, intent = await self.payments.pay(call.user, order)
        return SubscribeResponse(payment=await self._shown(payment), confirmation=_confirmation(intent))

    @idempotent
    async def CancelSubscription(self, request: CancelSubscriptionRequest, tx: Tx) -> CancelSubscriptionResponse:
        """The subscription ends with its period."""
        return CancelSubscriptionResponse(subscription=to_subscription(await cancel(tx, tx.user)))

    @custom_write
    async def CreatePayment(self, request: CreatePaymentRequest, call: Call) -> CreatePaymentResponse:
        """BI-08: a repeat finds its payment, and continues it."""
        assert call.user is not None
        order = Order(
            UUID(request.request_id),
            PURPOSE_OF[request.purpose],
            _method(request.method),
            streak_id=UUID(request.streak_id),
            reveal_number=request.reveal_number or None,
            quote=from_quote(request.quote) if request.HasField("quote") else None,
        )
        payment, intent = await self.payments.pay(call.user, order)
        return CreatePaymentResponse(payment=await self._shown(payment), confirmation=_confirmation(intent))

    @custom_read
    async def GetQuote(self, request: GetQuoteRequest, call: Call) -> GetQuoteResponse:
        """BI-12: the owner of the purchase is asked as for a payment, and holds nothing."""
        assert call.user is not None
        order = Order(
            NO_REQUEST,
            PURPOSE_OF[request.purpose],
            _method(request.method),
            streak_id=UUID(request.streak_id) if request.streak_id else None,
            reveal_number=request.reveal_number or None,
            plan=Tier(TIER_NAMES[request.tier]) if request.purpose == PAYMENT_PURPOSE_SUBSCRIPTION else None,
        )
        return to_quote(await get_quote(self.runtime.database, self.authorizers, call.user, order, self.policy))

    @reads
    async def GetPayment(self, request: GetPaymentRequest, db: Session) -> GetPaymentResponse:
        """BI-10: one of the caller's payments, with what is reversed of it."""
        found = await payments.get(db, UUID(request.payment_id), db.user)
        return GetPaymentResponse(payment=(await shown_payments(db, [found]))[0])

    @reads
    async def ListPayments(self, request: ListPaymentsRequest, db: Session) -> ListPaymentsResponse:
        """BI-02, BI-10: the caller's payments in all states, newest first, with what is reversed of each."""
        page, token = await payments_page(db, request.page_token, request.page_size or DEFAULT_SIZE)
        return ListPaymentsResponse(payments=page, next_page_token=token)

    @reads
    async def GetCredits(self, request: GetCreditsRequest, db: Session) -> GetCreditsResponse:
        """BI-03: the balance, in minor units."""
        return GetCreditsResponse(balance=(await accounts.get(db, db.user)).balance)

    @reads
    async def ListCreditEntries(self, request: ListCreditEntriesRequest, db: Session) -> ListCreditEntriesResponse:
        """BI-03: the entries whose sum is the balance, newest first."""
        page, token = await entries_page(db, request.page_token, request.page_size or DEFAULT_SIZE)
        return ListCreditEntriesResponse(entries=page, next_page_token=token)

    async def _shown(self, payment: Payment) -> api.Payment:
        """A payment that is open has no reversals; one that a repeated request finds may have."""
        if payment.is_open:
            return to_payment(payment)
        async with self.runtime.database.session() as db:
            return (await shown_payments(db, [payment]))[0]


def _method(method: api.PaymentMethod.ValueType) -> PaymentMethod:
    return PaymentMethod.CREDITS if method == PAYMENT_METHOD_CREDITS else PaymentMethod.MONEY


def _confirmation(intent: Intent | None) -> Confirmation | None:
    return Confirmation(provider_payment_id=intent.id, client_secret=intent.client_secret) if intent else None
