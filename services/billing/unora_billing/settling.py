"""What happens to a payment inside a transaction: paid, failed, given, turned into credits.

Whoever calls holds the lock of the payer's account, then that of the payment.
"""

from __future__ import annotations

from unora_common.database import Tx
from unora_common.ids import uuid7

from unora_billing.domain import payments as steps
from unora_billing.domain import subscriptions as months
from unora_billing.domain.payments import Entry, Failure, Method, Payment
from unora_billing.domain.policy import RANK, Policy, Purpose, Tier
from unora_billing.domain.subscriptions import Subscription, SubscriptionStatus
from unora_billing.messages import (
    payment_applied,
    payment_credited,
    payment_failed,
    payment_succeeded,
    subscription_changed,
)
from unora_billing.store import accounts, payments, subscriptions
from unora_billing.store.accounts import Account


async def pay_without_money(tx: Tx, account: Account, payment: Payment, policy: Policy) -> Payment:
    """A payment that was let through: by a free recovery if one is left (BI-06), else by credits if they were asked.
    One by money, and one by credits that are not enough, stay as they are.
    """
    allowance = policy.plan(account.tier).free_recoveries
    connection = payment.connection_id if payment.purpose is Purpose.RECOVERY else None
    if connection and await accounts.take_free(tx, connection, account.user_id, allowance):
        return await succeed(tx, account, payment, free=True)
    if payment.method is Method.CREDITS and account.balance >= payment.amount:
        return await succeed(tx, account, payment)
    await payments.save(tx, payment)
    return payment


async def succeed(
    tx: Tx, account: Account, payment: Payment, *, free: bool = False, provider_method: str = ""
) -> Payment:
    """It is paid: its owner is told, or the subscription begins in this very transaction."""
    paid = steps.succeeded(payment, tx.now, free=free)
    await payments.save(tx, paid)
    tx.emit(payment_succeeded(paid))
    if paid.method is Method.CREDITS:
        await accounts.enter(tx, account, Entry.SPENT, paid)
    if paid.purpose is Purpose.SUBSCRIPTION:
        paid = await _subscribe(tx, account, paid, provider_method)
    await accounts.save(tx, account)
    return paid


async def fail(tx: Tx, account: Account, payment: Payment, failure: Failure, policy: Policy) -> Payment:
    """Nothing is charged. A renewal that fails leaves the tier its grace (BI-09); one that nobody answered was not
    tried in vain, and the next takes its place.
    """
    lost = steps.failed(payment, failure)
    await payments.save(tx, lost)
    tx.emit(payment_failed(lost, tx.now))
    if lost.renews_subscription_id and failure is not Failure.EXPIRED:
        found = await subscriptions.find(tx, lost.renews_subscription_id)
        if found and found.status is not SubscriptionStatus.ENDED:
            await change_subscription(tx, account, found, months.declined(found, tx.now, policy))
            await accounts.save(tx, account)
    return lost


async def give(tx: Tx, payment: Payment) -> Payment:
    """Its thing was given."""
    given = steps.applied(payment)
    await payments.save(tx, given)
    tx.emit(payment_applied(given, tx.now))
    return given


async def convert(tx: Tx, account: Account, payment: Payment, kind: Entry) -> Payment:
    """It becomes credits in full, once for whatever reason (BI-05, BI-11). A free recovery is given back instead."""
    turned = steps.credited(payment, tx.now)
    await payments.save(tx, turned)
    if turned.method is Method.FREE:
        assert turned.connection_id is not None
        await accounts.give_free_back(tx, turned.connection_id, turned.payer_id)
    else:
        await accounts.enter(tx, account, kind, turned)
        await accounts.save(tx, account)
    tx.emit(payment_credited(turned, kind, tx.now))
    return turned


async def change_subscription(tx: Tx, account: Account, before: Subscription, after: Subscription) -> None:
    """Stores a step of a subscription and tells it, with the tier that follows."""
    await subscriptions.save(tx, after)
    tx.emit(subscription_changed(after, account.next_version(), before.status, tx.now))
    if after.status is SubscriptionStatus.ENDED:
        await accounts.set_tier(tx, account, Tier.FREE)


async def _subscribe(tx: Tx, account: Account, payment: Payment, provider_method: str) -> Payment:
    if payment.renews_subscription_id:
        found = await subscriptions.find(tx, payment.renews_subscription_id)
        if found is None or found.status is SubscriptionStatus.ENDED:  # suspended or replaced meanwhile
            return await convert(tx, account, payment, Entry.COMPENSATION)
        await change_subscription(tx, account, found, months.renewed(found))
        return await give(tx, payment)
    assert payment.plan is not None
    current = await subscriptions.current(tx, account.user_id)
    if account.suspended or (current and RANK[current.tier] > RANK[payment.plan]):
        return await convert(tx, account, payment, Entry.COMPENSATION)
    if current:
        over = months.ended(current, tx.now)
        await subscriptions.save(tx, over)
        tx.emit(subscription_changed(over, account.next_version(), current.status, tx.now))
    fresh = months.begun(uuid7(), account.user_id, payment.plan, provider_method, tx.now)
    await subscriptions.insert(tx, fresh)
    tx.emit(subscription_changed(fresh, account.next_version(), None, tx.now))
    await accounts.set_tier(tx, account, fresh.tier)
    return await give(tx, payment)
