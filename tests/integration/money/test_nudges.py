"""Nudges of the tier and bought ones, with the real billing (ST-13)."""

from __future__ import annotations

import asyncio

import pytest
from unora.streak.v1.events_pb2 import NudgeRejected, NudgeSent
from unora_testing.world import World

from tests.integration.money.paying_couple import NUDGE, PayingCouple
from tests.support import refusal


async def confirm_second_nudge(couple: PayingCouple) -> str:
    """a has sent the one nudge of the free tier, and has paid for another, whose webhook has not come. Its payment."""
    await couple.to_at_risk()
    wallet = couple.wallet_of(couple.a)
    assert (await refusal(wallet.create(wallet.order("NUDGE")))).reason == "NUDGES_LEFT"
    await couple.nudge(couple.a)
    assert (await refusal(couple.nudge(couple.a))).reason == "NUDGE_LIMIT_REACHED"
    made = await wallet.create(wallet.order("NUDGE"))
    assert made.payment.amount == NUDGE
    assert await wallet.confirm(made.confirmation) == 200
    return made.payment.payment_id


@pytest.mark.rule("ST-13")
async def test_a_bought_nudge_is_sent_automatically_and_adds_to_those_of_the_tier(
    world: World, couple: PayingCouple
) -> None:
    payment_id = await confirm_second_nudge(couple)
    await world.drain()
    assert await couple.wallet_of(couple.a).status(payment_id) == "APPLIED"
    for viewer in (couple.a, couple.b):
        found = await couple.nudges(viewer)
        assert [(each.sender_id, each.receiver_id) for each in found.nudges] == [(couple.a.id, couple.b.id)] * 2
        assert payment_id.encode() not in found.SerializeToString()
    assert (await refusal(couple.nudge(couple.a))).reason == "NUDGE_LIMIT_REACHED"


@pytest.mark.rule("ST-13", "BI-11")
async def test_a_bought_nudge_becomes_credits_if_the_other_has_checked_in_meanwhile(
    world: World, couple: PayingCouple
) -> None:
    payment_id = await confirm_second_nudge(couple)
    await couple.check_in(couple.b)
    await world.drain()
    wallet = couple.wallet_of(couple.a)
    assert (await wallet.status(payment_id), await wallet.credits()) == ("CREDITED", NUDGE)
    assert len(await couple.events(NudgeRejected)) == 1


@pytest.mark.rule("ST-13", "BI-11")
async def test_a_nudge_bought_while_the_other_checks_in_is_sent_or_becomes_credits(
    world: World, couple: PayingCouple
) -> None:
    """Whichever takes the row's lock first decides: the nudge is sent or becomes credits. The day counts either way."""
    payment_id = await confirm_second_nudge(couple)
    await world.payments.deliver()
    await asyncio.gather(couple.deliver_and_sweep_at_once(), couple.check_in(couple.b))
    await world.drain()
    bought = [each for each in await couple.events(NudgeSent) if each.payment_id == payment_id]
    assert len(bought) + len(await couple.events(NudgeRejected)) == 1
    wallet = couple.wallet_of(couple.a)
    became = (await wallet.status(payment_id), await wallet.credits())
    assert became == (("APPLIED", 0) if bought else ("CREDITED", NUDGE))
    assert (await couple.now()).completed_days == 1


@pytest.mark.rule("ST-13", "BI-01")
async def test_the_tier_that_is_paid_for_counts_at_once(couple: PayingCouple) -> None:
    await couple.to_at_risk()
    assert (await couple.nudge(couple.a)).nudges_left == 0
    await couple.wallet_of(couple.a).subscribe("PRO")
    assert (await couple.nudges(couple.a)).nudges_left == 2
    assert [(await couple.nudge(couple.a)).nudges_left for _ in range(2)] == [1, 0]
    assert (await refusal(couple.nudge(couple.a))).reason == "NUDGE_LIMIT_REACHED"


@pytest.mark.rule("ST-13", "BI-11")
async def test_a_tier_that_rises_before_the_webhook_comes_takes_no_bought_nudge_away(
    world: World, couple: PayingCouple
) -> None:
    payment_id = await confirm_second_nudge(couple)
    await couple.wallet_of(couple.a).subscribe("PLUS")
    await world.drain()
    assert await couple.wallet_of(couple.a).status(payment_id) == "APPLIED"
    assert (await couple.nudges(couple.a)).nudges_left == 1
