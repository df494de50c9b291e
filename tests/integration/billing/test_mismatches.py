"""Money that the provider took and that does not match its payment: told, then refunded or credited (BI-10)."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from google.api.httpbody_pb2 import HttpBody
from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.events_pb2 import MismatchResolved, PaymentCredited, PaymentFailed, PaymentMismatched
from unora.billing.v1.webhook_service_pb2_grpc import WebhookServiceStub
from unora.common.v1.types_pb2 import TIER_PLUS
from unora_billing.domain.errors import ProviderUnavailable
from unora_billing.domain.mismatches import MismatchResolution
from unora_billing.servicers.commands import resolve_payment
from unora_local.sandbox.server import sign
from unora_testing.world import World

from tests.integration.billing.conftest import Wallet
from tests.support import race, refusal, request_id

pytestmark = pytest.mark.rule("BI-10")
REFUND, CREDIT = MismatchResolution.REFUND, MismatchResolution.CREDIT
PRICE, TAKEN = 299, 250


async def mismatched(wallet: Wallet, taken: int = TAKEN) -> str:
    """A payment for which the provider took another amount; returns its id."""
    made = await wallet.create(wallet.order())
    wallet.world.payments.store.take(made.confirmation.provider_payment_id, taken)
    await wallet.world.drain()
    assert await wallet.status(made.payment.payment_id) == "PENDING"
    return made.payment.payment_id


async def resolve(world: World, payment_id: str, how: MismatchResolution) -> int:
    """What `python -m unora_billing resolve-payment` does; returns its exit status."""
    options = argparse.Namespace(payment_id=UUID(payment_id), how=how)
    return await resolve_payment.run(world.apps["billing"].runtime, options)


def refunds(world: World, charge: str) -> list[int]:
    return [each["amount"] for each in world.payments.reversals.refunds(charge)["data"]]


def counted(world: World) -> float:
    value = world.apps["billing"].metrics.registry.get_sample_value("unora_payment_mismatches_total")
    assert value is not None
    return value


@pytest.mark.rule("BI-07")
@pytest.mark.parametrize("taken", [TAKEN, 29900])
async def test_another_amount_is_told_once_and_counted(world: World, wallet: Wallet, taken: int) -> None:
    before = counted(world)
    payment_id = await mismatched(wallet, taken)
    assert counted(world) == before + 1
    await wallet.world.move_clock(timedelta(days=3))  # the job looks again, and finds the same
    (told,) = await world.events(PaymentMismatched, payment_id)
    assert (told.payer_id, told.amount, told.received_amount, told.other_currency) == (
        wallet.member.id,
        PRICE,
        taken,
        False,
    )
    assert await wallet.status(payment_id) == "PENDING"


@pytest.mark.rule("BI-07")
@pytest.mark.parametrize("amount", [299.0, "299", True, None, 10**30])
async def test_an_amount_that_is_no_whole_number_pays_nothing_and_the_right_one_does(
    world: World, wallet: Wallet, amount: object
) -> None:
    made = await wallet.create(wallet.order())
    intent = world.payments.store.find(made.confirmation.provider_payment_id)
    paid = intent | {"status": "succeeded", "amount_received": amount}
    event = {"id": f"evt_{request_id()}", "type": "payment_intent.succeeded", "data": {"object": paid}}
    assert await world.payments.send(event)
    payment_id = made.payment.payment_id
    assert await wallet.status(payment_id) == "PENDING"
    (told,) = await world.events(PaymentMismatched, payment_id)
    assert not told.HasField("received_amount")
    assert await wallet.confirm(made.confirmation) == 200
    await world.drain()
    assert await wallet.status(payment_id) == "SUCCEEDED"
    assert await resolve(world, payment_id, REFUND) == 1  # nothing is left to resolve
    assert refunds(world, intent["id"]) == []


async def test_a_refund_gives_back_what_was_taken_and_the_payment_has_failed(
    world: World, wallet: Wallet, capsys: pytest.CaptureFixture[str]
) -> None:
    payment_id = await mismatched(wallet)
    assert await resolve(world, payment_id, REFUND) == 0
    assert "given back to the payer" in capsys.readouterr().out
    await world.drain()
    payment = await wallet.payment(payment_id)
    assert (payment.status, payment.failure) == (api.PAYMENT_STATUS_FAILED, api.PAYMENT_FAILURE_MISMATCH)
    assert payment.refunded_amount == TAKEN
    assert refunds(world, await wallet.charge_of(payment_id)) == [TAKEN]
    assert len(await world.events(PaymentFailed, payment_id)) == 1
    (resolved,) = await world.events(MismatchResolved, payment_id)
    assert resolved.resolution == api.MISMATCH_RESOLUTION_REFUND
    assert await resolve(world, payment_id, REFUND) == 0  # again
    assert "before" in capsys.readouterr().out
    assert await resolve(world, payment_id, CREDIT) == 1
    assert refunds(world, await wallet.charge_of(payment_id)) == [TAKEN]
    assert await wallet.credits() == 0


@pytest.mark.rule("BI-03", "BI-11")
async def test_a_credit_is_what_was_taken_and_not_the_price(world: World, wallet: Wallet) -> None:
    payment_id = await mismatched(wallet)
    assert await resolve(world, payment_id, CREDIT) == 0
    await world.drain()
    assert (await wallet.status(payment_id), await wallet.credits()) == ("CREDITED", TAKEN)
    assert await wallet.entries() == [("COMPENSATION", TAKEN)]
    (credited,) = await world.events(PaymentCredited, payment_id)
    assert credited.amount == TAKEN
    (resolved,) = await world.events(MismatchResolved, payment_id)
    assert resolved.resolution == api.MISMATCH_RESOLUTION_CREDIT
    assert [await resolve(world, payment_id, how) for how in (CREDIT, REFUND)] == [0, 1]
    assert refunds(world, await wallet.charge_of(payment_id)) == []
    await wallet.refund(payment_id)  # later, by hand at the provider
    assert await wallet.credits() == 0


async def test_both_ways_at_once_are_one(world: World, wallets: Callable[[], Wallet]) -> None:
    for turn in range(4):
        wallet = wallets()
        payment_id = await mismatched(wallet)
        done = await race(turn, [resolve(world, payment_id, REFUND), resolve(world, payment_id, CREDIT)])
        await world.drain()
        assert sorted(done) == [0, 1]
        given_back = sum(refunds(world, await wallet.charge_of(payment_id)))
        assert given_back + await wallet.credits() == TAKEN


async def test_many_refunds_at_once_are_one(world: World, wallet: Wallet) -> None:
    payment_id = await mismatched(wallet)
    assert await asyncio.gather(*(resolve(world, payment_id, REFUND) for _ in range(4))) == [0] * 4
    await world.drain()
    assert refunds(world, await wallet.charge_of(payment_id)) == [TAKEN]
    assert len(await world.events(MismatchResolved, payment_id)) == 1


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_refund_continues_where_a_crash_left_it(
    world: World, wallet: Wallet, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    payment_id = await mismatched(wallet)
    provider = type(world.apps["billing"].runtime.resources.provider)
    refund = provider.refund

    async def dies(*arguments: Any) -> None:
        if when == "after":
            await refund(*arguments)
        raise ProviderUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(provider, "refund", dies)
        assert await resolve(world, payment_id, REFUND) == 1
    assert await resolve(world, payment_id, CREDIT) == 1  # it is decided
    if when == "after":
        world.payments.store.forget_answers()  # more than a day later
    assert await resolve(world, payment_id, REFUND) == 0
    await world.drain()
    assert refunds(world, await wallet.charge_of(payment_id)) == [TAKEN]
    assert (await wallet.payment(payment_id)).refunded_amount == TAKEN


async def test_money_in_another_currency_can_only_go_back(world: World, wallet: Wallet) -> None:
    """The provider corrects itself after the decision: the money is on its way back, and pays for nothing."""
    made = await wallet.create(wallet.order())
    charge, payment_id = made.confirmation.provider_payment_id, made.payment.payment_id
    world.payments.store.take(charge, PRICE)
    paid = world.payments.store.undelivered[-1]
    paid["data"]["object"]["currency"] = "eur"
    assert await world.payments.send(paid)
    assert await wallet.status(payment_id) == "PENDING"
    world.payments.store.mark_delivered(paid["id"])
    assert await resolve(world, payment_id, CREDIT) == 1
    assert await resolve(world, payment_id, REFUND) == 0
    await world.drain()
    assert (await wallet.status(payment_id), await wallet.credits()) == ("FAILED", 0)


async def test_a_second_charge_for_one_payment_goes_back_and_the_payment_goes_on(world: World, wallet: Wallet) -> None:
    payment_id = await wallet.recover()
    own = await wallet.charge_of(payment_id)
    asked = {"amount": PRICE, "currency": "usd", "metadata": {"payment_id": payment_id}}
    second = world.payments.store.create_intent(asked)["id"]
    world.payments.store.take(second, PRICE)
    await world.drain()
    assert len(await world.events(PaymentMismatched, payment_id)) == 1
    assert await resolve(world, payment_id, CREDIT) == 1
    assert await resolve(world, payment_id, REFUND) == 0
    await world.drain()
    assert (refunds(world, second), refunds(world, own)) == ([PRICE], [])
    payment = await wallet.payment(payment_id)
    assert (payment.status, payment.refunded_amount) == (api.PAYMENT_STATUS_APPLIED, 0)


async def test_a_refund_at_the_provider_decides_too(world: World, wallet: Wallet) -> None:
    """Support refunded it there, without the command."""
    payment_id = await mismatched(wallet)
    await wallet.refund(payment_id, 100)
    assert await wallet.status(payment_id) == "FAILED"
    assert await resolve(world, payment_id, CREDIT) == 1
    await wallet.refund(payment_id)
    assert (await wallet.payment(payment_id)).refunded_amount == TAKEN
    assert len(await world.events(MismatchResolved, payment_id)) == 1
    assert await resolve(world, payment_id, REFUND) == 0
    assert sum(refunds(world, await wallet.charge_of(payment_id))) == TAKEN


async def test_a_refund_in_part_of_a_second_charge_settles_nothing(world: World, wallet: Wallet) -> None:
    """Support gave a part of it back, while the payment still waits for its own charge."""
    made = await wallet.create(wallet.order())
    payment_id = made.payment.payment_id
    asked = {"amount": PRICE, "currency": "usd", "metadata": {"payment_id": payment_id}}
    second = world.payments.store.create_intent(asked)["id"]
    world.payments.store.take(second, PRICE)
    await world.drain()
    world.payments.reversals.refund(second, 100)
    await world.drain()
    assert not await world.events(MismatchResolved, payment_id)
    assert await resolve(world, payment_id, REFUND) == 0
    await world.drain()
    assert sum(refunds(world, second)) == PRICE
    assert len(await world.events(MismatchResolved, payment_id)) == 1


@pytest.mark.rule("BI-01")
async def test_a_plan_whose_money_did_not_match_can_be_bought_again_once_it_is_resolved(
    world: World, wallet: Wallet
) -> None:
    asked = api.SubscribeRequest(request_id=request_id(), tier=TIER_PLUS)
    made = await wallet.billing.Subscribe(asked, metadata=wallet.member.metadata)
    world.payments.store.take(made.confirmation.provider_payment_id, 1)
    await world.drain()
    again = api.SubscribeRequest(request_id=request_id(), tier=TIER_PLUS)
    refused = await refusal(wallet.billing.Subscribe(again, metadata=wallet.member.metadata))
    assert refused.reason == "PAYMENT_PENDING"
    assert await resolve(world, made.payment.payment_id, REFUND) == 0
    await wallet.subscribe("PLUS")
    assert (await wallet.subscription()).tier == TIER_PLUS


async def test_the_command_says_what_it_cannot_do(
    world: World, wallet: Wallet, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await resolve(world, request_id(), REFUND) == 1
    assert "there is no such payment" in capsys.readouterr().err
    payment_id = await wallet.pay()
    assert await resolve(world, payment_id, CREDIT) == 1
    assert "has no money that does not match" in capsys.readouterr().err
    assert await wallet.status(payment_id) == "SUCCEEDED"


@pytest.mark.rule("BI-07", "BI-13")
async def test_an_event_of_an_unknown_kind_is_noted_without_its_content_and_counted_once(world: World) -> None:
    registry = world.apps["billing"].metrics.registry

    def noted() -> float:
        return registry.get_sample_value("unora_provider_events_total", {"outcome": "unknown_kind"}) or 0.0

    before = noted()
    event = {"id": f"evt_{request_id()}", "type": "customer.created", "data": {"object": {"email": "a@b.example"}}}
    assert all(await asyncio.gather(*(world.payments.send(event) for _ in range(5))))
    assert await world.payments.send(event)
    row = await world.superuser.fetchrow("SELECT * FROM billing.provider_events WHERE event_id = $1", event["id"])
    assert row is not None
    assert (row["kind"], row["outcome"]) == ("customer.created", "unknown_kind")
    assert row["received_at"] is not None
    assert (row["provider_payment_id"], row["payment_id"]) == (None, None)
    assert noted() == before + 1


@pytest.mark.rule("BI-07")
async def test_deep_json_is_an_invalid_argument(world: World) -> None:
    stub = world.stub(WebhookServiceStub, "billing")
    for body in (b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b'{"id":"evt_\\u0000"}'):
        signature = (("stripe-signature", sign(body, world.payments_secret)),)
        found = await refusal(stub.ReceiveProviderEvent(HttpBody(data=body), metadata=signature))
        assert (found.code, found.reason) == ("INVALID_ARGUMENT", "EVENT_UNREADABLE")
