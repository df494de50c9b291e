"""What happens to a subscription when its time comes, or when its member or safety ends it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Tx
from unora_common.ids import uuid7

from unora_billing.domain import subscriptions as months
from unora_billing.domain.errors import SubscriptionNotFound
from unora_billing.domain.payments import Method, Payment, created
from unora_billing.domain.policy import Policy, Purpose
from unora_billing.domain.subscriptions import Subscription, SubscriptionStatus
from unora_billing.messages import payment_created
from unora_billing.settling import change_subscription
from unora_billing.store import accounts, payments, subscriptions


async def cancel(tx: Tx, user_id: UUID) -> Subscription:
    """It ends with its period; a repeat on a cancelled one changes nothing."""
    account = await accounts.lock(tx, user_id)
    found = await subscriptions.current(tx, user_id)
    if found is None:
        raise SubscriptionNotFound
    if found.status is SubscriptionStatus.CANCELLED:
        return found
    after = months.cancelled(found, tx.now)
    await change_subscription(tx, account, found, after)
    await accounts.save(tx, account)
    return after


async def set_standing(tx: Tx, user_id: UUID, version: int, *, suspended: bool) -> None:
    """SA-06: a suspended member's subscription ends at once. An older standing than the one known is passed over."""
    account = await accounts.lock(tx, user_id)
    if version <= account.standing_version:
        return
    account.standing_version, account.suspended = version, suspended
    if suspended and (found := await subscriptions.current(tx, user_id)):
        await change_subscription(tx, account, found, months.ended(found, tx.now))
    await accounts.save(tx, account)


async def come_due(tx: Tx, user_id: UUID, policy: Policy) -> bool:
    """Ends what is cancelled or past its grace, and records the payment of what renews; a job then drives that on.
    Tells whether there was something to do.
    """
    account = await accounts.lock(tx, user_id)
    found = await subscriptions.current(tx, user_id)
    if found is None or found.due_at is None or found.due_at > tx.now:
        return False
    under_way = await payments.open_subscription(tx, user_id)
    asks_another = under_way is not None and under_way.renews_subscription_id is None
    if found.status is SubscriptionStatus.CANCELLED or found.is_lost(tx.now, policy, asks_another=asks_another):
        # Also while a payment for a plan is under way: it may never be confirmed, and begins one anew if it is.
        await change_subscription(tx, account, found, months.ended(found, tx.now))
        await accounts.save(tx, account)
        return True
    if under_way:
        # Its renewal, which nobody has answered yet, or another plan, which may yet take this one's place.
        await subscriptions.save(tx, months.postponed(found, tx.now, policy))
        return True
    payment = _renewal(found, policy, tx.now)
    await payments.insert(tx, payment)
    tx.emit(payment_created(payment))
    await subscriptions.save(tx, months.postponed(found, tx.now, policy))
    return True


def _renewal(subscription: Subscription, policy: Policy, now: datetime) -> Payment:
    identifier = uuid7()
    return created(
        identifier,
        subscription.user_id,
        identifier,  # made by nobody's request
        Purpose.SUBSCRIPTION,
        Method.MONEY,
        policy.plan(subscription.tier).monthly_amount,
        now,
        due_at=now,
        plan=subscription.tier,
        renews_subscription_id=subscription.id,
    )
