"""ID-02: a code goes to a phone, or does not."""

from __future__ import annotations

import asyncio

from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.phone_numbers import PhoneNumber
from unora_identity.providers.code_alarm import CodeAlarm
from unora_identity.providers.sms import SmsUnavailable
from unora_identity.resources import Resources
from unora_identity.store import accounts


async def send_code(
    runtime: Runtime[IdentityConfig, Resources], alarm: CodeAlarm, phone: PhoneNumber, code: str
) -> str | None:
    """Sends a code. Returns the carrier's id of the message, or None if no carrier tells of it. Raises whatever kept it
    from being sent, such as SmsUnavailable, also when it takes too long.
    """
    try:
        message_id = await _send_in_time(runtime.resources, phone, code)
    except Exception as error:
        alarm.sending_failed(error)
        raise
    alarm.sent(phone.calling_code)
    return message_id


async def send_to_account(
    runtime: Runtime[IdentityConfig, Resources],
    alarm: CodeAlarm,
    phone: PhoneNumber,
    phone_hashes: tuple[bytes, ...],
    code: str,
) -> None:
    """ID-11: sends a code only if the number has an account. No answer waits for it: its time would tell. So would room
    for another code if the carrier could not deliver it: such a code counts, and its message is not stored with it.
    """
    try:
        async with runtime.database.transaction() as tx:
            found = await accounts.has_account(tx, phone_hashes)
        if found:
            await send_code(runtime, alarm, phone, code)
    except Exception as error:
        runtime.log.warning("code not sent", failure=error)


async def _send_in_time(resources: Resources, phone: PhoneNumber, code: str) -> str | None:
    try:
        async with asyncio.timeout(resources.policy.code_sending.total_seconds()):
            return await resources.sms.send_code(phone.e164, code)
    except TimeoutError:
        raise SmsUnavailable("no_answer") from None
