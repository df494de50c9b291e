"""What happens to a subscription when it is due, when its member cancels it, or when the member is suspended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from unora_common.database import Tx
from unora_common.ids import uuid7

from unora_billing.domain.accounts import Account
from unora_billing.domain.errors import SubscriptionNotFound
from unora_billing.domain.event_builders import payment_created
from unora_billing.domain.payments import Order, Payment, PaymentMethod, new_payment
from unora_billing.domain.policy import PaymentPurpose, Policy
from unora_billing.domain.subscriptions import Subscription, SubscriptionStatus
from unora_billing.messages import to_message
from unora_billing.store import accounts, payments, subscriptions
from unora_billing.use_cases.account_changes import change_subscription, emit_step


async def cancel(tx: Tx, user_id: UUID) -> Subscription:
    """Cancels a member's subscription, which ends with its period. A repeat changes nothing. Raises
    SubscriptionNotFound.
    """
    account = await accounts.lock_or_create(tx, user_id)
    found = await subscriptions.find_current(tx, user_id)
    if found is None:
        raise SubscriptionNotFound
    if found.status is SubscriptionStatus.CANCELLED:
        return found
    cancelled = found.cancelled(tx.now)
    await accounts.save(tx, await change_subscription(tx, account, found, cancelled))
    return cancelled


async def apply_restriction(tx: Tx, user_id: UUID, version: int, *, suspended: bool) -> None:
    """SA-06: a suspension ends the subscription at once. An older version than the known one is ignored."""
    account = await accounts.lock_or_create(tx, user_id)
    if version <= account.standing_version:
        return
    account = account.restricted(version, suspended=suspended)
    if suspended and (found := await subscriptions.find_current(tx, user_id)):
        account = await change_subscription(tx, account, found, found.ended(tx.now))
    await accounts.save(tx, account)


async def process_due(tx: Tx, locked: Mapping[UUID, Account], policy: Policy) -> int:
    """BI-09: ends subscriptions that are cancelled or past their grace, and records the payments that renew others; a
    job then advances those payments. The caller holds the locks of the accounts. Returns how many were due.
    """
    current = await subscriptions.list_current(tx, list(locked))
    due = [each for each in current.values() if each.due_at is not None and each.due_at <= tx.now]
    if not due:
        return 0
    open_payments = await payments.list_open_subscriptions(tx, [each.user_id for each in due])
    changed: list[Subscription] = []
    ended: list[Account] = []
    renewals: list[Payment] = []
    for found in due:
        open_payment = open_payments.get(found.user_id)
        asks_another = open_payment is not None and open_payment.renews_subscription_id is None
        if found.status is SubscriptionStatus.CANCELLED or found.is_lost(tx.now, policy, asks_another=asks_another):
            # Also while a payment for a plan is open: it may never be confirmed; if it is, it begins a subscription.
            after = found.ended(tx.now)
            ended.append(emit_step(tx, locked[found.user_id], found, after))
        else:
            # An open payment is the renewal, which the provider has not answered, or another plan, which may replace
            # this one.
            after = found.postponed(tx.now, policy)
            if open_payment is None:
                renewals.append(_renewal(found, policy, tx.now))
        changed.append(after)
    if renewals:
        await payments.insert_all(tx, renewals)
        tx.emit(*(to_message(payment_created(renewal)) for renewal in renewals))
    if ended:
        await accounts.save_all(tx, ended)
    await subscriptions.save_all(tx, changed)
    return len(due)


def _renewal(subscription: Subscription, policy: Policy, now: datetime) -> Payment:
    payment_id = uuid7()
    order = Order(
        request_id=payment_id,  # no member's request created it
        purpose=PaymentPurpose.SUBSCRIPTION,
        method=PaymentMethod.MONEY,
        plan=subscription.tier,
        renews_subscription_id=subscription.id,
    )
    amount = policy.plan(subscription.tier).monthly_amount
    return new_payment(payment_id, subscription.user_id, order, amount, now, due_at=now)
