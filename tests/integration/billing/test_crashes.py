"""A payment continues after a crash, with one charge, one delivery, and no charge without delivery."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.events_pb2 import PaymentSucceeded
from unora.common.v1.types_pb2 import TIER_PLUS
from unora_billing.clients import Authorizers
from unora_billing.domain.errors import ProviderUnavailable
from unora_common.messages import from_timestamp
from unora_testing.world import World

from tests.integration.billing.conftest import Wallet
from tests.support import refusal, request_id

LATER = timedelta(minutes=2)


class Crash(Exception):
    """The process dies at this point."""


def charges(world: World, payment_id: str) -> list[dict[str, Any]]:
    return [intent for intent in world.payments.store.intents if intent["metadata"].get("payment_id") == payment_id]


async def payments(wallet: Wallet) -> list[api.Payment]:
    answer = await wallet.billing.ListPayments(api.ListPaymentsRequest(), metadata=wallet.member.metadata)
    return list(answer.payments)


async def only_payment(wallet: Wallet) -> api.Payment:
    (payment,) = await payments(wallet)
    return payment


def crash_at(world: World, point: str) -> tuple[Any, str, Any]:
    """What monkeypatch replaces so that the process dies before or after a step of a payment."""
    when, step = point.split()
    of: Any = Authorizers if step == "authorize" else type(world.apps["billing"].runtime.resources.provider)
    real = getattr(of, step)

    async def crashes(*arguments: Any) -> Any:
        if when == "after":
            await real(*arguments)
        raise Crash

    return of, step, crashes


@pytest.mark.rule("BI-07", "BI-08")
@pytest.mark.parametrize("point", ["before authorize", "after authorize", "before charge", "after charge"])
async def test_a_payment_continues_from_wherever_a_crash_left_it(
    world: World, wallet: Wallet, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    request = wallet.order()
    with monkeypatch.context() as broken:
        broken.setattr(*crash_at(world, point))
        assert (await refusal(wallet.create(request))).code == "INTERNAL"
    left = await only_payment(wallet)
    assert left.status == api.PAYMENT_STATUS_CREATED
    await world.move_clock(LATER)
    assert await wallet.status(left.payment_id) == "PENDING"
    assert len(charges(world, left.payment_id)) == 1
    again = await wallet.create(request)  # the app asks again, and can confirm
    assert await wallet.confirm(again.confirmation) == 200
    await world.drain()
    assert len(await world.events(PaymentSucceeded, left.payment_id)) == 1


@pytest.mark.rule("BI-03", "BI-06", "BI-08")
@pytest.mark.parametrize("by", ["CREDITS", "FREE"])
@pytest.mark.parametrize("point", ["before authorize", "after authorize"])
async def test_a_payment_by_credits_or_a_free_recovery_is_paid_once_after_a_crash(
    world: World, wallet: Wallet, monkeypatch: pytest.MonkeyPatch, point: str, by: str
) -> None:
    if by == "CREDITS":
        await wallet.earn_credits()
    else:
        await wallet.subscribe("PLUS")
    request = wallet.order(method="CREDITS" if by == "CREDITS" else "MONEY")
    with monkeypatch.context() as broken:
        broken.setattr(*crash_at(world, point))
        assert (await refusal(wallet.create(request))).code == "INTERNAL"
    await world.move_clock(LATER)
    again = (await wallet.create(request)).payment  # the job has advanced it; a repeat finds it
    assert api.PaymentMethod.Name(again.method) == f"PAYMENT_METHOD_{by}"
    assert again.status == api.PAYMENT_STATUS_SUCCEEDED
    assert len(await world.events(PaymentSucceeded, again.payment_id)) == 1
    assert charges(world, again.payment_id) == []
    assert await wallet.credits() == 0
    used = "SELECT coalesce(sum(used), 0) FROM billing.free_recovery_allowances WHERE user_id = $1"
    assert await world.superuser.fetchval(used, wallet.member.user) == (by == "FREE")


@pytest.mark.rule("BI-01", "BI-07", "BI-08")
@pytest.mark.parametrize("point", ["before customer", "after customer", "before charge", "after charge"])
async def test_a_plan_is_charged_once_wherever_a_crash_left_its_payment(
    world: World, wallet: Wallet, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    request = api.SubscribeRequest(request_id=request_id(), tier=TIER_PLUS)
    with monkeypatch.context() as broken:
        broken.setattr(*crash_at(world, point))
        refused = await refusal(wallet.billing.Subscribe(request, metadata=wallet.member.metadata))
        assert refused.code == "INTERNAL"
    await world.move_clock(LATER)
    again = await wallet.billing.Subscribe(request, metadata=wallet.member.metadata)
    assert len(charges(world, again.payment.payment_id)) == 1
    assert await wallet.confirm(again.confirmation) == 200
    await world.drain()
    assert await wallet.status(again.payment.payment_id) == "APPLIED"
    assert (await wallet.subscription()).tier == TIER_PLUS


@pytest.mark.rule("BI-01", "BI-08", "BI-09")
@pytest.mark.parametrize("webhook", ["comes", "is lost"])
@pytest.mark.parametrize("point", ["before charge", "after charge"])
async def test_a_renewal_is_charged_once_wherever_a_crash_left_it(
    world: World, wallet: Wallet, monkeypatch: pytest.MonkeyPatch, point: str, webhook: str
) -> None:
    """No app repeats the call: the job finds the charge that it made, whether or not the webhook comes."""
    await wallet.subscribe("PLUS")
    end = from_timestamp((await wallet.subscription()).subscription.current_period_ends_at)
    with monkeypatch.context() as broken:
        broken.setattr(*crash_at(world, point))
        broken.setattr(world.payments, "paused", webhook == "is lost")
        await world.move_clock(end)
        await world.move_clock(LATER)
    await world.move_clock(LATER)
    renewal, _ = await payments(wallet)
    assert renewal.status == api.PAYMENT_STATUS_APPLIED
    (charge,) = charges(world, renewal.payment_id)
    assert (charge["status"], charge["amount_received"]) == ("succeeded", 999)
    assert from_timestamp((await wallet.subscription()).subscription.current_period_starts_at) == end
    assert await wallet.credits() == 0


@pytest.mark.rule("BI-08", "BI-09", "BI-11")
async def test_a_renewal_is_not_charged_again_under_a_key_that_the_provider_may_have_forgotten(
    world: World, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an outage in which the provider forgot its keys, the late webhook becomes credits, and the next renews."""
    await wallet.subscribe("PLUS")
    with monkeypatch.context() as broken:
        broken.setattr(*crash_at(world, "after charge"))
        broken.setattr(world.payments, "paused", True)
        await world.move_clock(from_timestamp((await wallet.subscription()).subscription.current_period_ends_at))
        lost, _ = await payments(wallet)
        world.payments.store.forget_answers()
        await world.move_clock(timedelta(hours=24))
        assert len(charges(world, lost.payment_id)) == 1
        assert await wallet.status(lost.payment_id) == "FAILED"
    await world.drain()
    assert await wallet.status(lost.payment_id) == "CREDITED"
    assert await wallet.credits() == 999
    await world.move_clock(timedelta(hours=24))
    renewal, *_ = await payments(wallet)
    assert (await wallet.status(renewal.payment_id), renewal.amount) == ("APPLIED", 999)
    assert (await wallet.subscription()).tier == TIER_PLUS


@pytest.mark.rule("BI-08")
async def test_while_the_provider_is_away_the_payment_waits_and_the_caller_gets_unavailable(
    world: World, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> Any:
        raise ProviderUnavailable

    provider = type(world.apps["billing"].runtime.resources.provider)
    request = wallet.order()
    with monkeypatch.context() as broken:
        broken.setattr(provider, "charge", away)
        found = await refusal(wallet.create(request))
        assert (found.code, found.reason) == ("UNAVAILABLE", "PROVIDER_UNAVAILABLE")
        await world.move_clock(LATER)
        assert (await only_payment(wallet)).status == api.PAYMENT_STATUS_CREATED
    assert (await wallet.create(request)).payment.status == api.PAYMENT_STATUS_PENDING


@pytest.mark.rule("BI-07")
async def test_a_payment_whose_owner_never_answers_expires_without_a_charge(
    world: World, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: Any) -> Any:
        raise TimeoutError

    with monkeypatch.context() as broken:
        broken.setattr(Authorizers, "authorize", silent)
        await refusal(wallet.create(wallet.order()))
        await world.move_clock(timedelta(hours=25))
    left = await only_payment(wallet)
    assert (left.status, left.failure) == (api.PAYMENT_STATUS_FAILED, api.PAYMENT_FAILURE_EXPIRED)
    assert charges(world, left.payment_id) == []


@pytest.mark.rule("BI-07")
async def test_a_webhook_of_an_unknown_payment_is_recorded_and_changes_nothing(world: World) -> None:
    intent = {"id": "pi_x", "status": "succeeded", "amount": 299, "amount_received": 299, "currency": "usd"}
    for metadata in ({}, {"payment_id": request_id()}, {"payment_id": "no uuid"}):
        event = {"id": f"evt_{request_id()}", "type": "payment_intent.succeeded"}
        assert await world.payments.send(event | {"data": {"object": intent | {"metadata": metadata}}})
        outcome = await world.superuser.fetchval(
            "SELECT outcome FROM billing.provider_events WHERE event_id = $1", event["id"]
        )
        assert outcome == "unknown"
