"""For 24 hours the price of a recovery becomes credits if the partner leaves, in any way (BI-05)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.events_pb2 import PaymentCredited, ProtectionClosed, ProtectionOpened
from unora.matching.v1.events_pb2 import ConnectionEnded
from unora.streak.v1.events_pb2 import RecoveryRejected, StreakRecovered
from unora_common.messages import from_timestamp
from unora_testing.world import World

from tests.integration.money.paying_couple import DAY, MINUTE, RECOVERY, PayingCouple
from tests.integration.safety.moderators import Moderators

Leaving = Callable[[PayingCouple], Awaitable[None]]

LEAVINGS: dict[str, Leaving] = {
    "ends it": lambda couple: couple.end_connection(couple.a),
    "blocks": lambda couple: couple.block(couple.a),
    "is suspended": lambda couple: couple.suspend(couple.a),
}


async def recover(couple: PayingCouple) -> str:
    """b has missed a day and paid for it. Returns the payment."""
    await couple.miss()
    payment_id = await couple.payer.pay()
    assert await couple.payer.status(payment_id) == "APPLIED"
    return payment_id


async def opened_protection(couple: PayingCouple, payment_id: str) -> ProtectionOpened:
    (found,) = [each for each in await couple.world.events(ProtectionOpened) if each.payment_id == payment_id]
    assert isinstance(found, ProtectionOpened)
    return found


@pytest.mark.rule("BI-05")
@pytest.mark.parametrize("leaving", LEAVINGS.values(), ids=LEAVINGS)
async def test_the_price_becomes_credits_if_the_partner_leaves_within_a_day(
    world: World, couple: PayingCouple, leaving: Leaving
) -> None:
    payment_id = await recover(couple)
    await leaving(couple)
    (ended,) = await world.events(ConnectionEnded, couple.pair.connection_id)
    assert ended.ended_by_id == couple.a.id
    assert await couple.payer.credits() == RECOVERY
    assert await couple.payer.status(payment_id) == "CREDITED"
    assert len(await world.events(PaymentCredited, payment_id)) == 1
    await world.move_clock(2 * DAY)
    assert await couple.payer.credits() == RECOVERY


@pytest.mark.rule("BI-05")
async def test_the_last_minute_counts(world: World, couple: PayingCouple) -> None:
    payment_id = await recover(couple)
    expires_at = from_timestamp((await opened_protection(couple, payment_id)).expires_at)
    await couple.jump(expires_at - MINUTE)
    await couple.end_connection(couple.a)
    assert await couple.payer.credits() == RECOVERY


@pytest.mark.rule("BI-05", "MA-09")
@pytest.mark.parametrize(
    "leaving", [PayingCouple.block_in_safety_only, PayingCouple.suspend_in_safety_only], ids=["blocks", "is suspended"]
)
async def test_what_the_partner_did_in_time_counts_however_late_matching_learns_of_it(
    world: World, couple: PayingCouple, leaving: Callable[..., Awaitable[None]]
) -> None:
    """The connection ends when matching ends it, as both members see. The moment at which the partner acted decides."""
    payment_id = await recover(couple)
    expires_at = from_timestamp((await opened_protection(couple, payment_id)).expires_at)
    await couple.jump(expires_at - MINUTE)
    await leaving(couple, couple.a)
    await couple.jump(expires_at + MINUTE)
    await world.drain()
    assert (await couple.payer.credits(), await couple.payer.status(payment_id)) == (RECOVERY, "CREDITED")
    (ended,) = await world.events(ConnectionEnded, couple.pair.connection_id)
    assert from_timestamp(ended.occurred_at) > expires_at
    moderators = Moderators(world)
    wanted: dict[str, Any] = {"event_name": "ProtectionClosed", "member_id": couple.b.id}
    assert await moderators.find_entries(**wanted)
    moderators.admin = world.caller(couple.b.user, roles=["admin"])
    assert await moderators.find_entries(**wanted) == []


@pytest.mark.rule("BI-05")
@pytest.mark.parametrize("leaving", LEAVINGS.values(), ids=LEAVINGS)
async def test_after_a_day_the_price_stays_paid(world: World, couple: PayingCouple, leaving: Leaving) -> None:
    payment_id = await recover(couple)
    protection = await opened_protection(couple, payment_id)
    await couple.jump(from_timestamp(protection.expires_at))
    await leaving(couple)
    assert await couple.payer.credits() == 0
    assert await couple.payer.status(payment_id) == "APPLIED"
    (closed,) = await world.events(ProtectionClosed, protection.protection_id)
    assert not closed.converted


@pytest.mark.rule("BI-05")
@pytest.mark.parametrize(
    "leaving", [PayingCouple.end_connection, PayingCouple.block, PayingCouple.suspend], ids=lambda each: each.__name__
)
async def test_the_payers_own_leaving_does_not_count(
    world: World, couple: PayingCouple, leaving: Callable[..., Awaitable[None]]
) -> None:
    payment_id = await recover(couple)
    await leaving(couple, couple.b)
    (ended,) = await world.events(ConnectionEnded, couple.pair.connection_id)
    assert ended.ended_by_id == couple.b.id
    balance = await world.superuser.fetchval("SELECT balance FROM billing.accounts WHERE user_id = $1", couple.b.user)
    status = await world.superuser.fetchval("SELECT status FROM billing.payments WHERE id = $1", payment_id)
    assert (balance, status) == (0, "applied")


@pytest.mark.rule("BI-05")
async def test_if_both_leave_at_the_same_moment_the_first_decides(world: World, couple: PayingCouple) -> None:
    await recover(couple)
    await asyncio.gather(couple.end_connection(couple.a), couple.end_connection(couple.b), return_exceptions=True)
    await world.drain()
    (ended,) = await world.events(ConnectionEnded, couple.pair.connection_id)
    assert await couple.payer.credits() == (RECOVERY if ended.ended_by_id == couple.a.id else 0)


@pytest.mark.rule("BI-05", "XX-02")
async def test_the_ending_reaches_billing_before_the_recovery_that_came_first(
    world: World, couple: PayingCouple
) -> None:
    await couple.miss()
    made = await couple.payer.create(couple.payer.order())
    assert await couple.payer.confirm(made.confirmation) == 200
    billing, streak = world.apps["billing"], world.apps["streak"]
    await world.payments.deliver()
    await world.relay("billing")
    for consumer in streak.consumers:
        if consumer.consumes.stream == "billing":
            await consumer.step()
    assert len(await couple.events(StreakRecovered)) == 1  # only in the outbox of streak
    await couple.end_in_matching_only()
    await world.relay("matching")
    for consumer in billing.consumers:
        if consumer.consumes.stream == "matching":
            assert await consumer.step()
    assert await couple.payer.status(made.payment.payment_id) == "SUCCEEDED"
    await world.drain()
    assert await couple.payer.status(made.payment.payment_id) == "CREDITED"
    assert await couple.payer.credits() == RECOVERY


@pytest.mark.rule("BI-05", "BI-11", "ST-17")
async def test_a_payment_on_its_way_becomes_credits_once_if_the_partner_ends_the_connection(
    world: World, couple: PayingCouple
) -> None:
    """The recovery can no longer be delivered, which gives credits once; the ending gives none in addition."""
    await couple.miss()
    made = await couple.payer.create(couple.payer.order())
    assert await couple.payer.confirm(made.confirmation) == 200
    await couple.end_in_matching_only()
    await world.relay("matching")
    for consumer in world.apps["streak"].consumers:
        if consumer.consumes.stream == "matching":
            await consumer.step()
    await world.drain()
    assert len(await couple.events(RecoveryRejected)) == 1
    assert await couple.payer.credits() == RECOVERY
    (credited,) = await world.events(PaymentCredited, made.payment.payment_id)
    assert credited.kind == api.CREDIT_ENTRY_KIND_COMPENSATION
    answer = await couple.payer.billing.ListCreditEntries(api.ListCreditEntriesRequest(), metadata=couple.b.metadata)
    assert [entry.amount for entry in answer.entries] == [RECOVERY]


@pytest.mark.rule("BI-05")
async def test_each_of_two_recoveries_of_a_day_is_protected(world: World, couple: PayingCouple) -> None:
    """b pays for one day; a misses the next and pays too; b leaves: a's price becomes credits, b's does not."""
    await recover(couple)
    await couple.check_in(couple.b)
    await couple.jump(await couple.day_ends_at())
    await world.apps["streak"].jobs[0].step()
    wallet = couple.wallet_of(couple.a)
    paid = await wallet.pay()
    assert await wallet.status(paid) == "APPLIED"
    await couple.end_connection(couple.b)
    assert await wallet.credits() == RECOVERY
    assert await couple.payer.credits() == 0


@pytest.mark.rule("BI-05", "BI-10", "SA-01")
@pytest.mark.parametrize("first", ["the refund", "the partner's leaving"])
async def test_a_recovery_is_given_back_once_by_refund_or_by_credits(
    world: World, couple: PayingCouple, first: str
) -> None:
    """Through all contexts: the partner leaves, and support refunds the recovery too."""
    payment_id = await recover(couple)
    if first == "the refund":
        await couple.payer.refund(payment_id)
    await couple.end_connection(couple.a)
    if first != "the refund":
        assert await couple.payer.credits() == RECOVERY
        await couple.payer.refund(payment_id)
    assert (await couple.payer.status(payment_id), await couple.payer.credits()) == ("CREDITED", 0)
    assert (await couple.payer.payment(payment_id)).refunded_amount == RECOVERY
    wanted: dict[str, Any] = {"event_name": "ReversalRecorded", "member_id": couple.b.id}
    assert len(await Moderators(world).find_entries(**wanted)) == 1
