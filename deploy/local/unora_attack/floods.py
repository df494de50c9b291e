"""Attacks with many calls: of one member, of a certificate without rights, with forged tokens, of nobody, of many."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import Message
from unora.identity.v1.account_service_pb2 import RefreshSessionRequest, StartPhoneVerificationRequest
from unora_local.client import request_id
from unora_local.members import invented_number

from unora_attack.honest import CALLS
from unora_attack.orders import Orders, Record, Tally
from unora_attack.stack import GATEWAY, STRANGER, Target, call

if TYPE_CHECKING:
    from grpc.aio import StreamUnaryMultiCallable

AT_ONCE: Final = 510
"""Calls at once: more than a service takes."""
ON_ONE_CONNECTION: Final = 16
"""As many as a service takes: more would wait in the attacker's own process."""
MOST_CALLS: Final = 60_000


async def again_and_again(seconds: float, one: Callable[[int], Awaitable[Any]]) -> Tally:
    """Makes `one` AT_ONCE times at once, and each again as soon as it has ended, for so long."""
    record = Record(seconds)
    numbers = count()

    async def worker() -> None:
        while record.going_on and record.made < MOST_CALLS:
            async with record.one():
                await one(next(numbers))

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return record.tally()


def connections(target: Target, context: str, caller: str, at_once: int = AT_ONCE) -> list[grpc.aio.Channel]:
    """As many connections as so many calls at once need."""
    return [target.channel(context, caller) for _ in range(-(-at_once // ON_ONE_CONNECTION))]


async def cheap_calls(orders: Orders) -> Tally:
    """One member makes as many calls as they can, of all methods that the honest members call."""
    each = AT_ONCE // len(orders.target.addresses)
    channels = {context: connections(orders.target, context, GATEWAY, each) for context in orders.target.addresses}

    async def one(number: int) -> None:
        method, make = CALLS[number % len(CALLS)]
        several = channels[method.split(".")[0]]
        await call(several[number % len(several)], method, make().SerializeToString(), token=orders.token)

    return await again_and_again(orders.seconds, one)


async def empty_streams(orders: Orders) -> Tally:
    """Streams that send their headers and no message: of the stranger, and of the gateway without a token."""
    half = AT_ONCE // 2
    channels = [
        *connections(orders.target, "billing", STRANGER, half),
        *connections(orders.target, "billing", GATEWAY, half),
    ]

    async def one(number: int) -> None:
        method: StreamUnaryMultiCallable[bytes, bytes]
        method = channels[number % len(channels)].stream_unary("/unora.billing.v1.BillingService/GetCredits")
        await method(timeout=orders.seconds)

    return await again_and_again(orders.seconds, one)


async def forged_tokens(orders: Orders) -> Tally:
    """The gateway brings tokens that nobody signed."""
    channels = connections(orders.target, "matching", GATEWAY)
    forged = [_forged(orders.token, number) for number in range(200)]

    async def one(number: int) -> None:
        token = forged[number % len(forged)]
        await call(channels[number % len(channels)], "matching.v1.MatchingService/GetInventory", b"", token=token)

    return await again_and_again(orders.seconds, one)


def _forged(token: str, number: int) -> str:
    """A token with another signature, with other claims, without a signature, or no token at all."""
    head, claims, signature = token.split(".")
    return (
        f"{head}.{claims}.{secrets.token_urlsafe(64)}",
        f"{head}.{secrets.token_urlsafe(200)}.{signature}",
        f"{head}.{claims}.",
        secrets.token_urlsafe(600),
    )[number % 4]


async def calls_without_a_member(orders: Orders) -> Tally:
    """Codes to good and bad numbers, refresh tokens that do not exist, and webhooks that nobody signed."""
    channels = {
        "identity": connections(orders.target, "identity", GATEWAY, AT_ONCE * 3 // 4),
        "billing": connections(orders.target, "billing", GATEWAY, AT_ONCE // 4),
    }

    async def one(number: int) -> None:
        method, request = _of_nobody(number)
        several = channels[method.split(".")[0]]
        await call(several[number % len(several)], method, request.SerializeToString())

    return await again_and_again(orders.seconds, one)


def _of_nobody(number: int) -> tuple[str, Message]:
    """One call without a member."""
    accounts = "identity.v1.AccountService"
    if number % 4 == 0:
        body = HttpBody(content_type="application/json", data=b'{"id": "evt_1", "type": "payment_intent.succeeded"}')
        return "billing.v1.WebhookService/ReceiveProviderEvent", body
    if number % 4 == 1:
        token = secrets.token_urlsafe(40)
        return f"{accounts}/RefreshSession", RefreshSessionRequest(request_id=request_id(), refresh_token=token)
    phone = invented_number() if number % 4 == 2 else f"+999{number:09}"
    start = StartPhoneVerificationRequest(request_id=request_id(), phone_number=phone)
    return f"{accounts}/StartPhoneVerification", start


async def check_ins(orders: Orders) -> Tally:
    """Calls of many members at a fixed rate, whether earlier ones were answered or not."""
    channels = [orders.target.channel("streak") for _ in range(orders.connections)]
    record = Record(orders.seconds)

    async def one(number: int, token: str, request: bytes) -> None:
        async with record.one():
            await call(channels[number % len(channels)], "streak.v1.StreakService/CheckIn", request, token=token)

    async with asyncio.TaskGroup() as group:
        number = 0
        while record.going_on and number < len(orders.calls):
            due = int((time.monotonic() - record.begin) * orders.rate)
            while number < min(due, len(orders.calls)):
                group.create_task(one(number, *orders.calls[number]))
                number += 1
            await asyncio.sleep(0.002)  # the calls begun run meanwhile; those that are due by then begin together
    return record.tally()
