"""What happens to a payment when the owner has delivered the purchased item, or has rejected the payment."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from uuid import UUID

from unora_common.database import Tx
from unora_common.ids import uuid7

from unora_billing.domain.accounts import Account, CreditEntryKind
from unora_billing.domain.event_builders import protection_opened
from unora_billing.domain.payments import Payment, PaymentMethod, PaymentStatus
from unora_billing.domain.policy import PaymentPurpose, Policy
from unora_billing.domain.protections import new_protection
from unora_billing.messages import to_message
from unora_billing.store import accounts, connection_endings, payments, protections
from unora_billing.use_cases.payment_steps import convert_to_credits, mark_applied
from unora_billing.use_cases.protections import convert_protection


async def fulfilled(tx: Tx, payment_id: UUID, purpose: PaymentPurpose) -> Payment | None:
    """The owner delivered the purchased item. Returns None, and changes nothing, for a repeat or for a payment that
    billing does not know.
    """
    locked = await _lock(tx, payment_id, purpose)
    return await mark_applied(tx, locked[1]) if locked and locked[1].status is PaymentStatus.SUCCEEDED else None


async def rejected(tx: Tx, payment_id: UUID, purpose: PaymentPurpose) -> None:
    """BI-11: the owner can no longer deliver the purchased item, so the payment becomes credits. A payment whose item
    was delivered stays as it is.
    """
    locked = await _lock(tx, payment_id, purpose)
    if locked and locked[1].status is PaymentStatus.SUCCEEDED:
        await convert_to_credits(tx, *locked, CreditEntryKind.COMPENSATION)


async def open_protection(
    tx: Tx, payment_id: UUID, connection_id: UUID, pair: Set[UUID], recovered_at: datetime, policy: Policy
) -> None:
    """BI-05: a recovery was delivered. Unless it was free, its price is protected from the moment at which it was
    applied. If the partner's ending is known already, it counts now.
    """
    ending = await connection_endings.lock_or_create(tx, connection_id)
    payment = await fulfilled(tx, payment_id, PaymentPurpose.RECOVERY)
    if payment is None or payment.method is PaymentMethod.FREE:
        return
    (partner_id,) = pair - {payment.payer_id}
    expires_at = recovered_at + policy.protection_period
    protection = new_protection(uuid7(), payment, partner_id, connection_id, recovered_at, expires_at)
    await protections.insert(tx, protection)
    tx.emit(to_message(protection_opened(protection)))
    if ending and protection.is_converted_by(ending):
        await convert_protection(tx, protection, ending)


async def _lock(tx: Tx, payment_id: UUID, purpose: PaymentPurpose) -> tuple[Account, Payment] | None:
    found = await payments.find(tx, payment_id)
    if found is None or found.purpose is not purpose:
        return None
    account = await accounts.lock_or_create(tx, found.payer_id)
    return account, await payments.lock(tx, found.id)
