"""Refunds, disputes and warnings through signed webhooks: rows beside the payment, credits, subscriptions (BI-10)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.events_pb2 import (
    CreditsChanged,
    PaymentCredited,
    ReversalRecorded,
)
from unora_billing.domain.errors import ProviderUnavailable
from unora_testing.world import World

from tests.integration.billing.conftest import Wallet
from tests.support import race, request_id

pytestmark = pytest.mark.rule("BI-10")
PRICE = 299


async def told(world: World, payment_id: str) -> list[tuple[str, int, int, int, int]]:
    """The events of a payment's reversals."""
    return [
        (
            api.ReversalKind.Name(each.kind).removeprefix("REVERSAL_KIND_"),
            each.amount,
            each.reversed_amount,
            each.credits,
            each.uncollected,
        )
        for each in await world.events(ReversalRecorded, payment_id)
    ]


async def shown(wallet: Wallet, payment_id: str) -> tuple[int, int]:
    found = await wallet.payment(payment_id)
    return found.refunded_amount, found.disputed_amount


@pytest.mark.rule("BI-02")
async def test_a_refund_in_parts_is_rows_beside_a_payment_that_stays(world: World, wallet: Wallet) -> None:
    payment_id = await wallet.recover()
    before = await wallet.payment(payment_id)
    await wallet.refund(payment_id, 100)
    assert await shown(wallet, payment_id) == (100, 0)
    await wallet.refund(payment_id)
    after = await wallet.payment(payment_id)
    assert (after.refunded_amount, after.disputed_amount) == (PRICE, 0)
    after.refunded_amount = 0
    assert after == before
    assert await told(world, payment_id) == [("REFUNDED", 100, 100, 0, 0), ("REFUNDED", 199, 299, 0, 0)]
    listed = await wallet.billing.ListPayments(api.ListPaymentsRequest(), metadata=wallet.member.metadata)
    assert [each.refunded_amount for each in listed.payments] == [PRICE]
    versions = await world.superuser.fetch(
        "SELECT aggregate_version FROM billing.outbox WHERE aggregate_id = $1 ORDER BY seq", payment_id
    )
    assert [row["aggregate_version"] for row in versions] == list(range(1, len(versions) + 1))


@pytest.mark.rule("BI-03", "BI-11")
async def test_credits_of_a_refunded_payment_are_taken_back(world: World, wallet: Wallet) -> None:
    payment_id = await wallet.pay()
    await world.publish(wallet.rejected_event(payment_id, await world.now()))
    assert await wallet.credits() == PRICE
    await wallet.refund(payment_id, 100)
    assert await wallet.credits() == 199
    await wallet.refund(payment_id)
    assert await wallet.credits() == 0
    assert await wallet.entries() == [("COMPENSATION", 299), ("TAKEN_BACK", -100), ("TAKEN_BACK", -199)]
    assert await wallet.status(payment_id) == "CREDITED"
    assert len(await world.events(CreditsChanged, wallet.member.id)) == 3


@pytest.mark.rule("BI-03")
async def test_credits_that_were_spent_are_noted_and_a_balance_is_never_negative(world: World, wallet: Wallet) -> None:
    payment_id = await wallet.pay()
    await world.publish(wallet.rejected_event(payment_id, await world.now()))
    await wallet.create(wallet.order("NUDGE", method="CREDITS"))
    assert await wallet.credits() == 200
    await wallet.dispute(payment_id)
    assert await wallet.credits() == 0
    assert await told(world, payment_id) == [("DISPUTE_OPENED", 299, 299, -200, 99)]


@pytest.mark.parametrize(("status", "balance"), [("won", 299), ("lost", 0)])
async def test_a_won_dispute_gives_back_what_was_taken_and_a_lost_one_does_not(
    world: World, wallet: Wallet, status: str, balance: int
) -> None:
    payment_id = await wallet.pay()
    await world.publish(wallet.rejected_event(payment_id, await world.now()))
    await wallet.dispute(payment_id)
    assert (await wallet.credits(), await shown(wallet, payment_id)) == (0, (0, PRICE))
    dispute = world.payments.store.reversals[-1]
    world.payments.reversals.close_dispute(dispute["id"], status)
    await world.drain()
    assert await wallet.credits() == balance
    assert await shown(wallet, payment_id) == (0, PRICE - balance)


@pytest.mark.rule("BI-11")
@pytest.mark.parametrize("refunded", [100, PRICE])
async def test_a_refunded_payment_that_cannot_be_delivered_becomes_only_the_rest(
    world: World, wallet: Wallet, refunded: int
) -> None:
    """The refund comes while the purchase is being delivered, and its owner then rejects the payment."""
    payment_id = await wallet.pay()
    await wallet.refund(payment_id, refunded)
    assert await wallet.status(payment_id) == "SUCCEEDED"
    await world.publish(wallet.rejected_event(payment_id, await world.now()))
    assert (await wallet.status(payment_id), await wallet.credits()) == ("CREDITED", PRICE - refunded)
    (credited,) = await world.events(PaymentCredited, payment_id)
    assert credited.amount == PRICE - refunded


@pytest.mark.rule("BI-05")
@pytest.mark.parametrize("status", ["won", "lost"])
async def test_the_protection_of_a_disputed_recovery_gives_credits_only_when_the_dispute_is_won(
    world: World, wallet: Wallet, status: str
) -> None:
    payment_id = await wallet.recover()
    dispute_id = await wallet.dispute(payment_id)
    await world.publish(wallet.ended_event(wallet.partner, await world.now()))
    assert (await wallet.status(payment_id), await wallet.credits()) == ("CREDITED", 0)
    world.payments.reversals.close_dispute(dispute_id, status)
    await world.drain()
    assert await wallet.credits() == (PRICE if status == "won" else 0)


@pytest.mark.rule("BI-05")
async def test_the_protection_of_a_refunded_recovery_gives_nothing_again(world: World, wallet: Wallet) -> None:
    payment_id = await wallet.recover()
    await wallet.refund(payment_id)
    await world.publish(wallet.ended_event(wallet.partner, await world.now()))
    assert await wallet.credits() == 0


@pytest.mark.rule("BI-07")
async def test_repeats_of_a_refund_count_once(world: World, wallet: Wallet) -> None:
    payment_id = await wallet.pay()
    await world.publish(wallet.rejected_event(payment_id, await world.now()))
    world.payments.reversals.refund(await wallet.charge_of(payment_id), 100)
    created, refunded = world.payments.store.undelivered[-2:]
    again = created | {"id": f"evt_{request_id()}", "type": "refund.updated"}
    told_at_once = [created, refunded, again, created, refunded]
    assert all(await asyncio.gather(*(world.payments.send(event) for event in told_at_once)))
    await world.drain()
    assert await wallet.credits() == 199
    assert await told(world, payment_id) == [("REFUNDED", 100, 100, -100, 0)]


@pytest.mark.rule("BI-07")
async def test_the_sum_of_all_refunds_alone_tells_billing_each_of_them(world: World, wallet: Wallet) -> None:
    """`charge.refunded` tells only the sum, so billing asks for the refunds."""
    payment_id = await wallet.recover()
    charge = await wallet.charge_of(payment_id)
    for amount in (50, 60):
        world.payments.reversals.refund(charge, amount)
    last = world.payments.store.undelivered[-1]
    assert last["type"] == "charge.refunded"
    assert await world.payments.send(last)
    assert sorted((kind, amount) for kind, amount, *_ in await told(world, payment_id)) == [
        ("REFUNDED", 50),
        ("REFUNDED", 60),
    ]
    assert await shown(wallet, payment_id) == (110, 0)


@pytest.mark.rule("BI-07")
@pytest.mark.parametrize("order", list(permutations(("paid", "opened", "closed"))), ids="-".join)
async def test_the_events_of_a_dispute_may_come_in_any_order_and_before_the_payment(
    world: World, wallet: Wallet, order: tuple[str, ...]
) -> None:
    made = await wallet.create(wallet.order())
    world.payments.paused = True
    assert await wallet.confirm(made.confirmation) == 200
    charge = made.confirmation.provider_payment_id
    dispute = world.payments.reversals.dispute(charge)
    world.payments.reversals.close_dispute(dispute["id"], "lost")
    events = dict(zip(("paid", "opened", "closed"), world.payments.store.undelivered[-3:], strict=True))
    try:
        for name in order:
            assert await world.payments.send(events[name])
    finally:
        world.payments.paused = False
    await world.drain()
    payment_id = made.payment.payment_id
    assert await wallet.status(payment_id) == "SUCCEEDED"
    assert await shown(wallet, payment_id) == (0, PRICE)
    assert {each[0] for each in await told(world, payment_id)} == {"DISPUTE_OPENED", "DISPUTE_LOST"}


@pytest.mark.rule("BI-11", "BI-05")
@pytest.mark.parametrize("reversal", ["refund", "dispute"])
async def test_a_refund_and_a_conversion_at_the_same_moment_pay_once(
    world: World, wallets: Callable[[], Wallet], reversal: str
) -> None:
    for turn in range(6):
        wallet = wallets()
        payment_id = await wallet.recover() if turn % 2 else await wallet.pay()
        at = await world.now()
        event: Any = wallet.ended_event(wallet.partner, at) if turn % 2 else wallet.rejected_event(payment_id, at)
        getattr(world.payments.reversals, reversal)(await wallet.charge_of(payment_id))
        notice = world.payments.store.undelivered[-2 if reversal == "refund" else -1]
        await race(turn // 2, [world.payments.send(notice), world.publish(event)])
        await world.drain()
        assert (await wallet.status(payment_id), await wallet.credits()) == ("CREDITED", 0)
        rows = await world.superuser.fetchrow(
            """SELECT sum(reversed) AS reversed, sum(uncollected) AS uncollected FROM billing.payment_reversals
            WHERE payment_id = $1""",
            payment_id,
        )
        assert rows is not None
        assert tuple(rows) == (PRICE, 0)


async def test_a_refund_that_failed_gives_the_credits_back(world: World, wallet: Wallet) -> None:
    payment_id = await wallet.pay()
    await world.publish(wallet.rejected_event(payment_id, await world.now()))
    refund = await wallet.refund(payment_id)
    assert await wallet.credits() == 0
    world.payments.reversals.fail_refund(refund)
    await world.drain()
    assert (await wallet.credits(), await shown(wallet, payment_id)) == (PRICE, (0, 0))
    assert await wallet.entries() == [("COMPENSATION", 299), ("TAKEN_BACK", -299), ("GIVEN_BACK", 299)]


async def test_warnings_are_told_and_move_nothing(world: World, wallet: Wallet) -> None:
    payment_id = await wallet.pay()
    await world.publish(wallet.rejected_event(payment_id, await world.now()))
    charge = await wallet.charge_of(payment_id)
    world.payments.reversals.warn(charge)
    inquiry = world.payments.reversals.dispute(charge, inquiry=True)
    await world.drain()
    world.payments.reversals.close_dispute(inquiry["id"], "warning_closed")
    await world.drain()
    assert [each[0] for each in await told(world, payment_id)] == ["FRAUD_WARNED", "INQUIRY_OPENED", "INQUIRY_CLOSED"]
    assert (await wallet.credits(), await shown(wallet, payment_id)) == (PRICE, (0, 0))


@pytest.mark.rule("BI-07")
async def test_a_reversal_of_a_strange_charge_is_noted(world: World) -> None:
    for intent in ("pi_of_another_shop", None):
        refund = {"id": f"re_{request_id()}", "status": "succeeded", "amount": 5, "currency": "usd"}
        event = {"id": f"evt_{request_id()}", "type": "refund.created"}
        assert await world.payments.send(event | {"data": {"object": refund | {"payment_intent": intent}}})
        row = await world.superuser.fetchrow(
            "SELECT outcome, provider_payment_id FROM billing.provider_events WHERE event_id = $1", event["id"]
        )
        assert row is not None
        assert tuple(row) == ("unknown", intent)


@pytest.mark.parametrize("wrong", [{"amount": 99.5}, {"amount": "299"}, {"amount": True}, {"currency": "eur"}])
async def test_a_refund_of_no_amount_of_ours_reverses_nothing_and_is_seen(
    world: World, wallet: Wallet, wrong: dict[str, object]
) -> None:
    payment_id = await wallet.recover()
    refund = {"id": f"re_{request_id()}", "status": "succeeded", "amount": 299, "currency": "usd"} | wrong
    event = {"id": f"evt_{request_id()}", "type": "refund.created"}
    refund["payment_intent"] = await wallet.charge_of(payment_id)
    assert await world.payments.send(event | {"data": {"object": refund}})
    outcome = await world.superuser.fetchval(
        "SELECT outcome FROM billing.provider_events WHERE event_id = $1", event["id"]
    )
    assert (outcome, await shown(wallet, payment_id)) == ("mismatch", (0, 0))


@pytest.mark.rule("BI-07")
async def test_a_refund_waits_while_the_provider_cannot_be_asked_about_its_payment(
    world: World, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise ProviderUnavailable

    made = await wallet.create(wallet.order())
    with monkeypatch.context() as broken:
        broken.setattr(world.payments, "paused", True)
        assert await wallet.confirm(made.confirmation) == 200
        world.payments.reversals.refund(made.confirmation.provider_payment_id)
        refund = world.payments.store.undelivered[-2]
        broken.setattr(type(world.apps["billing"].runtime.resources.provider), "find", away)
        assert not await world.payments.send(refund)
    await world.drain()
    assert await shown(wallet, made.payment.payment_id) == (PRICE, 0)
