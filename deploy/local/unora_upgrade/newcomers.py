"""Newcomers of the load: they sign up, pay for a subscription, close the account and open it again.

Each step is a saga over several contexts, and no table is written by one step only.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from unora.billing.v1.billing_service_pb2 import GetPaymentRequest, Payment, PaymentStatus, SubscribeRequest
from unora.common.v1.types_pb2 import TIER_PLUS
from unora.identity.v1.account_service_pb2 import CloseAccountRequest, ReopenAccountRequest
from unora_demo.provider import Provider
from unora_local import members
from unora_local.cast import PEOPLE, Person
from unora_local.client import Gateway, Session, Unexpected, request_id
from unora_local.photos.portraits import portrait
from unora_local.sms_box import SmsBox

PICTURES: Final = 6
"""Different portraits that the newcomers take turns with."""
PAID_WITHIN: Final = 60.0
"""Seconds within which the webhook of a payment has come and the subscription has begun."""


@dataclass
class Newcomer:
    """A new member, and who that is."""

    session: Session
    person: Person


async def pictures() -> list[bytes]:
    """Made before the load, since it takes a while."""
    return await asyncio.to_thread(lambda: [portrait(number, 0) for number in range(PICTURES)])


async def sign_up(gateway: Gateway, box: SmsBox, number: int) -> Newcomer:
    """As one of PEOPLE."""
    return Newcomer(await members.sign_up(gateway, box), PEOPLE[number % len(PEOPLE)])


async def describe(member: Newcomer, picture: bytes) -> None:
    """Fill in the profile, and upload a photo."""
    await members.describe(member.session, member.person)
    await members.upload(member.session, picture)


async def subscribe(member: Newcomer, provider: Provider) -> None:
    """Pay the first month by card, and wait until the plan has begun. Raises Unexpected."""
    session = member.session
    billing = session.gateway.billing
    begun = await session.call(billing.Subscribe, SubscribeRequest(request_id=request_id(), tier=TIER_PLUS))
    state = await provider.confirm(begun.confirmation)
    if state != "succeeded":
        raise Unexpected(f"the card was not charged, the provider says {state}")
    await _until_applied(session, begun.payment)


async def _until_applied(session: Session, payment: Payment) -> None:
    billing, request = session.gateway.billing, GetPaymentRequest(payment_id=payment.payment_id)
    status = payment.status
    try:
        async with asyncio.timeout(PAID_WITHIN):
            while status != PaymentStatus.PAYMENT_STATUS_APPLIED:
                await asyncio.sleep(0.2)
                status = (await session.call(billing.GetPayment, request)).payment.status
    except TimeoutError:
        raise Unexpected(
            f"payment {payment.payment_id} is still {PaymentStatus.Name(status)} after {PAID_WITHIN:.0f} s"
        ) from None


async def leave(member: Newcomer) -> None:
    """Close the account (ID-09)."""
    session = member.session
    await session.call(session.gateway.accounts.CloseAccount, CloseAccountRequest(request_id=request_id()))


async def come_back(member: Newcomer, box: SmsBox) -> None:
    """Open the closed account again by a code and the birth date (ID-09, ID-13). Raises Unexpected."""
    session = member.session
    challenge = await members.ask_for_code(session.gateway, session.number)
    again = ReopenAccountRequest(
        request_id=request_id(),
        challenge_id=challenge,
        code=box.code(session.number),
        birth_date=member.person.date_of_birth,
    )
    opened = await session.gateway.call(session.gateway.accounts.ReopenAccount, again)
    if opened.user_id != session.user_id:
        raise Unexpected(f"{session.user_id} came back as {opened.user_id}")
