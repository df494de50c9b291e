"""Reveals that are bought, while days, tiers, the other member and further payments move."""

from __future__ import annotations

import asyncio
from datetime import datetime

import grpc
import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.reveal.v1.events_pb2 import PurchaseRejected, RevealPurchased
from unora_testing.world import World

from tests.integration.money.home import HOUR, REVEAL, Home, at, met, with_credits
from tests.support import read_refusal, refusal

BY_TIER = {"PLUS": 12, "PRO": 9}
"""The day that reveal 3 needs."""


async def confirmed(home: Home, number: int) -> str:
    """b has paid for a reveal, and nobody has heard of it yet; the payment."""
    made = await home.payer.create(home.payer.ask("REVEAL", reveal_number=number))
    assert made.payment.amount == REVEAL
    assert await home.payer.confirm(made.confirmation) == 200
    return made.payment.payment_id


async def verdicts(world: World, *payments: str) -> list[str]:
    """What reveal said of these payments."""
    told = [*await world.events(RevealPurchased), *await world.events(PurchaseRejected)]
    return sorted(type(each).__name__ for each in told if each.payment_id in payments)


@pytest.mark.rule("RE-05", "RE-03", "RE-09")
async def test_a_bought_reveal_opens_and_changes_nothing_for_the_other(world: World, home: Home) -> None:
    before = await home.pages.list_reveals(home.a)
    payment_id = await confirmed(home, 3)
    await world.drain()
    assert await home.payer.status(payment_id) == "APPLIED"
    assert await home.pages.statuses(home.b) == ["LOCKED", "LOCKED", "PURCHASED", "LOCKED", "LOCKED"]
    opened = await home.pages.open(home.b, 3)
    assert opened.reveal.framed.text
    assert await home.pages.list_reveals(home.a) == before


@pytest.mark.rule("RE-05", "RE-04")
async def test_what_the_shop_refuses_costs_nothing(world: World, home: Home) -> None:
    for number, reason in ((1, "REVEAL_NOT_FOR_SALE"), (2, "REVEAL_NOT_FOR_SALE"), (4, "LOWER_REVEAL_FIRST")):
        found = await refusal(home.payer.create(home.payer.ask("REVEAL", reveal_number=number)))
        assert (found.code, found.reason) == ("FAILED_PRECONDITION", reason)
        assert "day" not in str(found)
    assert (await refusal(home.payer.create(home.payer.ask("REVEAL", reveal_number=5)))).code == "INVALID_ARGUMENT"
    intents = [each["metadata"].get("payment_id") for each in world.payments.store.intents]
    mine = await home.payer.billing.ListPayments(api.ListPaymentsRequest(), metadata=home.b.metadata)
    assert [each.failure for each in mine.payments] == [api.PAYMENT_FAILURE_NOT_AUTHORIZED] * 3
    assert not {each.payment_id for each in mine.payments} & set(intents)


@pytest.mark.rule("RE-05", "BI-11")
async def test_two_payments_for_one_reveal_give_it_once(world: World, home: Home) -> None:
    payments = [await confirmed(home, 3), await confirmed(home, 3)]
    await world.drain()
    assert sorted([await home.payer.status(each) for each in payments]) == ["APPLIED", "CREDITED"]
    assert await verdicts(world, *payments) == ["PurchaseRejected", "RevealPurchased"]
    assert await home.payer.credits() == REVEAL


@pytest.mark.rule("BI-03", "RE-05")
async def test_credits_for_one_reveal_are_spent_by_one_of_many_calls(world: World) -> None:
    home = await met(world, b=await with_credits(world))

    async def bought() -> str:
        try:
            await home.payer.create(home.payer.ask("REVEAL", "CREDITS", reveal_number=3))
        except grpc.aio.AioRpcError as error:
            found = read_refusal(error)
            assert (found.reason, found.metadata) == ("CREDITS_INSUFFICIENT", {"balance": "100", "amount": "199"})
            return found.reason
        return "OK"

    results = await asyncio.gather(*(bought() for _ in range(6)))
    assert sorted(results) == ["CREDITS_INSUFFICIENT"] * 5 + ["OK"]
    await world.drain()
    assert await home.payer.credits() == 100
    assert (await home.pages.statuses(home.b))[2] == "PURCHASED"


@pytest.mark.rule("RE-05", "RE-08", "BI-11")
async def test_bought_while_days_and_a_higher_tier_earn_it(world: World, home: Home) -> None:
    """Nine days are kept; the payment and the tier by which they earn reveal 3 are heard in the same moment."""
    await home.reach(BY_TIER["PRO"])
    payment_id = await confirmed(home, 3)
    request = api.SubscribeRequest(request_id=payment_id, tier="TIER_PRO")  # type: ignore[arg-type]
    made = await home.payer.billing.Subscribe(request, metadata=home.b.metadata)
    assert await home.payer.confirm(made.confirmation) == 200
    await world.payments.deliver()
    await world.apps["billing"].relay.step()
    await asyncio.gather(*(consumer.step() for consumer in world.apps["reveal"].consumers))
    await world.drain()
    status, balance = await home.payer.status(payment_id), await home.payer.credits()
    third = (await home.pages.statuses(home.b))[2]
    assert (third, status, balance) in {("PURCHASED", "APPLIED", 0), ("EARNED", "CREDITED", REVEAL)}
    assert len(await verdicts(world, payment_id)) == 1
    assert (await home.pages.statuses(home.b))[:2] == ["EARNED", "EARNED"]
    assert (await home.pages.statuses(home.a))[:3] == ["EARNED", "LOCKED", "LOCKED"]


@pytest.mark.rule("RE-05", "RE-08", "BI-11")
async def test_a_tier_that_rises_before_the_money_comes_sells_it_no_more(world: World, home: Home) -> None:
    payment_id = await confirmed(home, 3)
    await world.payments.deliver()  # paid, but not yet heard of
    request = api.SubscribeRequest(request_id=payment_id, tier="TIER_PLUS")  # type: ignore[arg-type]
    made = await home.payer.billing.Subscribe(request, metadata=home.b.metadata)
    assert await home.payer.confirm(made.confirmation) == 200
    await world.payments.deliver()
    await world.apps["billing"].relay.step()
    for consumer in world.apps["reveal"].consumers:
        if consumer.consumes.subject.endswith("tier_changed"):
            assert await consumer.step()
    await world.drain()
    assert (await home.payer.status(payment_id), await home.payer.credits()) == ("CREDITED", REVEAL)
    assert await home.pages.statuses(home.b) == ["LOCKED"] * 5


@pytest.mark.rule("RE-05", "RE-08", "BI-11")
async def test_a_tier_that_falls_before_the_money_comes_sells_a_lower_one_first(world: World, home: Home) -> None:
    await home.payer.subscribe("PLUS")
    request = api.CancelSubscriptionRequest(request_id=home.streak_id)
    await home.payer.billing.CancelSubscription(request, metadata=home.b.metadata)
    end: datetime = at((await home.payer.subscription()).subscription.current_period_ends_at)
    await world.move_clock(end - HOUR)
    made = await home.payer.create(home.payer.ask("REVEAL", reveal_number=4))
    await world.move_clock(end)
    assert await home.payer.confirm(made.confirmation) == 200
    await world.drain()
    assert (await home.payer.status(made.payment.payment_id), await home.payer.credits()) == ("CREDITED", REVEAL)
    assert [each.for_sale for each in await home.pages.list_reveals(home.b)] == [False, False, True, False, False]


@pytest.mark.rule("RE-10", "BI-11")
@pytest.mark.parametrize("leaving", [Home.ended, Home.blocked], ids=lambda each: each.__name__)
async def test_bought_while_the_other_leaves_becomes_credits(world: World, home: Home, leaving: object) -> None:
    payment_id = await confirmed(home, 3)
    world.payments.paused = True
    try:
        await leaving(home, home.a)  # type: ignore[operator]
    finally:
        world.payments.paused = False
    await world.drain()
    assert (await home.payer.status(payment_id), await home.payer.credits()) == ("CREDITED", REVEAL)
    found = await refusal(home.payer.create(home.payer.ask("REVEAL", reveal_number=3)))
    assert (found.reason, found.metadata) == ("CONNECTION_ENDED", {})
