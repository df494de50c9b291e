"""The steps of a payment inside a transaction: paid, failed, applied, converted to credits.

The caller holds the lock of the payer's account, then that of the payment.
"""

from __future__ import annotations

from unora_common.database import Tx
from unora_common.ids import uuid7

from unora_billing.domain.accounts import Account, CreditEntryKind
from unora_billing.domain.event_builders import (
    payment_applied,
    payment_credited,
    payment_failed,
    payment_succeeded,
)
from unora_billing.domain.payments import UNSETTLED, Payment, PaymentFailure, PaymentMethod
from unora_billing.domain.policy import TIER_RANK, PaymentPurpose, Policy
from unora_billing.domain.reversals import reversed_amount
from unora_billing.domain.subscriptions import new_subscription
from unora_billing.messages import to_message
from unora_billing.metrics import PAYMENT_SETTLEMENT
from unora_billing.store import (
    accounts,
    free_recoveries,
    payment_mismatches,
    payment_reversals,
    payments,
    subscriptions,
)
from unora_billing.use_cases.account_changes import begin_subscription, change_subscription, enter_credits


async def pay_from_allowance_or_credits(tx: Tx, account: Account, payment: Payment, policy: Policy) -> Payment:
    """Pays an authorised payment by a free recovery if one is left (BI-06), else by credits if the member chose them.
    A payment by money stays as it is, and so does one by credits if the balance is too low.
    """
    allowance, connection = policy.free_allowance(payment.purpose, account.tier), payment.connection_id
    if connection and await free_recoveries.use(tx, connection, account.user_id, allowance):
        return await mark_succeeded(tx, account, payment, free=True)
    if payment.method is PaymentMethod.CREDITS and account.balance >= payment.amount:
        return await mark_succeeded(tx, account, payment)
    await payments.save(tx, payment)
    return payment


async def mark_succeeded(
    tx: Tx, account: Account, payment: Payment, *, free: bool = False, provider_method: str = ""
) -> Payment:
    """The payment is paid. Its event starts the delivery; a subscription begins in this transaction."""
    paid = payment.succeeded(tx.now, free=free)
    await payments.save(tx, paid)
    tx.emit(to_message(payment_succeeded(paid, tx.now)))
    if paid.purpose is PaymentPurpose.SUBSCRIPTION:
        return await _deliver_subscription(tx, account, paid, provider_method)
    if paid.method is PaymentMethod.CREDITS:
        await accounts.save(tx, await enter_credits(tx, account, CreditEntryKind.SPENT, paid, -paid.amount))
    return paid


async def mark_failed(tx: Tx, account: Account, payment: Payment, failure: PaymentFailure, policy: Policy) -> Payment:
    """Nothing is charged. A renewal that was declined puts the subscription in grace (BI-09). A renewal that expired
    without the provider's answer was not declined, and another one replaces it.
    """
    failed = payment.failed(failure)
    await payments.save(tx, failed)
    if failure is not PaymentFailure.EXPIRED:  # then it waited for the member, who did not confirm it
        _measure_settlement(tx, payment)
    tx.emit(to_message(payment_failed(failed, tx.now)))
    if failed.renews_subscription_id and failure is not PaymentFailure.EXPIRED:
        found = await subscriptions.find(tx, failed.renews_subscription_id)
        if found and not found.has_ended:
            await accounts.save(tx, await change_subscription(tx, account, found, found.declined(tx.now, policy)))
    return failed


async def mark_applied(tx: Tx, payment: Payment) -> Payment:
    """The purchased item was delivered."""
    applied = payment.applied()
    await payments.save(tx, applied)
    _measure_settlement(tx, payment)
    tx.emit(to_message(payment_applied(applied, tx.now)))
    return applied


async def convert_to_credits(tx: Tx, account: Account, payment: Payment, kind: CreditEntryKind) -> Payment:
    """The payment becomes credits, at most once for all reasons together (BI-05, BI-11): in full, less what is reversed
    (BI-10). A free recovery is given back instead.
    """
    left = await paid_amount(tx, payment) - reversed_amount(await payment_reversals.list_by_payment(tx, payment.id))
    credited = payment.credited(tx.now)
    await payments.save(tx, credited)
    _measure_settlement(tx, payment)
    if credited.method is PaymentMethod.FREE:
        assert credited.connection_id is not None
        await free_recoveries.give_back(tx, credited.connection_id, credited.payer_id)
    elif left > 0:
        await accounts.save(tx, await enter_credits(tx, account, kind, credited, left))
    tx.emit(to_message(payment_credited(credited, left, kind, tx.now)))
    return credited


async def paid_amount(tx: Tx, payment: Payment) -> int:
    """What was paid: the amount, unless the provider took another one and the payment failed by that (BI-10)."""
    if payment.failure is PaymentFailure.MISMATCH and payment.provider_payment_id:
        mismatch = await payment_mismatches.find(tx, payment.provider_payment_id)
        if mismatch and mismatch.received is not None:
            return mismatch.received
    return payment.amount


def _measure_settlement(tx: Tx, before: Payment) -> None:
    """Measures how long a payment took until it was settled. It may become credits once it is settled already."""
    if before.status in UNSETTLED:
        tx.measure(PAYMENT_SETTLEMENT, max((tx.now - before.created_at).total_seconds(), 0.0))


async def _deliver_subscription(tx: Tx, account: Account, payment: Payment, provider_method: str) -> Payment:
    """Begins or renews the subscription that was paid for. The amount becomes credits if that is not possible."""
    if payment.renews_subscription_id:
        found = await subscriptions.find(tx, payment.renews_subscription_id)
        if found is None or found.has_ended:  # the member was suspended or bought another plan meanwhile
            return await convert_to_credits(tx, account, payment, CreditEntryKind.COMPENSATION)
        account = await change_subscription(tx, account, found, found.renewed())
    else:
        assert payment.plan is not None
        current = await subscriptions.find_current(tx, account.user_id)
        has_higher = current is not None and TIER_RANK[current.tier] > TIER_RANK[payment.plan]
        if account.suspended or account.closed_since(payment) or has_higher:
            return await convert_to_credits(tx, account, payment, CreditEntryKind.COMPENSATION)
        begun = new_subscription(uuid7(), account.user_id, payment.plan, provider_method, tx.now)
        account = await begin_subscription(tx, account, current, begun)
    applied = await mark_applied(tx, payment)
    await accounts.save(tx, account)
    return applied
