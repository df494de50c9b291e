"""Records the state of a payment at the provider."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from unora_common.database import Tx
from unora_common.logs import Log

from unora_billing.domain.accounts import CreditEntryKind
from unora_billing.domain.event_builders import payment_sent
from unora_billing.domain.payments import Payment, PaymentFailure, PaymentStatus
from unora_billing.domain.policy import CURRENCY, Policy
from unora_billing.messages import to_message
from unora_billing.providers.payments import Intent, IntentStatus
from unora_billing.store import accounts, payments
from unora_billing.use_cases.mismatches import note_mismatch
from unora_billing.use_cases.payment_steps import convert_to_credits, mark_failed, mark_succeeded


class ProviderOutcome(StrEnum):
    """What the provider's answer or event changed."""

    APPLIED = "applied"
    NOTHING_TO_DO = "nothing_to_do"
    UNKNOWN = "unknown"
    """It is about no payment of billing."""
    UNKNOWN_KIND = "unknown_kind"
    """Billing uses no events of this kind (BI-13)."""
    MISMATCH = "mismatch"
    """The provider took another amount or currency, or under another of its ids: nothing was delivered. Or it reversed
    what is no amount of the payment.
    """


async def record_provider_state(
    tx: Tx, payment: Payment, intent: Intent, failure: PaymentFailure, policy: Policy, log: Log
) -> tuple[Payment, ProviderOutcome]:
    """Moves the payment to its state at the provider. `failure` is the reason if it was cancelled there. Money that the
    provider took is never lost: if the payment had failed, it becomes credits.
    """
    account = await accounts.lock_or_create(tx, payment.payer_id)
    found = await payments.lock(tx, payment.id)
    other = found.provider_payment_id not in (None, intent.id)
    match intent.status:
        case IntentStatus.PAID if intent.received != found.amount or intent.currency != CURRENCY or other:
            log.error("payment does not match the provider's", aggregate_id=str(found.id))
            return await note_mismatch(tx, found, intent, policy), ProviderOutcome.MISMATCH
        case IntentStatus.PAID if found.is_open:
            known = replace(found, provider_payment_id=intent.id)
            paid = await mark_succeeded(tx, account, known, provider_method=intent.method)
            return paid, ProviderOutcome.APPLIED
        case IntentStatus.PAID if found.failure is PaymentFailure.MISMATCH:
            return found, ProviderOutcome.NOTHING_TO_DO  # what becomes of its money is decided, whatever is told now
        case IntentStatus.PAID if found.status is PaymentStatus.FAILED:
            known = replace(found, provider_payment_id=intent.id)
            credited = await convert_to_credits(tx, account, known, CreditEntryKind.COMPENSATION)
            return credited, ProviderOutcome.APPLIED
        case IntentStatus.CANCELLED if found.is_open and not other:
            return await mark_failed(tx, account, found, failure, policy), ProviderOutcome.APPLIED
        case IntentStatus.OPEN if found.status is PaymentStatus.CREATED:
            sent = found.sent(intent.id, tx.now, policy.confirmation_timeout)
            if account.closed_since(found):  # meanwhile: a job cancels it at once (ID-09)
                sent = sent.postponed(tx.now)
            await payments.save(tx, sent)
            tx.emit(to_message(payment_sent(sent, tx.now)))
            return sent, ProviderOutcome.APPLIED
    return found, ProviderOutcome.NOTHING_TO_DO
