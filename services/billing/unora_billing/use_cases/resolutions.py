"""An operator gives money back that does not match its payment, or turns it into credits (BI-10)."""

from __future__ import annotations

from enum import Enum
from uuid import UUID

from unora_common.database import Tx
from unora_common.runtime import Runtime

from unora_billing.config import BillingConfig
from unora_billing.domain.accounts import Account, CreditEntryKind
from unora_billing.domain.mismatches import Mismatch, MismatchResolution
from unora_billing.domain.payments import Payment
from unora_billing.domain.policy import Policy
from unora_billing.resources import Resources
from unora_billing.store import accounts, payment_mismatches, payments
from unora_billing.use_cases.mismatches import decide, settle
from unora_billing.use_cases.payment_steps import convert_to_credits


class Resolution(Enum):
    """What the command did."""

    DONE = "done"
    WAS_DONE = "was done before"
    NO_PAYMENT = "there is no such payment"
    NO_MISMATCH = "the payment has no money that does not match"
    NOT_CREDITABLE = "only the payment's own charge, in a whole number of our currency, can become credits"
    DECIDED_OTHERWISE = "it is being given back, or was turned into credits"


async def resolve(runtime: Runtime[BillingConfig, Resources], payment_id: UUID, how: MismatchResolution) -> Resolution:
    """Decides in one transaction, then moves the money, then notes that it is settled. It may be repeated, at once or
    after a crash at any point: the decision stays, and the provider makes one refund for one key. Raises RefundRefused
    and ProviderUnavailable.
    """
    async with runtime.database.transaction() as tx:
        found = await payments.find(tx, payment_id)
        if found is None:
            return Resolution.NO_PAYMENT
        account = await accounts.lock_or_create(tx, found.payer_id)
        payment = await payments.lock(tx, payment_id)
        mismatches = await payment_mismatches.list_by_payment(tx, payment_id)
        if not mismatches:
            return Resolution.NO_MISMATCH
        left = [each for each in mismatches if each.settled_at is None and not _was_paid_by(payment, each)]
        if not left:
            done = any(each.resolution is how for each in mismatches)
            return Resolution.WAS_DONE if done else Resolution.DECIDED_OTHERWISE
        if how is MismatchResolution.CREDIT:
            return await _credit(tx, account, payment, left, runtime.config.policy)
        for each in left:
            if each.resolution is None:
                account = await accounts.lock_or_create(tx, payment.payer_id)
                payment, _ = await decide(tx, account, payment, each, how, runtime.config.policy)
    for each in left:
        await _give_back(runtime, payment, each)
    return Resolution.DONE


def _was_paid_by(payment: Payment, mismatch: Mismatch) -> bool:
    """Whether the provider corrected itself, and this charge paid for the payment after all."""
    own = payment.provider_payment_id == mismatch.provider_payment_id
    return own and mismatch.resolution is None and payment.succeeded_at is not None


async def _credit(tx: Tx, account: Account, payment: Payment, left: list[Mismatch], policy: Policy) -> Resolution:
    """BI-11: what the provider took becomes credits, less what it has given back since."""
    own = [each for each in left if payment.provider_payment_id in (None, each.provider_payment_id)]
    if any(each.resolution is MismatchResolution.REFUND for each in own):
        return Resolution.DECIDED_OTHERWISE
    if len(own) != 1 or not own[0].can_be_credited or payment.succeeded_at is not None:
        return Resolution.NOT_CREDITABLE
    payment, mismatch = await decide(tx, account, payment, own[0], MismatchResolution.CREDIT, policy)
    account = await accounts.lock_or_create(tx, payment.payer_id)
    payment = await convert_to_credits(tx, account, payment, CreditEntryKind.COMPENSATION)
    await settle(tx, payment, mismatch)
    return Resolution.DONE


async def _give_back(runtime: Runtime[BillingConfig, Resources], payment: Payment, mismatch: Mismatch) -> None:
    """All that the provider took under this id. Its webhook adds the row of the refund."""
    intent_id = mismatch.provider_payment_id
    await runtime.resources.provider.refund(intent_id, None, f"refund-{intent_id}")
    async with runtime.database.transaction() as tx:
        await accounts.lock_or_create(tx, payment.payer_id)
        await settle(tx, await payments.lock(tx, payment.id), mismatch)
