"""Reveals that are bought while days, tiers, the other member and further payments change."""

from __future__ import annotations

import asyncio
from datetime import datetime

import grpc
import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.reveal.v1.events_pb2 import PurchaseRejected, RevealPurchased
from unora_common.messages import from_timestamp
from unora_testing.world import World

from tests.integration.money.paying_couple import HOUR, REVEAL, PayingCouple, make_couple, make_member_with_credits
from tests.support import read_refusal, refusal

BY_TIER = {"PLUS": 12, "PRO": 9}
"""The day that reveal 3 needs."""


async def confirm_reveal(couple: PayingCouple, number: int) -> str:
    """b has paid for a reveal, and the webhook has not come yet. Returns the payment."""
    made = await couple.payer.create(couple.payer.order("REVEAL", reveal_number=number))
    assert made.payment.amount == REVEAL
    assert await couple.payer.confirm(made.confirmation) == 200
    return made.payment.payment_id


async def answers_of_reveal(world: World, *payments: str) -> list[str]:
    """The names of the events with which reveal answered these payments."""
    emitted = [*await world.events(RevealPurchased), *await world.events(PurchaseRejected)]
    return sorted(type(each).__name__ for each in emitted if each.payment_id in payments)


@pytest.mark.rule("RE-05", "RE-03", "RE-09")
async def test_a_bought_reveal_opens_and_changes_nothing_for_the_other(world: World, couple: PayingCouple) -> None:
    before = await couple.reveals.list_reveals(couple.a)
    payment_id = await confirm_reveal(couple, 3)
    await world.drain()
    assert await couple.payer.status(payment_id) == "APPLIED"
    assert await couple.reveals.statuses(couple.b) == ["LOCKED", "LOCKED", "PURCHASED", "LOCKED", "LOCKED"]
    opened = await couple.reveals.open(couple.b, 3)
    assert opened.reveal.framed.text
    assert await couple.reveals.list_reveals(couple.a) == before


@pytest.mark.rule("RE-05", "RE-04")
async def test_what_the_shop_refuses_costs_nothing(world: World, couple: PayingCouple) -> None:
    for number, reason in ((1, "REVEAL_NOT_FOR_SALE"), (2, "REVEAL_NOT_FOR_SALE"), (4, "LOWER_REVEAL_FIRST")):
        found = await refusal(couple.payer.create(couple.payer.order("REVEAL", reveal_number=number)))
        assert (found.code, found.reason) == ("FAILED_PRECONDITION", reason)
        assert "day" not in str(found)
    assert (
        await refusal(couple.payer.create(couple.payer.order("REVEAL", reveal_number=5)))
    ).code == "INVALID_ARGUMENT"
    intents = [each["metadata"].get("payment_id") for each in world.payments.store.intents]
    mine = await couple.payer.billing.ListPayments(api.ListPaymentsRequest(), metadata=couple.b.metadata)
    assert [each.failure for each in mine.payments] == [api.PAYMENT_FAILURE_NOT_AUTHORIZED] * 3
    assert not {each.payment_id for each in mine.payments} & set(intents)


@pytest.mark.rule("RE-05", "BI-11")
async def test_of_two_payments_for_one_reveal_one_becomes_credits(world: World, couple: PayingCouple) -> None:
    payments = [await confirm_reveal(couple, 3), await confirm_reveal(couple, 3)]
    await world.drain()
    assert sorted([await couple.payer.status(each) for each in payments]) == ["APPLIED", "CREDITED"]
    assert await answers_of_reveal(world, *payments) == ["PurchaseRejected", "RevealPurchased"]
    assert await couple.payer.credits() == REVEAL


@pytest.mark.rule("BI-03", "RE-05")
async def test_credits_for_one_reveal_are_spent_by_one_of_many_calls(world: World) -> None:
    couple = await make_couple(world, b=await make_member_with_credits(world))

    async def bought() -> str:
        try:
            await couple.payer.create(couple.payer.order("REVEAL", "CREDITS", reveal_number=3))
        except grpc.aio.AioRpcError as error:
            found = read_refusal(error)
            assert (found.reason, found.metadata) == ("CREDITS_INSUFFICIENT", {"balance": "100", "amount": "199"})
            return found.reason
        return "OK"

    results = await asyncio.gather(*(bought() for _ in range(6)))
    assert sorted(results) == ["CREDITS_INSUFFICIENT"] * 5 + ["OK"]
    await world.drain()
    assert await couple.payer.credits() == 100
    assert (await couple.reveals.statuses(couple.b))[2] == "PURCHASED"


@pytest.mark.rule("RE-05", "RE-08", "BI-11")
async def test_a_reveal_that_is_bought_while_a_higher_tier_earns_it_is_paid_once(
    world: World, couple: PayingCouple
) -> None:
    """After nine days, reveal receives the payment and the tier that earns reveal 3 at the same moment."""
    await couple.complete_days(BY_TIER["PRO"])
    payment_id = await confirm_reveal(couple, 3)
    request = api.SubscribeRequest(request_id=payment_id, tier="TIER_PRO")  # type: ignore[arg-type]
    made = await couple.payer.billing.Subscribe(request, metadata=couple.b.metadata)
    assert await couple.payer.confirm(made.confirmation) == 200
    await world.payments.deliver()
    await world.relay("billing")
    await asyncio.gather(*(consumer.step() for consumer in world.apps["reveal"].consumers))
    await world.drain()
    status, balance = await couple.payer.status(payment_id), await couple.payer.credits()
    third = (await couple.reveals.statuses(couple.b))[2]
    assert (third, status, balance) in {("PURCHASED", "APPLIED", 0), ("EARNED", "CREDITED", REVEAL)}
    assert len(await answers_of_reveal(world, payment_id)) == 1
    assert (await couple.reveals.statuses(couple.b))[:2] == ["EARNED", "EARNED"]
    assert (await couple.reveals.statuses(couple.a))[:3] == ["EARNED", "LOCKED", "LOCKED"]


@pytest.mark.rule("RE-05", "RE-08", "BI-11")
async def test_a_reveal_is_no_longer_sold_if_the_tier_rises_before_the_webhook_comes(
    world: World, couple: PayingCouple
) -> None:
    payment_id = await confirm_reveal(couple, 3)
    await world.payments.deliver()  # paid, but reveal has not received the event
    request = api.SubscribeRequest(request_id=payment_id, tier="TIER_PLUS")  # type: ignore[arg-type]
    made = await couple.payer.billing.Subscribe(request, metadata=couple.b.metadata)
    assert await couple.payer.confirm(made.confirmation) == 200
    await world.payments.deliver()
    await world.relay("billing")
    for consumer in world.apps["reveal"].consumers:
        if consumer.consumes.subject.endswith("tier_changed"):
            assert await consumer.step()
    await world.drain()
    assert (await couple.payer.status(payment_id), await couple.payer.credits()) == ("CREDITED", REVEAL)
    assert await couple.reveals.statuses(couple.b) == ["LOCKED"] * 5


@pytest.mark.rule("RE-05", "RE-08", "BI-11")
async def test_a_lower_reveal_comes_first_if_the_tier_falls_before_the_webhook_comes(
    world: World, couple: PayingCouple
) -> None:
    await couple.payer.subscribe("PLUS")
    request = api.CancelSubscriptionRequest(request_id=couple.streak_id)
    await couple.payer.billing.CancelSubscription(request, metadata=couple.b.metadata)
    end: datetime = from_timestamp((await couple.payer.subscription()).subscription.current_period_ends_at)
    await world.move_clock(end - HOUR)
    made = await couple.payer.create(couple.payer.order("REVEAL", reveal_number=4))
    await world.move_clock(end)
    assert await couple.payer.confirm(made.confirmation) == 200
    await world.drain()
    assert (await couple.payer.status(made.payment.payment_id), await couple.payer.credits()) == ("CREDITED", REVEAL)
    assert [each.for_sale for each in await couple.reveals.list_reveals(couple.b)] == [False, False, True, False, False]


@pytest.mark.rule("RE-10", "BI-11")
@pytest.mark.parametrize("leaving", [PayingCouple.end_connection, PayingCouple.block], ids=lambda each: each.__name__)
async def test_a_reveal_bought_while_the_other_leaves_becomes_credits(
    world: World, couple: PayingCouple, leaving: object
) -> None:
    payment_id = await confirm_reveal(couple, 3)
    world.payments.paused = True
    try:
        await leaving(couple, couple.a)  # type: ignore[operator]
    finally:
        world.payments.paused = False
    await world.drain()
    assert (await couple.payer.status(payment_id), await couple.payer.credits()) == ("CREDITED", REVEAL)
    found = await refusal(couple.payer.create(couple.payer.order("REVEAL", reveal_number=3)))
    assert (found.reason, found.metadata) == ("CONNECTION_ENDED", {})
