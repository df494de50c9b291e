"""What is measured of payments and credits (BI-02, BI-03)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.integration.billing.conftest import Wallet
from tests.measures import count, value

SETTLED = "unora_payment_settlement_seconds_count"


@pytest.mark.rule("BI-02", "BI-03")
async def test_open_payments_credits_and_settlements_are_measured(wallet: Wallet) -> None:
    world, app = wallet.world, wallet.world.apps["billing"]
    await count(app)
    for status in ("created", "pending", "succeeded"):
        assert value(app, "unora_payments_open", status=status) == 0
        assert value(app, "unora_payments_oldest_open_seconds", status=status) == 0
    assert value(app, "unora_credits_circulating") == 0
    assert value(app, SETTLED) == 0

    made = await wallet.create(wallet.order())
    assert (value(app, "unora_provider_call_duration_seconds_count", provider="stripe", outcome="ok") or 0) > 0
    await world.move_clock(timedelta(minutes=10))
    await count(app)
    assert value(app, "unora_payments_open", status="pending") == 1
    assert (value(app, "unora_payments_oldest_open_seconds", status="pending") or 0) >= 600
    assert value(app, SETTLED) == 0

    assert await wallet.confirm(made.confirmation) == 200
    await world.drain()
    await count(app)
    assert value(app, "unora_payments_open", status="succeeded") == 1
    assert value(app, "unora_payments_oldest_open_seconds", status="pending") == 0
    since = value(app, "unora_payments_oldest_open_seconds", status="succeeded")
    assert since is not None
    assert since < 600, "it counts from when the payment succeeded"
    assert value(app, SETTLED) == 0
    await world.publish(wallet.rejected_event(made.payment.payment_id, await world.now()))
    await count(app)
    assert value(app, "unora_payments_open", status="succeeded") == 0
    assert value(app, "unora_credits_circulating") == await wallet.credits() > 0
    assert value(app, SETTLED) == 1
    assert value(app, "unora_payment_settlement_seconds_bucket", le="300.0") == 0
    assert value(app, "unora_payment_settlement_seconds_bucket", le="900.0") == 1


@pytest.mark.rule("BI-02")
async def test_a_payment_that_the_member_did_not_confirm_is_no_slow_settlement(wallet: Wallet) -> None:
    app, before = wallet.world.apps["billing"], value(wallet.world.apps["billing"], SETTLED)
    made = await wallet.create(wallet.order())
    await wallet.world.move_clock(timedelta(days=2))
    assert await wallet.status(made.payment.payment_id) == "FAILED"
    assert value(app, SETTLED) == before
