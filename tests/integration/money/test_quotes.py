"""BI-12: what something costs is known before it is paid; a payment with a quote charges that or nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.common.v1.types_pb2 import TIER_PLUS, TIER_PRO
from unora.identity.v1.events_pb2 import AccountClosed
from unora.streak.v1.events_pb2 import RecoveryHeld
from unora_testing.world import Caller, World

from tests.integration.money.paying_couple import (
    NUDGE,
    PLUS,
    PRO,
    RECOVERY,
    REVEAL,
    PayingCouple,
    make_couple,
    make_member_with_credits,
)
from tests.support import refusal, request_id

MONEY, CREDITS, FREE = api.PAYMENT_METHOD_MONEY, api.PAYMENT_METHOD_CREDITS, api.PAYMENT_METHOD_FREE


async def ask(couple: PayingCouple, purpose: str, viewer: Caller | None = None, **more: Any) -> api.GetQuoteResponse:
    if purpose != "SUBSCRIPTION":
        more.setdefault("streak_id", couple.streak_id)
    request = api.GetQuoteRequest(purpose=f"PAYMENT_PURPOSE_{purpose}", **more)  # type: ignore[arg-type]
    return await couple.payer.billing.GetQuote(request, metadata=(viewer or couple.b).metadata)


def of(answer: api.GetQuoteResponse) -> tuple[int, int] | str:
    """Method and amount, or why it is not for sale."""
    assert answer.HasField("quote") != answer.HasField("not_for_sale")
    assert answer.currency == "USD"
    return answer.not_for_sale.reason or (answer.quote.method, answer.quote.amount)


async def payments_of(couple: PayingCouple) -> int:
    listed = await couple.payer.billing.ListPayments(api.ListPaymentsRequest(), metadata=couple.b.metadata)
    return len(listed.payments)


@pytest.mark.rule("BI-12", "BI-06")
async def test_a_recovery_has_a_quote_for_its_breaker_alone_while_the_window_is_open(couple: PayingCouple) -> None:
    assert of(await ask(couple, "RECOVERY")) == "NOT_IN_PAYMENT_WINDOW"
    await couple.miss()
    answer = await ask(couple, "RECOVERY")
    assert (of(answer), answer.price, answer.free_left) == ((MONEY, RECOVERY), RECOVERY, 0)
    assert of(await ask(couple, "RECOVERY", couple.a)) == "NOT_THE_BREAKER"
    await couple.payer.subscribe("PLUS")
    answer = await ask(couple, "RECOVERY")
    assert (of(answer), answer.price, answer.free_left) == ((FREE, 0), RECOVERY, 1)


@pytest.mark.rule("BI-12", "ST-20")
async def test_quotes_hold_nothing_however_many_are_asked_for(couple: PayingCouple) -> None:
    await couple.miss()
    seen = await couple.seen_by(couple.b)
    assert len({str(each) for each in await asyncio.gather(*(ask(couple, "RECOVERY") for _ in range(10)))}) == 1
    assert await couple.seen_by(couple.b) == seen
    assert (await couple.events(RecoveryHeld), await payments_of(couple)) == ([], 0)
    await couple.payer.create(couple.payer.order())
    assert of(await ask(couple, "RECOVERY")) == "RECOVERY_HELD"


@pytest.mark.rule("BI-12", "RE-02", "RE-05")
async def test_reveals_have_a_quote_that_never_tells_a_day(couple: PayingCouple) -> None:
    answers = {number: await ask(couple, "REVEAL", reveal_number=number) for number in (1, 3, 4)}
    assert {number: of(answer) for number, answer in answers.items()} == {
        1: "REVEAL_NOT_FOR_SALE",
        3: (MONEY, REVEAL),
        4: "LOWER_REVEAL_FIRST",
    }
    assert [dict(answer.not_for_sale.metadata) for answer in answers.values()] == [{}, {}, {"reveal_number": "3"}]
    await couple.end_in_matching_only()
    assert of(await ask(couple, "REVEAL", reveal_number=3)) == "CONNECTION_ENDED"


@pytest.mark.rule("BI-12", "ST-13")
async def test_a_nudge_has_a_quote_once_those_of_the_tier_are_used_up(couple: PayingCouple) -> None:
    assert of(await ask(couple, "NUDGE", couple.a)) == "NOT_AT_RISK"
    await couple.to_at_risk()
    assert of(await ask(couple, "NUDGE", couple.a)) == "NUDGES_LEFT"
    await couple.nudge(couple.a)
    assert of(await ask(couple, "NUDGE", couple.a)) == (MONEY, NUDGE)
    assert of(await ask(couple, "NUDGE", couple.b)) == "NOT_CHECKED_IN"


@pytest.mark.rule("BI-12", "BI-01")
async def test_a_plan_has_a_quote_unless_the_member_has_it_or_a_higher_one(couple: PayingCouple) -> None:
    assert of(await ask(couple, "SUBSCRIPTION", tier=TIER_PLUS)) == (MONEY, PLUS)
    await couple.payer.subscribe("PLUS")
    assert of(await ask(couple, "SUBSCRIPTION", tier=TIER_PLUS)) == "SUBSCRIPTION_EXISTS"
    assert of(await ask(couple, "SUBSCRIPTION", tier=TIER_PRO)) == (MONEY, PRO)
    begun = api.SubscribeRequest(request_id=request_id(), tier=TIER_PRO)
    await couple.payer.billing.Subscribe(begun, metadata=couple.b.metadata)
    assert of(await ask(couple, "SUBSCRIPTION", tier=TIER_PRO)) == "PAYMENT_PENDING"


@pytest.mark.rule("BI-12", "BI-03")
async def test_a_quote_says_how_many_credits_would_be_used(world: World) -> None:
    payer = await make_member_with_credits(world)
    couple = await make_couple(world, b=payer)
    answer = await ask(couple, "REVEAL", reveal_number=3, method=CREDITS)
    assert (of(answer), answer.credits_used) == ((CREDITS, REVEAL), REVEAL)
    answer = await ask(couple, "REVEAL", couple.a, reveal_number=3, method=CREDITS)
    assert (of(answer), answer.credits_used) == ("CREDITS_INSUFFICIENT", 0)
    assert dict(answer.not_for_sale.metadata) == {"balance": "0", "amount": str(REVEAL)}


@pytest.mark.rule("BI-12", "ID-09")
async def test_nothing_is_for_sale_to_a_closed_account(couple: PayingCouple) -> None:
    closed = AccountClosed(user_id=couple.b.id, version=7)
    closed.occurred_at.FromDatetime(await couple.world.now())
    await couple.world.publish(closed)
    asked: list[tuple[str, dict[str, Any]]] = [
        ("RECOVERY", {}),
        ("NUDGE", {}),
        ("REVEAL", {"reveal_number": 3}),
        ("SUBSCRIPTION", {"tier": TIER_PLUS}),
    ]
    answers = [await ask(couple, purpose, **more) for purpose, more in asked]
    assert {of(answer) for answer in answers} == {"ACCOUNT_IS_CLOSED"}
    assert {answer.not_for_sale.sentence for answer in answers} == {"This account is closed."}


@pytest.mark.rule("BI-12")
async def test_what_is_not_for_sale_says_why_as_the_payment_would(couple: PayingCouple) -> None:
    orders: list[tuple[str, Caller, dict[str, Any]]] = [
        ("RECOVERY", couple.b, {}),
        ("NUDGE", couple.a, {}),
        ("REVEAL", couple.b, {"reveal_number": 4}),
        ("REVEAL", couple.b, {"reveal_number": 3, "method": CREDITS}),
    ]
    for purpose, payer, more in orders:
        told = (await ask(couple, purpose, payer, **more)).not_for_sale
        order = couple.payer.order(purpose, **more | ({"method": "CREDITS"} if "method" in more else {}))
        refused = await refusal(couple.payer.billing.CreatePayment(order, metadata=payer.metadata))
        assert (told.reason, told.sentence, dict(told.metadata)) == (
            refused.reason,
            refused.sentence,
            refused.metadata,
        )
        assert told.sentence


@pytest.mark.rule("BI-12", "XX-04")
async def test_a_streak_of_others_has_no_quote_as_one_that_does_not_exist(couple: PayingCouple) -> None:
    await couple.miss()
    for purpose, number in (("RECOVERY", 0), ("NUDGE", 0), ("REVEAL", 3)):
        strangers = await refusal(ask(couple, purpose, couple.world.caller(), reveal_number=number))
        nobodys = await refusal(ask(couple, purpose, streak_id=request_id(), reveal_number=number))
        assert (strangers.code, strangers.reason) == ("NOT_FOUND", "STREAK_NOT_FOUND")
        assert str(strangers) == str(nobodys)


@pytest.mark.rule("BI-12")
@pytest.mark.parametrize("wrong", [{"amount": 1}, {"method": FREE, "amount": 0}, {"currency": "EUR"}])
async def test_a_payment_with_another_quote_than_the_price_is_refused_before_anything_is_recorded(
    couple: PayingCouple, wrong: dict[str, Any]
) -> None:
    given: dict[str, Any] = {"method": MONEY, "amount": REVEAL, "currency": "USD"} | wrong
    order = couple.payer.order("REVEAL", reveal_number=3, quote=api.Quote(**given))
    assert (await refusal(couple.payer.create(order))).reason == "QUOTE_CHANGED"
    assert await payments_of(couple) == 0
    order.request_id = request_id()
    order.quote.CopyFrom((await ask(couple, "REVEAL", reveal_number=3)).quote)
    assert (await couple.payer.create(order)).payment.amount == REVEAL


@pytest.mark.rule("BI-12")
async def test_a_plan_is_begun_with_its_quote_and_with_no_other(couple: PayingCouple) -> None:
    quoted = (await ask(couple, "SUBSCRIPTION", tier=TIER_PLUS)).quote
    for tier, reason in ((TIER_PRO, "QUOTE_CHANGED"), (TIER_PLUS, None)):
        request = api.SubscribeRequest(request_id=request_id(), tier=tier, quote=quoted)
        call = couple.payer.billing.Subscribe(request, metadata=couple.b.metadata)
        if reason:
            assert (await refusal(call)).reason == reason
        else:
            assert (await call).payment.amount == PLUS


@pytest.mark.rule("BI-12", "BI-06", "ST-20")
async def test_a_recovery_that_is_no_longer_free_is_refused_uncharged_and_releases_the_window(
    world: World, couple: PayingCouple
) -> None:
    await couple.payer.subscribe("PLUS")
    await couple.miss()
    quoted = (await ask(couple, "RECOVERY")).quote
    assert quoted.method == FREE
    await couple.payer.create(couple.payer.order(quote=quoted))  # uses the free one
    await world.drain()
    await couple.check_in(couple.a, couple.b)
    await couple.to_next_day()
    await couple.miss()
    request = couple.payer.order(quote=quoted)
    assert (await refusal(couple.payer.create(request))).reason == "QUOTE_CHANGED"
    await world.drain()
    assert not (await couple.seen_by(couple.b)).HasField("recovery_held_until")
    again = (await couple.payer.create(request)).payment  # the same request is the same payment, which failed
    assert (again.status, again.failure) == (api.PAYMENT_STATUS_FAILED, api.PAYMENT_FAILURE_NOT_AUTHORIZED)
    paid = couple.payer.order(quote=(await ask(couple, "RECOVERY")).quote)
    assert (await couple.payer.create(paid)).payment.amount == RECOVERY


@pytest.mark.rule("BI-12", "BI-06")
async def test_a_recovery_that_was_quoted_at_its_price_uses_no_free_one(world: World, couple: PayingCouple) -> None:
    await couple.miss()
    quoted = (await ask(couple, "RECOVERY")).quote
    await couple.payer.subscribe("PLUS")
    assert (await refusal(couple.payer.create(couple.payer.order(quote=quoted)))).reason == "QUOTE_CHANGED"
    await world.drain()
    assert of(await ask(couple, "RECOVERY")) == (FREE, 0)


@pytest.mark.rule("BI-08", "BI-12")
async def test_a_repeat_carries_the_same_quote(couple: PayingCouple) -> None:
    await couple.miss()
    request = couple.payer.order(quote=(await ask(couple, "RECOVERY")).quote)
    first = await couple.payer.create(request)
    assert (await couple.payer.create(request)).payment.payment_id == first.payment.payment_id
    request.ClearField("quote")
    assert (await refusal(couple.payer.create(request))).reason == "REQUEST_ID_REUSED"
