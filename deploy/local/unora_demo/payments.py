"""Money and credits: payments and their outcome (BI-01 to BI-08)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from unora.billing.v1.billing_service_pb2 import (
    PAYMENT_METHOD_MONEY,
    PAYMENT_PURPOSE_RECOVERY,
    CreatePaymentRequest,
    CreatePaymentResponse,
    GetCreditsRequest,
    GetPaymentRequest,
    ListCreditEntriesRequest,
    Payment,
    PaymentMethod,
    PaymentPurpose,
    PaymentStatus,
    SubscribeRequest,
)
from unora.common.v1.types_pb2 import Tier
from unora_local.client import Unexpected, request_id
from unora_testing.deadlines import GENEROUS

from unora_demo.people import Member
from unora_demo.stage import Stage

POLL: Final = 0.05
"""Seconds between two looks: the sandbox sends its webhook a moment after the card is confirmed."""
MAX_POLLS: Final = round(GENEROUS / POLL)
UNDER_WAY: Final = ("CREATED", "PENDING", "SUCCEEDED")
RECOVERY, REVEAL, NUDGE = 299, 199, 99
"""Prices in cents."""


async def begin(
    stage: Stage,
    member: Member,
    purpose: PaymentPurpose.ValueType = PAYMENT_PURPOSE_RECOVERY,
    method: PaymentMethod.ValueType = PAYMENT_METHOD_MONEY,
    reveal_number: int = 0,
) -> CreatePaymentResponse:
    """Ask billing for a payment for something of the couple's streak."""
    request = CreatePaymentRequest(
        request_id=request_id(),
        purpose=purpose,
        streak_id=stage.streak.streak_id,
        reveal_number=reveal_number,
        method=method,
    )
    return await member.session.call(stage.gateway.billing.CreatePayment, request)


async def pay(
    stage: Stage, member: Member, purpose: PaymentPurpose.ValueType, reveal_number: int = 0
) -> tuple[Payment, str]:
    """Pay by card; return the payment and its final state."""
    begun = await begin(stage, member, purpose, reveal_number=reveal_number)
    state = await stage.provider.confirm(begun.confirmation)
    if state != "succeeded":
        raise Unexpected(f"the card was not charged, the provider says {state}")
    return begun.payment, await outcome(stage, member, begun.payment)


async def subscribe(stage: Stage, member: Member, tier: Tier.ValueType) -> None:
    """Subscribe, and pay the first month by card."""
    request = SubscribeRequest(request_id=request_id(), tier=tier)
    begun = await member.session.call(stage.gateway.billing.Subscribe, request)
    await stage.provider.confirm(begun.confirmation)
    became = await outcome(stage, member, begun.payment)
    if became != "APPLIED":
        raise Unexpected(f"the subscription did not start, its payment is {became}")


async def outcome(stage: Stage, member: Member, payment: Payment) -> str:
    """The final state of a payment, after its webhook has come and the stack is idle again."""
    request = GetPaymentRequest(payment_id=payment.payment_id)
    for _ in range(MAX_POLLS):
        await stage.clock.wait_until_idle()
        seen = await member.session.call(stage.gateway.billing.GetPayment, request)
        if (became := status(seen.payment)) not in UNDER_WAY:
            await stage.clock.wait_until_idle()  # the webhook may have come after the last
            return became
        await asyncio.sleep(POLL)
    raise Unexpected(f"payment {payment.payment_id} is still {became}")


async def until(stage: Stage, what: str, holds: Callable[[], Awaitable[bool]]) -> None:
    """Return when something holds that a webhook of the provider brings about."""
    for _ in range(MAX_POLLS):
        await stage.clock.wait_until_idle()
        if await holds():
            await stage.clock.wait_until_idle()
            return
        await asyncio.sleep(POLL)
    raise Unexpected(f"it does not come: {what}")


def status(payment: Payment) -> str:
    """The state in one word."""
    return PaymentStatus.Name(payment.status).removeprefix("PAYMENT_STATUS_")


async def balance(stage: Stage, member: Member) -> int:
    """A member's credits."""
    return (await member.session.call(stage.gateway.billing.GetCredits, GetCreditsRequest())).balance


async def ledger(stage: Stage, member: Member) -> list[int]:
    """The amounts in a member's ledger, newest first."""
    answer = await member.session.call(stage.gateway.billing.ListCreditEntries, ListCreditEntriesRequest())
    return [entry.amount for entry in answer.entries]
