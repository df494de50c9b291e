"""The payment sandbox checks the key as the provider does."""

from __future__ import annotations

import httpx
import pytest
from unora_testing.world import World

from tests.integration.money.paying_couple import PayingCouple


@pytest.mark.rule("BI-07")
async def test_a_repeat_without_the_key_is_refused_too(world: World, couple: PayingCouple) -> None:
    await couple.miss()
    made = await couple.payer.create(couple.payer.order())
    form = {"amount": "299", "currency": "usd", "metadata[payment_id]": made.payment.payment_id}
    repeat = {"Idempotency-Key": made.payment.payment_id}
    async with httpx.AsyncClient(base_url=world.payments_url) as client:
        refused = await client.post("/v1/payment_intents", data=form, headers=repeat)
        known = repeat | {"Authorization": f"Bearer {world.payments_key}"}
        answered = await client.post("/v1/payment_intents", data=form, headers=known)
    assert (refused.status_code, answered.status_code) == (401, 200)
    assert made.confirmation.client_secret not in refused.text
    assert answered.json()["client_secret"] == made.confirmation.client_secret
