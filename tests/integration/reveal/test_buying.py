"""A payment for a reveal gives it or becomes credits, exactly once, whatever happens meanwhile."""

from __future__ import annotations

import asyncio

import asyncpg
import grpc
import pytest
from unora.billing.v1.billing_service_pb2 import PAYMENT_PURPOSE_NUDGE
from unora.reveal.v1.events_pb2 import PurchaseRejected, RevealEarned, RevealPurchased, RevealUnlocked
from unora.reveal.v1.reveal_service_pb2 import REVEAL_STATUS_UNLOCKED
from unora_reveal.store import purchases
from unora_reveal.store import reveals as store
from unora_testing.world import Caller, World

from tests.integration.reveal.couple import Couple, couple, tier_changed
from tests.roles import role_of, waits_for_a_lock
from tests.support import refusal, request_id


@pytest.fixture
async def two(world: World) -> Couple:
    return await couple(world)


async def told(two: Couple, member: Caller, number: int) -> tuple[list[str], list[str]]:
    """Payments for a reveal that were given, and those that were rejected, by what was told."""
    reveal = (await two.row(member, number))["id"]
    given = await two.world.events(RevealPurchased, reveal)
    rejected = await two.world.events(PurchaseRejected, reveal)
    for event in (*given, *rejected):
        assert (event.streak_id, event.user_id, event.reveal_number) == (str(two.streak_id), member.id, number)
    return [event.payment_id for event in given], [event.payment_id for event in rejected]


@pytest.mark.rule("RE-05", "RE-11")
async def test_what_was_paid_for_is_given_and_opens(two: Couple) -> None:
    payment = two.paid(two.a, 3)
    await two.world.publish(payment)
    assert await two.statuses(two.a) == ["LOCKED", "LOCKED", "PURCHASED", "LOCKED", "LOCKED"]
    assert await told(two, two.a, 3) == ([payment.payment_id], [])
    assert (await two.open(two.a, 3)).reveal.status == REVEAL_STATUS_UNLOCKED
    (event,) = await two.world.events(RevealUnlocked, (await two.row(two.a, 3))["id"])
    assert event.version == 2
    await two.world.publish(two.paid(two.a, 4))
    assert await two.statuses(two.a) == ["LOCKED", "LOCKED", "UNLOCKED", "PURCHASED", "LOCKED"]


@pytest.mark.rule("RE-03")
async def test_what_one_buys_changes_nothing_for_the_other(two: Couple) -> None:
    before = [await two.row(two.b, number) for number in range(1, 6)]
    await two.hear(two.paid(two.a, 3))
    await two.open(two.a, 3)
    assert [await two.row(two.b, number) for number in range(1, 6)] == before
    assert await two.statuses(two.b) == ["LOCKED"] * 5


@pytest.mark.rule("RE-05", "XX-02")
async def test_a_payment_that_is_told_again_gives_once(two: Couple) -> None:
    """Under another event's id, so that it is not the inbox that keeps it out."""
    given, late = two.paid(two.a, 3), two.paid(two.a, 3)
    again = two.paid(two.a, 3, given.payment_id)
    await asyncio.gather(*(two.hear(given) for _ in range(8)))
    await two.hear(late, again, late)
    assert await told(two, two.a, 3) == ([given.payment_id], [late.payment_id])


@pytest.mark.rule("RE-05", "BI-11")
async def test_of_two_purchases_at_once_one_becomes_credits(two: Couple) -> None:
    payments = [two.paid(two.a, 3) for _ in range(6)]
    await asyncio.gather(*(two.hear(payment) for payment in payments))
    given, rejected = await told(two, two.a, 3)
    assert len(given) == 1
    assert sorted(given + rejected) == sorted(payment.payment_id for payment in payments)


@pytest.mark.rule("RE-05", "BI-11")
async def test_the_next_one_is_not_given_before_the_lower(two: Couple) -> None:
    third, fourth = two.paid(two.a, 3), two.paid(two.a, 4)
    await two.hear(fourth, third)
    assert await told(two, two.a, 4) == ([], [fourth.payment_id])
    assert await told(two, two.a, 3) == ([third.payment_id], [])


@pytest.mark.rule("BI-11")
@pytest.mark.parametrize("tier", ["plus", "pro"])
async def test_what_was_earned_meanwhile_becomes_credits(two: Couple, tier: str) -> None:
    payment = two.paid(two.a, 3)
    await two.hear(two.day(12), tier_changed(two.a, tier, 1), payment)
    assert (await two.statuses(two.a))[2] == "EARNED"
    assert await told(two, two.a, 3) == ([], [payment.payment_id])


@pytest.mark.rule("BI-11")
async def test_what_the_tier_sells_no_more_becomes_credits(two: Couple) -> None:
    payment = two.paid(two.a, 3)
    await two.hear(tier_changed(two.a, "plus", 1), payment)
    assert (await two.statuses(two.a))[2] == "LOCKED"
    assert await told(two, two.a, 3) == ([], [payment.payment_id])
    await two.hear(two.day(12))
    assert (await two.statuses(two.a))[2] == "EARNED"
    (event,) = await two.world.events(RevealEarned, (await two.row(two.a, 3))["id"])
    assert event.version == 2, "the rejection took the version before"


@pytest.mark.rule("RE-04", "RE-05")
async def test_what_is_paid_for_when_day_15_is_done_is_given_beside_the_identity(two: Couple) -> None:
    payment = two.paid(two.a, 3)
    await two.hear(two.day(15), two.completed(), payment)
    assert await two.statuses(two.a) == ["EARNED", "EARNED", "PURCHASED", "LOCKED", "EARNED"]
    assert await two.statuses(two.b) == ["EARNED", "EARNED", "LOCKED", "LOCKED", "EARNED"]


@pytest.mark.rule("BI-11", "RE-10")
async def test_a_payment_after_the_end_becomes_credits(world: World) -> None:
    """Whether reveal has heard of the end, or only matching knows."""
    for ending in (Couple.end_in_matching, lambda two: two.hear(two.ended())):
        two = await couple(world)
        await ending(two)
        payment = two.paid(two.a, 3)
        await world.publish(payment)
        assert (await two.statuses(two.a))[2] == "LOCKED"
        assert await told(two, two.a, 3) == ([], [payment.payment_id])


@pytest.mark.rule("BI-11", "RE-10")
async def test_an_end_between_matchings_word_and_the_lock_is_seen(world: World, two: Couple) -> None:
    payment = two.paid(two.a, 3)
    async with role_of(world, "reveal") as ending:
        held = ending.transaction()
        await held.start()
        await ending.execute(store.END, two.connection_id, two.a.user, two.b.user, await world.now())
        giving = asyncio.ensure_future(two.hear(payment))
        await waits_for_a_lock(world, "reveal", giving)
        await held.commit()
        await giving
    assert await told(two, two.a, 3) == ([], [payment.payment_id])


@pytest.mark.rule("RE-05", "RE-08", "BI-11")
@pytest.mark.parametrize("attempt", range(4))
async def test_a_purchase_the_day_and_the_tier_race_and_one_wins(two: Couple, attempt: int) -> None:
    """Each reveal is had once, and each payment has one answer that fits."""
    payments = [two.paid(two.a, number) for number in (3, 3, 4)]
    news = [*payments, two.day(12), tier_changed(two.a, "plus", 1), two.completed(), *payments]
    await asyncio.gather(*(two.hear(event) for event in news[attempt:] + news[:attempt]))
    answers = [await told(two, two.a, number) for number in (3, 4)]
    decided = [payment for given, rejected in answers for payment in given + rejected]
    assert sorted(decided) == sorted(payment.payment_id for payment in payments)
    for number, (given, _) in zip((3, 4), answers, strict=True):
        status = (await two.row(two.a, number))["reveal_status"]
        assert (status == "purchased") == bool(given)
        assert len(given) <= 1
    assert (await two.row(two.a, 3))["reveal_status"] in ("purchased", "earned")


@pytest.mark.rule("XX-02", "BI-11")
async def test_a_purchase_that_breaks_half_way_leaves_nothing_and_is_given_later(
    two: Couple, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = two.paid(two.a, 3)
    before = await two.row(two.a, 3)
    with monkeypatch.context() as patch:
        patch.setattr(purchases, "GIVE", "SELECT 1 / 0, $1::uuid, $2::int")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await two.hear(payment)
    assert await two.row(two.a, 3) == before
    assert await told(two, two.a, 3) == ([], [])
    await two.hear(payment)
    assert await told(two, two.a, 3) == ([payment.payment_id], [])


@pytest.mark.rule("BI-11")
async def test_a_payment_waits_while_matching_does_not_answer(two: Couple, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> object:
        raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())

    payment = two.paid(two.a, 3)
    with monkeypatch.context() as patch:
        patch.setattr("unora_reveal.clients.Pairs.active", away)
        with pytest.raises(grpc.aio.AioRpcError):
            await two.hear(payment)
    assert await told(two, two.a, 3) == ([], [])
    await two.hear(payment)
    assert await told(two, two.a, 3) == ([payment.payment_id], [])


@pytest.mark.rule("RE-05")
async def test_payments_for_other_things_are_not_reveals(two: Couple) -> None:
    payment = two.paid(two.a, 0, request_id())
    payment.purpose = PAYMENT_PURPOSE_NUDGE
    await two.hear(payment)
    assert await two.statuses(two.a) == ["LOCKED"] * 5


@pytest.mark.rule("RE-10")
async def test_what_was_bought_closes_with_the_connection(two: Couple) -> None:
    await two.hear(two.paid(two.a, 3), two.ended())
    assert (await refusal(two.open(two.a, 3))).reason == "CONNECTION_ENDED"
