"""Whether an account can pay for something, as far as billing alone can say: for payments and quotes alike (BI-12)."""

from __future__ import annotations

from unora_common.database import Session

from unora_billing.domain.accounts import Account
from unora_billing.domain.errors import AccountIsClosed, CreditsInsufficient, PaymentPending
from unora_billing.domain.payments import Order, PaymentMethod
from unora_billing.domain.policy import Policy
from unora_billing.domain.subscriptions import require_can_buy
from unora_billing.store import payments, subscriptions


async def require_payable(session: Session, account: Account, order: Order, amount: int, policy: Policy) -> None:
    """Refuses what can be refused before the owner of the purchase is asked. `amount` is the price in minor units.
    Raises AccountIsClosed, SubscriptionExists, PlanLower, PaymentPending and CreditsInsufficient.
    """
    if account.closed:
        raise AccountIsClosed
    if order.plan:
        require_can_buy(await subscriptions.find_current(session, account.user_id), order.plan)
        if await payments.find_open_subscription(session, account.user_id):
            raise PaymentPending
    may_be_free = policy.free_allowance(order.purpose, account.tier) > 0
    if order.method is PaymentMethod.CREDITS and account.balance < amount and not may_be_free:
        raise CreditsInsufficient(balance=account.balance, amount=amount)
