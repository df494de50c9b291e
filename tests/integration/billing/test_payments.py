"""Payments by money: recorded, authorised, charged once, decided by signed webhooks in any order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.events_pb2 import PaymentCreated, PaymentCredited, PaymentFailed, PaymentSucceeded
from unora_local.sandbox.server import sign
from unora_testing.world import World

from tests.integration.billing.conftest import DECLINED, Wallet
from tests.support import refusal, request_id


@pytest.mark.rule("BI-02", "BI-07")
async def test_a_payment_is_recorded_then_charged_then_applied(world: World, wallet: Wallet) -> None:
    made = await wallet.create(wallet.order())
    payment_id = made.payment.payment_id
    assert (made.payment.amount, made.payment.currency) == (299, "USD")
    assert made.payment.status == api.PAYMENT_STATUS_PENDING
    assert made.confirmation.client_secret
    assert await wallet.confirm(made.confirmation) == 200
    await world.drain()
    assert await wallet.status(payment_id) == "SUCCEEDED"
    (succeeded,) = await world.events(PaymentSucceeded, payment_id)
    assert (succeeded.payer_id, succeeded.amount, succeeded.version) == (wallet.member.id, 299, 3)
    await world.publish(wallet.recovered_event(payment_id, await world.now()))
    assert await wallet.status(payment_id) == "APPLIED"


@pytest.mark.rule("BI-07")
async def test_a_declined_card_charges_nothing_and_cannot_be_tried_on_the_same_payment(
    world: World, wallet: Wallet
) -> None:
    made = await wallet.create(wallet.order())
    assert await wallet.confirm(made.confirmation, DECLINED) == 402
    await world.drain()
    assert await wallet.status(made.payment.payment_id) == "FAILED"
    (failed,) = await world.events(PaymentFailed, made.payment.payment_id)
    assert failed.failure == api.PAYMENT_FAILURE_DECLINED
    assert await wallet.confirm(made.confirmation) == 400  # cancelled there


@pytest.mark.rule("BI-08")
async def test_twenty_repeats_at_once_are_one_payment_and_one_charge(world: World, wallet: Wallet) -> None:
    request = wallet.order()
    made = await asyncio.gather(*(wallet.create(request) for _ in range(20)))
    assert len({each.payment.payment_id for each in made}) == 1
    assert len({each.confirmation.provider_payment_id for each in made}) == 1
    payment_id = made[0].payment.payment_id
    assert len(await world.events(PaymentCreated, payment_id)) == 1
    charged = [each["metadata"].get("payment_id") for each in world.payments.store.intents]
    assert charged.count(payment_id) == 1


@pytest.mark.rule("BI-08")
async def test_a_repeat_returns_the_payment_as_it_is_now(world: World, wallet: Wallet) -> None:
    request = wallet.order()
    made = await wallet.create(request)
    again = await wallet.create(request)
    assert again.confirmation == made.confirmation
    await wallet.confirm(made.confirmation)
    await world.drain()
    await world.move_clock(timedelta(days=40))  # for ever, not for 24 hours
    after = await wallet.create(request)
    assert after.payment.payment_id == made.payment.payment_id
    assert after.payment.status == api.PAYMENT_STATUS_SUCCEEDED
    assert not after.HasField("confirmation")


@pytest.mark.rule("BI-08")
async def test_a_request_id_is_good_for_one_request(wallet: Wallet) -> None:
    request = wallet.order()
    await wallet.create(request)
    for other in (
        wallet.order("NUDGE", request_id=request.request_id),
        wallet.order(method="CREDITS", request_id=request.request_id),
        wallet.order(request_id=request.request_id, streak_id=request_id()),
        wallet.order("REVEAL", request_id=request.request_id, reveal_number=3),
    ):
        assert (await refusal(wallet.create(other))).reason == "REQUEST_ID_REUSED"


@pytest.mark.rule("BI-08", "XX-04")
async def test_the_same_request_id_of_two_members_is_two_payments(wallets: Callable[[], Wallet]) -> None:
    one, two = wallets(), wallets()
    same = request_id()
    first = await one.create(one.order(request_id=same))
    second = await two.create(two.order(request_id=same))
    assert first.payment.payment_id != second.payment.payment_id
    get = api.GetPaymentRequest(payment_id=first.payment.payment_id)
    for asked in (get, api.GetPaymentRequest(payment_id=request_id())):
        found = await refusal(two.billing.GetPayment(asked, metadata=two.member.metadata))
        assert (found.code, found.reason, found.metadata) == ("NOT_FOUND", "PAYMENT_NOT_FOUND", {})


@pytest.mark.rule("BI-07")
async def test_a_webhook_that_comes_many_times_at_once_applies_once(world: World, wallet: Wallet) -> None:
    made = await wallet.create(wallet.order())
    await wallet.confirm(made.confirmation)
    event = world.payments.store.undelivered[-1]
    assert all(await asyncio.gather(*(world.payments.send(event) for _ in range(10))))
    await world.drain()
    assert await world.payments.send(event)  # and once more, late
    assert len(await world.events(PaymentSucceeded, made.payment.payment_id)) == 1


@pytest.mark.rule("BI-07")
async def test_a_webhook_may_come_before_the_charge_is_recorded(
    world: World, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = world.apps["billing"].runtime.resources.provider
    charge = provider.charge

    async def charge_and_deliver(asked: object) -> object:
        intent = await charge(asked)
        world.payments.store.confirm(intent.id, "pm_card_visa")
        await world.payments.deliver()
        return intent

    monkeypatch.setattr(provider, "charge", charge_and_deliver)
    made = await wallet.create(wallet.order())
    assert made.payment.status == api.PAYMENT_STATUS_SUCCEEDED
    assert not made.HasField("confirmation")
    assert len(await world.events(PaymentSucceeded, made.payment.payment_id)) == 1


@pytest.mark.rule("BI-07")
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_decline_and_a_success_in_any_order_are_a_success(
    world: World, wallet: Wallet, order: tuple[int, int]
) -> None:
    made = await wallet.create(wallet.order())
    world.payments.paused = True
    await wallet.confirm(made.confirmation, DECLINED)
    await wallet.confirm(made.confirmation)
    events = world.payments.store.undelivered[-2:]
    world.payments.paused = False
    for index in order:
        assert await world.payments.send(events[index])
    await world.drain()
    assert await wallet.status(made.payment.payment_id) == "SUCCEEDED"
    assert len(await world.events(PaymentSucceeded, made.payment.payment_id)) == 1
    assert await world.events(PaymentFailed, made.payment.payment_id) == []


@pytest.mark.rule("BI-07", "BI-11")
async def test_money_taken_for_a_payment_that_had_failed_becomes_credits(world: World, wallet: Wallet) -> None:
    made = await wallet.create(wallet.order())
    await wallet.confirm(made.confirmation, DECLINED)
    await world.drain()
    intent = world.payments.store.find(made.confirmation.provider_payment_id)
    paid = intent | {"status": "succeeded", "amount_received": 299}
    event = {"id": f"evt_{request_id()}", "type": "payment_intent.succeeded", "data": {"object": paid}}
    assert await world.payments.send(event)
    assert await world.payments.send(event)
    assert await wallet.status(made.payment.payment_id) == "CREDITED"
    assert await wallet.credits() == 299
    assert len(await world.events(PaymentCredited, made.payment.payment_id)) == 1


@pytest.mark.rule("BI-07")
@pytest.mark.parametrize("wrong", [{"amount_received": 298}, {"amount_received": 29900}, {"currency": "eur"}])
async def test_a_different_amount_does_not_pay_for_the_payment(
    world: World, wallet: Wallet, wrong: dict[str, object]
) -> None:
    made = await wallet.create(wallet.order())
    intent = world.payments.store.find(made.confirmation.provider_payment_id)
    paid = intent | {"status": "succeeded", "amount_received": 299} | wrong
    event = {"id": f"evt_{request_id()}", "type": "payment_intent.succeeded", "data": {"object": paid}}
    assert await world.payments.send(event)
    assert await wallet.status(made.payment.payment_id) == "PENDING"
    outcome = await world.superuser.fetchval(
        "SELECT outcome FROM billing.provider_events WHERE event_id = $1", event["id"]
    )
    assert outcome == "mismatch"


@pytest.mark.rule("BI-07")
@pytest.mark.parametrize("kind", ["canceled", "succeeded"])
async def test_another_charge_with_the_same_payment_id_changes_nothing(world: World, wallet: Wallet, kind: str) -> None:
    made = await wallet.create(wallet.order())
    intent = world.payments.store.find(made.confirmation.provider_payment_id)
    other = intent | {"id": "pi_other", "status": kind, "amount_received": 299 if kind == "succeeded" else 0}
    event = {"id": f"evt_{request_id()}", "type": f"payment_intent.{kind}", "data": {"object": other}}
    assert await world.payments.send(event)
    assert await wallet.status(made.payment.payment_id) == "PENDING"
    assert await wallet.confirm(made.confirmation) == 200
    await world.drain()
    assert await wallet.status(made.payment.payment_id) == "SUCCEEDED"


@pytest.mark.rule("BI-07")
async def test_only_a_recent_signature_of_the_provider_over_these_bytes_is_accepted(
    world: World, wallet: Wallet
) -> None:
    made = await wallet.create(wallet.order())
    await wallet.confirm(made.confirmation)
    event = world.payments.store.undelivered[-1]
    body, secret = json.dumps(event).encode(), world.payments_secret
    good = sign(body, secret)
    at = int(good.split(",")[0][2:])
    for bytes_, signature in (
        (body, ""),
        (body, "t=,v1="),
        (body, good.replace("v1=", "v0=")),
        (body, sign(body, "whsec_another")),
        (body + b" ", good),
        (body.replace(b"299", b"999"), good),
        (b"\xff\xfe", sign(b"\xff\xfe", secret)),
        (b"{}", sign(b"{}", secret)),
        (b"[]", sign(b"[]", secret)),
        (body, sign(body, secret, at - 301)),
        (body, good.replace(f"t={at}", f"t={at + 1}")),
    ):
        assert not await world.deliver_webhook(bytes_, signature)
    assert await wallet.status(made.payment.payment_id) == "PENDING"
    assert await world.deliver_webhook(body, good)
    assert await wallet.status(made.payment.payment_id) == "SUCCEEDED"


@pytest.mark.rule("BI-07")
async def test_a_payment_that_is_not_confirmed_expires_and_cannot_be_paid_later(world: World, wallet: Wallet) -> None:
    made = await wallet.create(wallet.order())
    await world.move_clock(timedelta(hours=23))
    assert await wallet.status(made.payment.payment_id) == "PENDING"
    await world.move_clock(timedelta(hours=2))
    (failed,) = await world.events(PaymentFailed, made.payment.payment_id)
    assert failed.failure == api.PAYMENT_FAILURE_EXPIRED
    assert await wallet.confirm(made.confirmation) == 400


@pytest.mark.rule("BI-07")
async def test_a_payment_whose_webhook_was_lost_counts_as_paid_when_it_expires(world: World, wallet: Wallet) -> None:
    made = await wallet.create(wallet.order())
    world.payments.paused = True
    try:
        await wallet.confirm(made.confirmation)
        await world.move_clock(timedelta(hours=25))
        assert await wallet.status(made.payment.payment_id) == "SUCCEEDED"
    finally:
        world.payments.paused = False
    await world.drain()
    assert len(await world.events(PaymentSucceeded, made.payment.payment_id)) == 1
