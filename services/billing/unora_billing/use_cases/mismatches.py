"""Money that the provider took and that does not match its payment (BI-10): noted, decided, settled.

The caller holds the lock of the payer's account, then that of the payment.
"""

from __future__ import annotations

from dataclasses import replace

from unora_common.database import Tx

from unora_billing.domain.accounts import Account
from unora_billing.domain.event_builders import mismatch_resolved, payment_mismatched
from unora_billing.domain.mismatches import Mismatch, MismatchResolution
from unora_billing.domain.payments import Payment, PaymentFailure
from unora_billing.domain.policy import Policy
from unora_billing.messages import to_message
from unora_billing.providers.payments import Intent
from unora_billing.store import payment_mismatches, payments
from unora_billing.use_cases.payment_steps import mark_failed


async def note_mismatch(tx: Tx, payment: Payment, intent: Intent, policy: Policy) -> Payment:
    """Notes the charge and tells it, once. The payment stays where it is until an operator decides; a job looks at it
    again after a day, in case the provider corrects itself. If the payment has been paid by this very charge, the
    provider only contradicts itself, and nothing is noted.
    """
    own = payment.provider_payment_id in (None, intent.id)
    if own and payment.succeeded_at is not None:
        return payment
    after = payment.postponed(tx.now + policy.confirmation_timeout) if own and payment.is_open else payment
    mismatch = Mismatch(intent.id, payment.id, intent.received, intent.currency, tx.now)
    if await payment_mismatches.insert(tx, mismatch):
        after = after.noted()
        tx.emit(to_message(payment_mismatched(after, mismatch)))
    await payments.save(tx, after)
    return after


async def decide(
    tx: Tx, account: Account, payment: Payment, mismatch: Mismatch, resolution: MismatchResolution, policy: Policy
) -> tuple[Payment, Mismatch]:
    """Decides what becomes of the money, which nothing can change afterwards. A payment that waits for this charge
    fails, which releases what is held for it.
    """
    decided = replace(mismatch, resolution=resolution, decided_at=tx.now)
    await payment_mismatches.save(tx, decided)
    if payment.succeeded_at is not None or payment.provider_payment_id not in (None, mismatch.provider_payment_id):
        return payment, decided  # a second charge: it is given back, and the payment goes its own way
    own = replace(payment, provider_payment_id=mismatch.provider_payment_id)
    if own.is_open:
        return await mark_failed(tx, account, own, PaymentFailure.MISMATCH, policy), decided
    failed = own.failed_by_mismatch()
    await payments.save(tx, failed)
    return failed, decided


async def settle(tx: Tx, payment: Payment, mismatch: Mismatch) -> Payment:
    """The money went back or became credits. A repeat changes nothing."""
    found = await payment_mismatches.find(tx, mismatch.provider_payment_id)
    if found is None or found.resolution is None or found.settled_at:
        return payment
    await payment_mismatches.save(tx, replace(found, settled_at=tx.now))
    after = payment.noted()
    await payments.save(tx, after)
    tx.emit(to_message(mismatch_resolved(after, found.resolution, tx.now)))
    return after
