"""The last hours of Day 15: b checks in, a leaves, and webhooks come for a nudge and a reveal, in any order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import permutations

import pytest
from unora_testing.invariants import broken
from unora_testing.world import World

from tests.integration.matching.people import People
from tests.integration.money.paying_couple import NUDGE, REVEAL, PayingCouple
from tests.support import refusal

COMES, LEAVES, PAYS = "b checks in", "a leaves", "the webhooks come"
CARDS = "DI-01"
"""This rule is broken here: the couple was connected by cards of servers that neither joined."""


async def deliver_events_of(world: World, context: str) -> None:
    """Delivers the events of one context to all its consumers, and no others."""
    await world.relay(context)
    for app in world.apps.values():
        for consumer in app.consumers:
            if consumer.consumes.stream == context:
                await consumer.step()


async def confirm_nudge_and_reveal(couple: PayingCouple) -> tuple[str, str]:
    """a has paid for a nudge and b for a reveal; the webhooks have not come yet."""
    wallet = couple.wallet_of(couple.a)
    await couple.nudge(couple.a)
    nudge = await wallet.create(wallet.order("NUDGE"))
    reveal = await couple.payer.create(couple.payer.order("REVEAL", reveal_number=3))
    assert await wallet.confirm(nudge.confirmation) == 200
    assert await couple.payer.confirm(reveal.confirmation) == 200
    return nudge.payment.payment_id, reveal.payment.payment_id


@pytest.mark.rule("ST-05", "ST-11", "ST-12", "ST-13", "RE-04", "RE-05", "RE-10", "BI-11")
@pytest.mark.parametrize("order", list(permutations((COMES, LEAVES, PAYS))), ids=", ".join)
async def test_in_any_order_each_member_gets_what_is_due(
    world: World, couple: PayingCouple, order: tuple[str, ...]
) -> None:
    await couple.complete_days(14)
    await couple.to_at_risk()
    nudge, reveal = await confirm_nudge_and_reveal(couple)

    async def comes() -> None:
        if order.index(LEAVES) < order.index(COMES):
            assert (await refusal(couple.check_in(couple.b))).metadata == {"state": "terminated"}
        else:
            await couple.check_in(couple.b)

    async def leaves() -> None:
        await People(world).end(couple.a, couple.pair.connection_id)
        await deliver_events_of(world, "matching")

    async def pays() -> None:
        await world.payments.deliver()
        await deliver_events_of(world, "billing")

    steps: dict[str, Callable[[], Awaitable[None]]] = {COMES: comes, LEAVES: leaves, PAYS: pays}
    for step in order:
        await steps[step]()
    await world.drain()

    came, left, paid = (order.index(step) for step in (COMES, LEAVES, PAYS))
    assert await couple.state() == ("COMPLETED" if came < left else "TERMINATED")
    wallet = couple.wallet_of(couple.a)
    sent = paid < min(came, left)
    assert (await wallet.status(nudge), await wallet.credits()) == (("APPLIED", 0) if sent else ("CREDITED", NUDGE))
    bought = (await couple.payer.status(reveal), await couple.payer.credits())
    assert bought == (("APPLIED", 0) if paid < left else ("CREDITED", REVEAL))
    for viewer in (couple.a, couple.b):
        assert (await refusal(couple.reveals.open(viewer, 5))).reason in ("CONNECTION_ENDED", "REVEAL_LOCKED")
    assert [each.name for each in await broken(world.superuser) if CARDS not in each.rules] == []
