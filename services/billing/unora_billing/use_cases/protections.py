"""How protections of recoveries end (BI-05). `fulfilment.py` opens them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from unora_common.database import Tx

from unora_billing.domain.accounts import CreditEntryKind
from unora_billing.domain.event_builders import protection_closed
from unora_billing.domain.protections import Ending, Protection
from unora_billing.messages import to_message
from unora_billing.store import accounts, connection_endings, payments, protections
from unora_billing.use_cases.payment_steps import convert_to_credits


async def end_connection(tx: Tx, connection_id: UUID, ending: Ending) -> None:
    """BI-05: converts the protections that the ending converts. The moment of the ending decides, however late its
    event comes.
    """
    if await connection_endings.lock_or_create(tx, connection_id) is None:
        await connection_endings.set_ending(tx, connection_id, ending)
    for protection in await protections.list_convertible(tx, connection_id):
        if protection.is_converted_by(ending):
            await convert_protection(tx, protection, ending)


async def convert_protection(tx: Tx, protection: Protection, ending: Ending) -> None:
    """BI-05: turns the price of the recovery into credits. The caller holds the lock of the connection."""
    account = await accounts.lock_or_create(tx, protection.payer_id)
    payment = await payments.lock(tx, protection.payment_id)
    converted = (await protections.lock(tx, protection.id)).converted(ending)
    await protections.save(tx, converted)
    tx.emit(to_message(protection_closed(converted)))
    await convert_to_credits(tx, account, payment, CreditEntryKind.PROTECTION)


async def expire_protections(tx: Tx, due: Mapping[UUID, Protection]) -> int:
    """BI-05: closes protections, locked by the caller, that the partner's ending did not convert in time. Returns how
    many.
    """
    expired = [protection.expired() for protection in due.values()]
    await protections.save_all(tx, expired)
    tx.emit(*(to_message(protection_closed(each)) for each in expired))
    return len(expired)
