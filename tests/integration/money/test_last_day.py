"""The last hours of Day 15: one checks in, the other leaves, and money comes for a nudge and a reveal, in any order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import permutations

import pytest
from unora_testing.invariants import broken
from unora_testing.world import World

from tests.integration.matching.people import People
from tests.integration.money.home import NUDGE, REVEAL, Home
from tests.support import refusal

COMES, LEAVES, PAYS = "b checks in", "a leaves", "the money comes"
CARDS = "DI-01"
"""The two have met by cards of servers that they never joined."""


async def news(world: World, context: str) -> None:
    """What a context has told reaches all who hear it, and goes no further."""
    await world.apps[context].relay.step()
    for app in world.apps.values():
        for consumer in app.consumers:
            if consumer.consumes.stream == context:
                await consumer.step()


async def paid_for(home: Home) -> tuple[str, str]:
    """a has paid for a nudge and b for a reveal, and nobody has heard of it yet."""
    purse = home.purse(home.a)
    await home.nudge(home.a)
    nudge = await purse.create(purse.ask("NUDGE"))
    reveal = await home.payer.create(home.payer.ask("REVEAL", reveal_number=3))
    assert await purse.confirm(nudge.confirmation) == 200
    assert await home.payer.confirm(reveal.confirmation) == 200
    return nudge.payment.payment_id, reveal.payment.payment_id


@pytest.mark.rule("ST-05", "ST-11", "ST-12", "ST-13", "RE-04", "RE-05", "RE-10", "BI-11")
@pytest.mark.parametrize("order", list(permutations((COMES, LEAVES, PAYS))), ids=", ".join)
async def test_whatever_comes_first_each_has_what_is_theirs(world: World, home: Home, order: tuple[str, ...]) -> None:
    await home.reach(14)
    await home.to_at_risk()
    nudge, reveal = await paid_for(home)

    async def comes() -> None:
        if order.index(LEAVES) < order.index(COMES):
            assert (await refusal(home.check_in(home.b))).metadata == {"state": "terminated"}
        else:
            await home.check_in(home.b)

    async def leaves() -> None:
        await People(world).end(home.a, home.pair.connection_id)
        await news(world, "matching")

    async def pays() -> None:
        await world.payments.deliver()
        await news(world, "billing")

    steps: dict[str, Callable[[], Awaitable[None]]] = {COMES: comes, LEAVES: leaves, PAYS: pays}
    for step in order:
        await steps[step]()
    await world.drain()

    came, left, paid = (order.index(step) for step in (COMES, LEAVES, PAYS))
    assert await home.state() == ("COMPLETED" if came < left else "TERMINATED")
    purse = home.purse(home.a)
    sent = paid < min(came, left)
    assert (await purse.status(nudge), await purse.credits()) == (("APPLIED", 0) if sent else ("CREDITED", NUDGE))
    bought = (await home.payer.status(reveal), await home.payer.credits())
    assert bought == (("APPLIED", 0) if paid < left else ("CREDITED", REVEAL))
    for viewer in (home.a, home.b):
        assert (await refusal(home.pages.open(viewer, 5))).reason in ("CONNECTION_ENDED", "REVEAL_LOCKED")
    assert [each.name for each in await broken(world.superuser) if CARDS not in each.rules] == []
