"""A payment for a reveal delivers it or becomes credits, exactly once, whatever happens meanwhile."""

from __future__ import annotations

import asyncio

import asyncpg
import grpc
import pytest
from unora.billing.v1.billing_service_pb2 import PAYMENT_PURPOSE_NUDGE
from unora.reveal.v1.events_pb2 import PurchaseRejected, RevealEarned, RevealPurchased, RevealUnlocked
from unora.reveal.v1.reveal_service_pb2 import REVEAL_STATUS_UNLOCKED
from unora_reveal.store import pairs, purchases
from unora_testing.world import Caller, World

from tests.integration.reveal.reveal_pair import RevealPair, make_reveal_pair, tier_changed
from tests.roles import role_of, waits_for_a_lock
from tests.support import refusal, request_id


@pytest.fixture
async def pair(world: World) -> RevealPair:
    return await make_reveal_pair(world)


async def payment_outcomes(pair: RevealPair, member: Caller, number: int) -> tuple[list[str], list[str]]:
    """The payments for a reveal that were delivered, and those that were rejected, by their events."""
    reveal = (await pair.stored_reveal(member, number))["id"]
    given = await pair.world.events(RevealPurchased, reveal)
    rejected = await pair.world.events(PurchaseRejected, reveal)
    for event in (*given, *rejected):
        assert (event.streak_id, event.user_id, event.reveal_number) == (str(pair.streak_id), member.id, number)
    return [event.payment_id for event in given], [event.payment_id for event in rejected]


@pytest.mark.rule("RE-05", "RE-11")
async def test_a_purchased_reveal_is_delivered_and_opens(pair: RevealPair) -> None:
    payment = pair.payment_succeeded(pair.a, 3)
    await pair.world.publish(payment)
    assert await pair.statuses(pair.a) == ["LOCKED", "LOCKED", "PURCHASED", "LOCKED", "LOCKED"]
    assert await payment_outcomes(pair, pair.a, 3) == ([payment.payment_id], [])
    assert (await pair.open(pair.a, 3)).reveal.status == REVEAL_STATUS_UNLOCKED
    (event,) = await pair.world.events(RevealUnlocked, (await pair.stored_reveal(pair.a, 3))["id"])
    assert event.version == 2
    await pair.world.publish(pair.payment_succeeded(pair.a, 4))
    assert await pair.statuses(pair.a) == ["LOCKED", "LOCKED", "UNLOCKED", "PURCHASED", "LOCKED"]


@pytest.mark.rule("RE-03")
async def test_a_purchase_changes_nothing_for_the_partner(pair: RevealPair) -> None:
    before = [await pair.stored_reveal(pair.b, number) for number in range(1, 6)]
    await pair.apply(pair.payment_succeeded(pair.a, 3))
    await pair.open(pair.a, 3)
    assert [await pair.stored_reveal(pair.b, number) for number in range(1, 6)] == before
    assert await pair.statuses(pair.b) == ["LOCKED"] * 5


@pytest.mark.rule("RE-05", "XX-02")
async def test_a_repeated_payment_delivers_once(pair: RevealPair) -> None:
    """Under another event id, so that the inbox does not recognise the repeat."""
    first, late = pair.payment_succeeded(pair.a, 3), pair.payment_succeeded(pair.a, 3)
    again = pair.payment_succeeded(pair.a, 3, first.payment_id)
    await asyncio.gather(*(pair.apply(first) for _ in range(8)))
    await pair.apply(late, again, late)
    assert await payment_outcomes(pair, pair.a, 3) == ([first.payment_id], [late.payment_id])


@pytest.mark.rule("RE-05", "BI-11")
async def test_of_purchases_at_the_same_time_all_but_one_become_credits(pair: RevealPair) -> None:
    payments = [pair.payment_succeeded(pair.a, 3) for _ in range(6)]
    await asyncio.gather(*(pair.apply(payment) for payment in payments))
    given, rejected = await payment_outcomes(pair, pair.a, 3)
    assert len(given) == 1
    assert sorted(given + rejected) == sorted(payment.payment_id for payment in payments)


@pytest.mark.rule("RE-05", "BI-11")
async def test_a_higher_reveal_is_not_delivered_before_the_lower_one(pair: RevealPair) -> None:
    third, fourth = pair.payment_succeeded(pair.a, 3), pair.payment_succeeded(pair.a, 4)
    await pair.apply(fourth, third)
    assert await payment_outcomes(pair, pair.a, 4) == ([], [fourth.payment_id])
    assert await payment_outcomes(pair, pair.a, 3) == ([third.payment_id], [])


@pytest.mark.rule("BI-11")
@pytest.mark.parametrize("tier", ["plus", "pro"])
async def test_a_payment_for_a_reveal_earned_meanwhile_becomes_credits(pair: RevealPair, tier: str) -> None:
    payment = pair.payment_succeeded(pair.a, 3)
    await pair.apply(pair.day_completed(12), tier_changed(pair.a, tier, 1), payment)
    assert (await pair.statuses(pair.a))[2] == "EARNED"
    assert await payment_outcomes(pair, pair.a, 3) == ([], [payment.payment_id])


@pytest.mark.rule("BI-11")
async def test_a_payment_for_a_reveal_that_the_new_tier_does_not_sell_becomes_credits(pair: RevealPair) -> None:
    payment = pair.payment_succeeded(pair.a, 3)
    await pair.apply(tier_changed(pair.a, "plus", 1), payment)
    assert (await pair.statuses(pair.a))[2] == "LOCKED"
    assert await payment_outcomes(pair, pair.a, 3) == ([], [payment.payment_id])
    await pair.apply(pair.day_completed(12))
    assert (await pair.statuses(pair.a))[2] == "EARNED"
    (event,) = await pair.world.events(RevealEarned, (await pair.stored_reveal(pair.a, 3))["id"])
    assert event.version == 2, "the rejection took the version before"


@pytest.mark.rule("RE-04", "RE-05")
async def test_a_purchase_paid_after_day_15_is_delivered_beside_the_identity(pair: RevealPair) -> None:
    payment = pair.payment_succeeded(pair.a, 3)
    await pair.apply(pair.day_completed(15), pair.streak_completed(), payment)
    assert await pair.statuses(pair.a) == ["EARNED", "EARNED", "PURCHASED", "LOCKED", "EARNED"]
    assert await pair.statuses(pair.b) == ["EARNED", "EARNED", "LOCKED", "LOCKED", "EARNED"]


@pytest.mark.rule("BI-11", "RE-10")
async def test_a_payment_after_the_end_becomes_credits(world: World) -> None:
    """Whether the event of the end has reached reveal, or only matching knows."""
    for ending in (RevealPair.end_in_matching, lambda pair: pair.apply(pair.connection_ended())):
        pair = await make_reveal_pair(world)
        await ending(pair)
        payment = pair.payment_succeeded(pair.a, 3)
        await world.publish(payment)
        assert (await pair.statuses(pair.a))[2] == "LOCKED"
        assert await payment_outcomes(pair, pair.a, 3) == ([], [payment.payment_id])


@pytest.mark.rule("BI-11", "RE-10")
async def test_an_end_between_the_answer_of_matching_and_the_lock_is_seen(world: World, pair: RevealPair) -> None:
    payment = pair.payment_succeeded(pair.a, 3)
    async with role_of(world, "reveal") as ending:
        held = ending.transaction()
        await held.start()
        await ending.execute(pairs.END, [pair.connection_id], [pair.a.user], [pair.b.user], [await world.now()])
        giving = asyncio.ensure_future(pair.apply(payment))
        await waits_for_a_lock(world, "reveal", giving)
        await held.commit()
        await giving
    assert await payment_outcomes(pair, pair.a, 3) == ([], [payment.payment_id])


@pytest.mark.rule("RE-05", "RE-08", "BI-11")
@pytest.mark.parametrize("attempt", range(4))
async def test_of_a_purchase_a_day_and_a_tier_at_the_same_time_one_wins(pair: RevealPair, attempt: int) -> None:
    """Each reveal is obtained once, and each payment has one outcome that fits."""
    payments = [pair.payment_succeeded(pair.a, number) for number in (3, 3, 4)]
    events = [*payments, pair.day_completed(12), tier_changed(pair.a, "plus", 1), pair.streak_completed(), *payments]
    await asyncio.gather(*(pair.apply(event) for event in events[attempt:] + events[:attempt]))
    answers = [await payment_outcomes(pair, pair.a, number) for number in (3, 4)]
    decided = [payment for given, rejected in answers for payment in given + rejected]
    assert sorted(decided) == sorted(payment.payment_id for payment in payments)
    for number, (given, _) in zip((3, 4), answers, strict=True):
        status = (await pair.stored_reveal(pair.a, number))["reveal_status"]
        assert (status == "purchased") == bool(given)
        assert len(given) <= 1
    assert (await pair.stored_reveal(pair.a, 3))["reveal_status"] in ("purchased", "earned")


@pytest.mark.rule("XX-02", "BI-11")
async def test_a_purchase_that_fails_half_way_leaves_nothing_and_is_delivered_later(
    pair: RevealPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = pair.payment_succeeded(pair.a, 3)
    before = await pair.stored_reveal(pair.a, 3)
    with monkeypatch.context() as patch:
        patch.setattr(purchases, "DELIVER", "SELECT 1 / 0, $1::uuid, $2::int")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await pair.apply(payment)
    assert await pair.stored_reveal(pair.a, 3) == before
    assert await payment_outcomes(pair, pair.a, 3) == ([], [])
    await pair.apply(payment)
    assert await payment_outcomes(pair, pair.a, 3) == ([payment.payment_id], [])


@pytest.mark.rule("BI-11")
async def test_a_payment_waits_while_matching_does_not_answer(
    pair: RevealPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unavailable(*_: object) -> object:
        raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())

    payment = pair.payment_succeeded(pair.a, 3)
    with monkeypatch.context() as patch:
        patch.setattr("unora_common.pair_facts._is_active", unavailable)
        with pytest.raises(grpc.aio.AioRpcError):
            await pair.apply(payment)
    assert await payment_outcomes(pair, pair.a, 3) == ([], [])
    await pair.apply(payment)
    assert await payment_outcomes(pair, pair.a, 3) == ([payment.payment_id], [])


@pytest.mark.rule("RE-05")
async def test_a_payment_for_another_purpose_changes_no_reveal(pair: RevealPair) -> None:
    payment = pair.payment_succeeded(pair.a, 0, request_id())
    payment.purpose = PAYMENT_PURPOSE_NUDGE
    await pair.apply(payment)
    assert await pair.statuses(pair.a) == ["LOCKED"] * 5


@pytest.mark.rule("RE-10")
async def test_a_purchased_reveal_closes_with_the_connection(pair: RevealPair) -> None:
    await pair.apply(pair.payment_succeeded(pair.a, 3), pair.connection_ended())
    assert (await refusal(pair.open(pair.a, 3))).reason == "CONNECTION_ENDED"
