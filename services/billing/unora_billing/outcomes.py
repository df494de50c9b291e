"""What becomes of a payment that was made: its thing was given, or it turns into credits, once for whatever reason."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from uuid import UUID

from unora_common.database import Tx
from unora_common.ids import uuid7

from unora_billing.domain.payments import Entry, Method, Payment, Status
from unora_billing.domain.policy import Policy, Purpose
from unora_billing.domain.protections import Ending, Protection, ProtectionStatus, closed
from unora_billing.messages import protection_closed, protection_opened
from unora_billing.settling import convert, give
from unora_billing.store import accounts, payments, protections
from unora_billing.store.accounts import Account


async def thing_given(tx: Tx, payment_id: str, purpose: Purpose) -> Payment | None:
    """Its owner gave it. A repeat, or what is no payment of ours, changes nothing."""
    locked = await _lock(tx, payment_id, purpose)
    return await give(tx, locked[1]) if locked and locked[1].status is Status.SUCCEEDED else None


async def thing_rejected(tx: Tx, payment_id: str, purpose: Purpose) -> None:
    """BI-11: its owner cannot give it any more. One that was given stays given."""
    locked = await _lock(tx, payment_id, purpose)
    if locked and locked[1].status is Status.SUCCEEDED:
        await convert(tx, *locked, Entry.COMPENSATION)


async def recovered(
    tx: Tx, payment_id: str, connection_id: UUID, pair: Set[UUID], at: datetime, policy: Policy
) -> None:
    """BI-05: the price is protected from the moment the recovery applied, unless it was free. If the partner's
    ending was told first, it counts now.
    """
    ending = await protections.lock_connection(tx, connection_id)
    payment = await thing_given(tx, payment_id, Purpose.RECOVERY)
    if payment is None or payment.method is Method.FREE:
        return
    (partner,) = pair - {payment.payer_id}
    protection = Protection(
        id=uuid7(),
        payment_id=payment.id,
        payer_id=payment.payer_id,
        partner_id=partner,
        connection_id=connection_id,
        status=ProtectionStatus.OPEN,
        opened_at=at,
        expires_at=at + policy.protection,
        closed_at=None,
        version=1,
    )
    await protections.insert(tx, protection)
    tx.emit(protection_opened(protection))
    if ending and protection.converts(ending):
        await _turn(tx, protection, ending)


async def end_connection(tx: Tx, connection_id: UUID, ending: Ending) -> None:
    """BI-05: judged by the moment of the ending, however late its message comes."""
    if await protections.lock_connection(tx, connection_id) is None:
        await protections.end_connection(tx, connection_id, ending)
    for protection in await protections.of_connection(tx, connection_id):
        if protection.converts(ending):
            await _turn(tx, protection, ending)


async def _turn(tx: Tx, protection: Protection, ending: Ending) -> None:
    account = await accounts.lock(tx, protection.payer_id)
    payment = await payments.lock(tx, protection.payment_id)
    assert payment is not None
    current = await protections.lock(tx, protection.id)
    turned = closed(current, ProtectionStatus.CONVERTED, ending.ended_at)
    await protections.save(tx, turned)
    tx.emit(protection_closed(turned, converted=True))
    await convert(tx, account, payment, Entry.PROTECTION)


async def _lock(tx: Tx, payment_id: str, purpose: Purpose) -> tuple[Account, Payment] | None:
    known = await payments.find(tx, UUID(payment_id))
    if known is None or known.purpose is not purpose:
        return None
    account = await accounts.lock(tx, known.payer_id)
    payment = await payments.lock(tx, known.id)
    assert payment is not None
    return account, payment
