"""BI-12: what something would cost now. Nothing is recorded or held."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Database

from unora_billing.clients import Authorizers
from unora_billing.domain.accounts import Account
from unora_billing.domain.errors import BillingError, NotAuthorized
from unora_billing.domain.payments import Order
from unora_billing.domain.policy import Policy
from unora_billing.domain.quotes import QuoteAnswer, not_for_sale, quote
from unora_billing.store import accounts, free_recoveries
from unora_billing.use_cases.payable import require_payable


async def get_quote(
    database: Database, authorizers: Authorizers, payer_id: UUID, order: Order, policy: Policy
) -> QuoteAnswer:
    """What the order would cost its payer now; what a payment would be refused for is asked in the same order. Raises
    NotAuthorized if the streak is not one of theirs (XX-04).
    """
    price = policy.price(order.purpose, order.plan)
    try:
        async with database.session(payer_id) as db:
            account = await accounts.get(db, payer_id)
            await require_payable(db, account, order, price, policy)
        connection_id = await authorizers.check(payer_id, order) if order.streak_id else None
    except BillingError as refusal:
        if isinstance(refusal, NotAuthorized) and refusal.code == "NOT_FOUND":
            raise
        return not_for_sale(price, refusal)
    left = await _count_free(database, account, order, connection_id, policy)
    return quote(order.method, price, left, account.balance)


async def _count_free(
    database: Database, account: Account, order: Order, connection_id: UUID | None, policy: Policy
) -> int:
    """BI-06: how many free recoveries the payer has left for the connection of the order; none for anything else."""
    allowance = policy.free_allowance(order.purpose, account.tier)
    if connection_id is None or allowance == 0:
        return 0
    async with database.session(account.user_id) as db:
        return await free_recoveries.count_left(db, connection_id, account.user_id, allowance)
