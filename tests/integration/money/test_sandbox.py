"""The payment sandbox checks the key as the provider does."""

from __future__ import annotations

import pytest
from unora_testing.world import World

from tests.integration.money.paying_couple import PayingCouple
from tests.support import plain_http


@pytest.mark.rule("BI-07")
async def test_a_repeat_without_the_key_is_refused_too(world: World, couple: PayingCouple) -> None:
    await couple.miss()
    made = await couple.payer.create(couple.payer.order())
    form = {"amount": "299", "currency": "usd", "metadata[payment_id]": made.payment.payment_id}
    repeat = {"Idempotency-Key": made.payment.payment_id}
    async with plain_http(world.payments_url) as client:
        refused = await client.post("/v1/payment_intents", data=form, headers=repeat)
        known = repeat | {"Authorization": f"Bearer {world.payments_key}"}
        answered = await client.post("/v1/payment_intents", data=form, headers=known)
    assert (refused.status_code, answered.status_code) == (401, 200)
    assert made.confirmation.client_secret not in refused.text
    assert answered.json()["client_secret"] == made.confirmation.client_secret


@pytest.mark.rule("BI-10")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/refunds"),
        ("POST", "/v1/refunds"),
        ("GET", "/v1/payment_intents/search"),
        ("POST", "/v1/test/refunds/re_1/fail"),
        ("POST", "/v1/test/disputes"),
        ("POST", "/v1/test/disputes/dp_1/close"),
        ("POST", "/v1/test/fraud_warnings"),
        ("POST", "/v1/test/takings"),
    ],
)
async def test_only_the_key_moves_money_back(world: World, method: str, path: str) -> None:
    async with plain_http(world.payments_url) as client:
        refused = await client.request(method, path)
        known = await client.request(method, path, headers={"Authorization": f"Bearer {world.payments_key}"})
    assert refused.status_code == 401
    assert known.status_code == (404 if method == "POST" else 200)


@pytest.mark.rule("BI-10")
async def test_the_sandbox_gives_back_no_more_than_it_took(world: World, couple: PayingCouple) -> None:
    await couple.miss()
    made = await couple.payer.create(couple.payer.order())
    await couple.payer.confirm(made.confirmation)
    form = {"payment_intent": made.confirmation.provider_payment_id}
    key = {"Authorization": f"Bearer {world.payments_key}"}
    async with plain_http(world.payments_url, headers=key) as client:
        answers = [
            (await client.post("/v1/refunds", data=form | {"amount": amount})).json()
            for amount in ("100", "200", "x", "199", "1")
        ]
        dispute = (await client.post("/v1/test/disputes", data=form)).json()
        closed = await client.post(f"/v1/test/disputes/{dispute['id']}/close", data={"status": "paid"})
    assert [each.get("amount", each.get("error", {}).get("code")) for each in answers] == [
        100,
        "amount_too_large",
        "parameter_invalid",
        199,
        "charge_already_refunded",
    ]
    assert closed.status_code == 400
    await world.drain()
    assert (await couple.payer.payment(made.payment.payment_id)).refunded_amount == 299
