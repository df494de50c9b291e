"""Providers are away for a day: the payment provider, the carrier of codes, the S3."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from datetime import timedelta
from typing import Final

from unora.billing.v1.billing_service_pb2 import GetSubscriptionRequest, SubscribeRequest
from unora.common.v1.types_pb2 import TIER_PLUS, Tier
from unora.identity.v1.profile_service_pb2 import ListPhotosRequest
from unora_demo.provider import Provider
from unora_local import members
from unora_local.cast import PEOPLE
from unora_local.client import Gateway, Session, request_id
from unora_local.clock import Clock
from unora_local.keyboard.sessions import session_of
from unora_local.photos.portraits import landscape
from unora_upgrade import newcomers
from unora_upgrade.newcomers import Newcomer

from unora_drill.record import Drill, Record
from unora_drill.scene import Scene, refusal

MONTH: Final = timedelta(days=31)
DAY: Final = timedelta(days=1)
LATER: Final = timedelta(minutes=5)
RETRY_AFTER: Final = timedelta(seconds=61)
"""By the rule clock: after so long billing asks the provider again."""
RENEWED_WITHIN: Final = 60.0
RENEWALS: Final = "SELECT count(*) FROM billing.payments WHERE renews_subscription_id IS NOT NULL"
RENEWED: Final = f"{RENEWALS} AND status = 'applied'"
NOWHERE: Final = "http://127.0.0.1:9"
AWAY: Final = {
    "UNORA_SMS_SANDBOX": "",
    "UNORA_TWILIO_ACCOUNT": "AC00000000000000000000000000000000",
    "UNORA_TWILIO_AUTH_TOKEN": "0" * 32,
    "UNORA_TWILIO_SENDER": "+15005550006",
    "UNORA_TWILIO_API": NOWHERE,
}
"""A carrier that does not answer."""


async def play(scene: Scene, record: Record) -> None:
    """Each provider in turn; members go on with all that does not need it."""
    record.broken = "the payment provider is away while a subscription is to be renewed; then the carrier; then the S3"
    begin = time.monotonic()
    await _payments(scene, record)
    await _carrier(scene, record)
    await _photos(scene, record)
    record.seconds = time.monotonic() - begin


async def _payments(scene: Scene, record: Record) -> None:
    stack, logins = scene.stack, list(scene.people.all())
    async with scene.clock() as clock, scene.gateway() as gateway:
        payer = await _session(scene, gateway, logins[0])
        provider = Provider(stack.env.payment_sandbox, stack.env.payment_sandbox_key)
        await newcomers.subscribe(Newcomer(payer, PEOPLE[0]), provider)
        await clock.move(MONTH - DAY * 2)
        await stack.end("payments")
        await clock.jump(DAY * 2 + LATER)  # the renewal comes due
        await _until(clock, RENEWALS, 1)
        await clock.jump(DAY)
        late = await _session(scene, gateway, logins[1])
        subscribing = SubscribeRequest(request_id=request_id(), tier=TIER_PLUS)
        said = await refusal(late.call(gateway.billing.Subscribe, subscribing))
        record.noticed.append(f"PaymentsOverdue; a member who wants to pay is answered {said}")
        payer = await _session(scene, gateway, logins[0])
        during = await _tier(payer)
        with record.step("nothing: the provider is back, and billing asks again within a minute"):
            await stack.start_payments()
            await _until(clock, RENEWED, 1, RETRY_AFTER)
            await clock.wait_until_idle()
        payer = await _session(scene, gateway, logins[0])
        after = await _tier(payer)
        charged = _charged(scene)
        double = {payment: number for payment, number in charged.items() if number > 1}
    found = (
        f"{sum(charged.values())} charges, {len(double)} of them twice; the plan is {during} meanwhile, {after} after"
    )
    holds = not double and sum(charged.values()) == 2 and during == after == "TIER_PLUS"
    record.expect("payments", holds=holds, found=found)


async def _until(clock: Clock, sql: str, number: int, step: timedelta = timedelta()) -> None:
    """Until a count has come to a number, while the rule clock goes on by steps. Raises TimeoutError."""
    async with asyncio.timeout(RENEWED_WITHIN):
        while await clock.superuser.fetchval(sql) < number:
            await clock.jump(step)
            await asyncio.sleep(0.5)  # other processes ask, and the provider's webhook comes back


def _charged(scene: Scene) -> Counter[str]:
    """How often the provider took the money of each of our payments."""
    intents = json.loads(scene.stack.layout.payments.state.read_bytes())["intents"].values()
    return Counter(each["metadata"]["payment_id"] for each in intents if each["status"] == "succeeded")


async def _tier(session: Session) -> str:
    answer = await session.call(session.gateway.billing.GetSubscription, GetSubscriptionRequest())
    return Tier.Name(answer.subscription.tier)


async def _carrier(scene: Scene, record: Record) -> None:
    stack, login = scene.stack, next(iter(scene.people.all()))
    await stack.stop_services(["identity"])
    stack.settings["identity"] |= AWAY
    await stack.start_services(["identity"])
    async with scene.gateway() as gateway:
        await _session(scene, gateway, login)
        said = await refusal(members.ask_for_code(gateway, scene.people.get(login).phone_number))
    record.noticed.append(f"CodesUnsent; who asks for a code is answered {said}, who is signed in notices nothing")
    with record.step("nothing, or another carrier: restart identity with its variables"):
        await stack.stop_services(["identity"])
        for name in AWAY:
            del stack.settings["identity"][name]
        await stack.start_services(["identity"])
    async with scene.gateway() as gateway:
        again = await scene.sign_in(gateway, login)
    holds = "SMS_UNAVAILABLE" in said and again.user_id == scene.people.get(login).user_id
    record.expect("carrier", holds=holds, found=f"{said} meanwhile; afterwards members sign in")


async def _photos(scene: Scene, record: Record) -> None:
    stack, login = scene.stack, next(iter(scene.people.all()))
    async with scene.gateway() as gateway:
        session = await _session(scene, gateway, login)
        before = len((await session.call(gateway.profiles.ListPhotos, ListPhotosRequest())).photos)
        await stack.end("seaweed")
        said = await refusal(members.upload(session, landscape(1)))
        listed = len((await session.call(gateway.profiles.ListPhotos, ListPhotosRequest())).photos)
        record.noticed.append(f"photos do not load; an upload is answered {said}")
        with record.step("nothing: the S3 is back"):
            await stack.start_s3()
        await members.upload(session, landscape(2))
        after = len((await session.call(gateway.profiles.ListPhotos, ListPhotosRequest())).photos)
    found = f"lists of photos are answered meanwhile ({listed}), and an upload works afterwards ({after})"
    record.expect("photos", holds=listed == before and after == before + 1, found=found)


async def _session(scene: Scene, gateway: Gateway, login: str) -> Session:
    return (await session_of(gateway, scene.stack.env, scene.people, login))[1]


DRILL: Final = Drill("providers", "Providers are away for a day", play)
