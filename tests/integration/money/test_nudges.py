"""Nudges of the tier and bought ones, by the tier that billing sells and the money that it takes (ST-13)."""

from __future__ import annotations

import asyncio

import pytest
from unora.streak.v1.events_pb2 import NudgeRejected, NudgeSent
from unora_testing.world import World

from tests.integration.money.home import NUDGE, Home
from tests.support import refusal


async def begun(home: Home) -> str:
    """a has nudged once, as a free member may, and has paid for another of which nobody has heard; the payment."""
    await home.to_at_risk()
    purse = home.purse(home.a)
    assert (await refusal(purse.create(purse.ask("NUDGE")))).reason == "NUDGES_LEFT"
    await home.nudge(home.a)
    assert (await refusal(home.nudge(home.a))).reason == "NUDGE_LIMIT_REACHED"
    made = await purse.create(purse.ask("NUDGE"))
    assert made.payment.amount == NUDGE
    assert await purse.confirm(made.confirmation) == 200
    return made.payment.payment_id


@pytest.mark.rule("ST-13")
async def test_a_bought_nudge_goes_out_by_itself_and_adds_to_those_of_the_tier(world: World, home: Home) -> None:
    payment_id = await begun(home)
    await world.drain()
    assert await home.purse(home.a).status(payment_id) == "APPLIED"
    for viewer in (home.a, home.b):
        found = await home.nudges(viewer)
        assert [(each.sender_id, each.receiver_id) for each in found.nudges] == [(home.a.id, home.b.id)] * 2
        assert payment_id.encode() not in found.SerializeToString()
    assert (await refusal(home.nudge(home.a))).reason == "NUDGE_LIMIT_REACHED"


@pytest.mark.rule("ST-13", "BI-11")
async def test_it_becomes_credits_when_the_other_has_checked_in_meanwhile(world: World, home: Home) -> None:
    payment_id = await begun(home)
    await home.check_in(home.b)
    await world.drain()
    purse = home.purse(home.a)
    assert (await purse.status(payment_id), await purse.credits()) == ("CREDITED", NUDGE)
    assert len(await home.events(NudgeRejected)) == 1


@pytest.mark.rule("ST-13", "BI-11")
async def test_bought_while_the_other_checks_in(world: World, home: Home) -> None:
    """In the same moment: sent or credits, whichever took the row's lock first, and the day counts either way."""
    payment_id = await begun(home)
    await world.payments.deliver()
    await asyncio.gather(home.heard_and_swept_at_once(), home.check_in(home.b))
    await world.drain()
    bought = [each for each in await home.events(NudgeSent) if each.payment_id == payment_id]
    assert len(bought) + len(await home.events(NudgeRejected)) == 1
    purse = home.purse(home.a)
    became = (await purse.status(payment_id), await purse.credits())
    assert became == (("APPLIED", 0) if bought else ("CREDITED", NUDGE))
    assert (await home.now()).completed_days == 1


@pytest.mark.rule("ST-13", "BI-01")
async def test_the_tier_that_is_paid_for_counts_at_once(home: Home) -> None:
    await home.to_at_risk()
    assert (await home.nudge(home.a)).nudges_left == 0
    await home.purse(home.a).subscribe("PRO")
    assert (await home.nudges(home.a)).nudges_left == 2
    assert [(await home.nudge(home.a)).nudges_left for _ in range(2)] == [1, 0]
    assert (await refusal(home.nudge(home.a))).reason == "NUDGE_LIMIT_REACHED"


@pytest.mark.rule("ST-13", "BI-11")
async def test_a_tier_that_rises_before_the_money_comes_takes_no_bought_nudge_away(world: World, home: Home) -> None:
    payment_id = await begun(home)
    await home.purse(home.a).subscribe("PLUS")
    await world.drain()
    assert await home.purse(home.a).status(payment_id) == "APPLIED"
    assert (await home.nudges(home.a)).nudges_left == 1
