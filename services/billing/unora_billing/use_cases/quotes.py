"""BI-12: what something would cost now. Nothing is recorded or held."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Database, Session

from unora_billing.clients import Authorizers
from unora_billing.domain.errors import BillingError, NotAuthorized, PaymentPending
from unora_billing.domain.payments import Order
from unora_billing.domain.policy import PaymentPurpose, Policy
from unora_billing.domain.quotes import QuoteAnswer, not_for_sale, quote
from unora_billing.domain.subscriptions import require_can_buy
from unora_billing.store import accounts, free_recoveries, payments, subscriptions


async def get_quote(
    database: Database, authorizers: Authorizers, payer_id: UUID, order: Order, policy: Policy
) -> QuoteAnswer:
    """What the order would cost its payer now. Raises NotAuthorized if the streak is not one of theirs (XX-04)."""
    price = policy.price(order.purpose, order.plan)
    try:
        connection_id = await authorizers.check(payer_id, order) if order.streak_id else None
        async with database.session(payer_id) as db:
            if order.plan:
                await _require_can_subscribe(db, order)
            account = await accounts.get(db, payer_id)
            left = 0
            if connection_id and order.purpose is PaymentPurpose.RECOVERY:
                allowance = policy.plan(account.tier).free_recoveries
                left = await free_recoveries.count_left(db, connection_id, payer_id, allowance)
    except BillingError as refusal:
        if isinstance(refusal, NotAuthorized) and refusal.code == "NOT_FOUND":
            raise
        return not_for_sale(price, refusal)
    return quote(order.method, price, left, account.balance)


async def _require_can_subscribe(db: Session, order: Order) -> None:
    """Raises SubscriptionExists, PlanLower or PaymentPending."""
    assert order.plan is not None
    require_can_buy(await subscriptions.find_current(db, db.user), order.plan)
    if await payments.find_open_subscription(db, db.user):
        raise PaymentPending
