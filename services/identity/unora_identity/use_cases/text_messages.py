"""ID-02: what the carrier tells of a code."""

from __future__ import annotations

from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.deliveries import DeliveryReport
from unora_identity.providers.code_alarm import DeliveryAlarm
from unora_identity.resources import Resources
from unora_identity.store import text_messages


async def receive_report(
    runtime: Runtime[IdentityConfig, Resources], alarm: DeliveryAlarm, report: DeliveryReport
) -> None:
    """Stores how far a message came, once, in any order; a message of no code of ours is stored too, since its code may
    come later, and forgotten with the codes. A code that the phone did not get makes room for another.
    """
    if report.delivery is None:
        return
    async with runtime.database.transaction() as tx:
        told = await text_messages.save_delivery(tx, report.message_id, report.delivery)
    if told:
        alarm.delivery_reported(report.delivery)
