"""Refunds, disputes and warnings of the provider (BI-10).

Everything that changes the credits of a payment holds the lock of the payer's account, then that of the payment. So of
a refund and a conversion at the same moment, the second one sees the first.
"""

from __future__ import annotations

from unora_common.database import Tx
from unora_common.ids import uuid7
from unora_common.logs import Log

from unora_billing.domain.accounts import Account, CreditEntryKind
from unora_billing.domain.errors import ProviderUnavailable
from unora_billing.domain.event_builders import reversal_recorded
from unora_billing.domain.mismatches import Mismatch, MismatchResolution
from unora_billing.domain.payments import Payment, PaymentFailure, PaymentStatus
from unora_billing.domain.policy import CURRENCY, PaymentPurpose, Policy
from unora_billing.domain.reversals import DISPUTED, MONEY_LEAVES, Notice, Reversal, next_reversal, reversed_amount
from unora_billing.messages import to_message
from unora_billing.store import accounts, payment_mismatches, payment_reversals, payments, subscriptions
from unora_billing.use_cases.account_changes import change_subscription, enter_credits
from unora_billing.use_cases.mismatches import decide, settle
from unora_billing.use_cases.payment_steps import paid_amount
from unora_billing.use_cases.provider_state import ProviderOutcome


async def record_reversal(
    tx: Tx, payment: Payment, intent_id: str, notice: Notice, policy: Policy, log: Log
) -> ProviderOutcome:
    """BI-10: adds the row of a notice, unless it is there, with what follows from it. Raises ProviderUnavailable if the
    payment is not paid, as far as billing knows: the provider then tells it again.
    """
    account = await accounts.lock_or_create(tx, payment.payer_id)
    found = await payments.lock(tx, payment.id)
    mismatch = await payment_mismatches.find(tx, intent_id)
    if mismatch and found.succeeded_at is None and mismatch.resolution is None and notice.kind in MONEY_LEAVES:
        # The money is on its way back already, by whoever moved it: it can no longer become credits.
        found, mismatch = await decide(tx, account, found, mismatch, MismatchResolution.REFUND, policy)
        account = await accounts.lock_or_create(tx, payment.payer_id)
    if found.provider_payment_id != intent_id or (mismatch and mismatch.currency != CURRENCY):
        if mismatch and notice.kind in MONEY_LEAVES and mismatch.is_settled_by(notice.amount):
            await settle(tx, found, mismatch)
        return ProviderOutcome.MISMATCH
    if notice.amount is None or notice.currency != CURRENCY:
        log.error("reversal does not match its payment", aggregate_id=str(found.id))
        return ProviderOutcome.MISMATCH
    if found.succeeded_at is None and found.failure is not PaymentFailure.MISMATCH:
        raise ProviderUnavailable
    return await _add_row(tx, account, found, mismatch, notice)


async def _add_row(
    tx: Tx, account: Account, payment: Payment, mismatch: Mismatch | None, notice: Notice
) -> ProviderOutcome:
    known = await payment_reversals.list_by_payment(tx, payment.id)
    paid = await paid_amount(tx, payment)
    made = next_reversal(uuid7(), uuid7(), payment, paid, known, notice, account.balance, tx.now)
    if made is None:
        return ProviderOutcome.NOTHING_TO_DO
    after = payment.noted()
    await payments.save(tx, after)
    await payment_reversals.insert(tx, made)
    reversed_ = reversed_amount([*known, made])
    tx.emit(to_message(reversal_recorded(after, made, reversed_)))
    if made.credits:
        kind = CreditEntryKind.TAKEN_BACK if made.credits < 0 else CreditEntryKind.GIVEN_BACK
        account = await enter_credits(tx, account, kind, after, made.credits, made.entry_id)
    await accounts.save(tx, await _end_subscription(tx, account, after, made, whole=reversed_ >= paid))
    if mismatch and reversed_ >= paid:
        await settle(tx, after, mismatch)
    return ProviderOutcome.APPLIED


async def _end_subscription(tx: Tx, account: Account, payment: Payment, made: Reversal, *, whole: bool) -> Account:
    """Ends the subscription at once if the payment of its current month was refunded in full, or if any payment of it
    is or was disputed, whatever is told first: its card cannot be charged again. A dispute that is won does not revive
    it.
    """
    of_plan = payment.purpose is PaymentPurpose.SUBSCRIPTION and payment.status is PaymentStatus.APPLIED
    if not of_plan or payment.succeeded_at is None:
        return account
    if payment.renews_subscription_id:
        found = await subscriptions.find(tx, payment.renews_subscription_id)
    else:
        found = await subscriptions.find_begun(tx, payment.payer_id, payment.succeeded_at)
    if found is None or found.has_ended:
        return account
    if made.kind in DISPUTED or (whole and not await payments.was_renewed_since(tx, payment, found.id)):
        return await change_subscription(tx, account, found, found.ended(tx.now))
    return account
