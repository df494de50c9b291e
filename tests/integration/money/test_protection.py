"""For 24 hours the price of a recovery is safe from the partner's leaving, in whatever way they leave (BI-05)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.events_pb2 import PaymentCredited, ProtectionClosed, ProtectionOpened
from unora.matching.v1.events_pb2 import ConnectionEnded
from unora.streak.v1.events_pb2 import RecoveryRejected, StreakRecovered
from unora_testing.world import World

from tests.integration.money.home import DAY, MINUTE, RECOVERY, Home, at
from tests.integration.safety.office import Office

Leaving = Callable[[Home], Awaitable[None]]

LEAVINGS: dict[str, Leaving] = {
    "ends it": lambda home: home.ended(home.a),
    "blocks": lambda home: home.blocked(home.a),
    "is suspended": lambda home: home.suspended(home.a),
}


async def recovered(home: Home) -> str:
    """b has missed a day and paid for it; the payment."""
    await home.miss()
    payment_id = await home.payer.pay()
    assert await home.payer.status(payment_id) == "APPLIED"
    return payment_id


async def opened(home: Home, payment_id: str) -> ProtectionOpened:
    (found,) = [each for each in await home.world.events(ProtectionOpened) if each.payment_id == payment_id]
    assert isinstance(found, ProtectionOpened)
    return found


@pytest.mark.rule("BI-05")
@pytest.mark.parametrize("leaving", LEAVINGS.values(), ids=LEAVINGS)
async def test_the_partner_leaves_within_a_day(world: World, home: Home, leaving: Leaving) -> None:
    payment_id = await recovered(home)
    await leaving(home)
    (ended,) = await world.events(ConnectionEnded, home.pair.connection_id)
    assert ended.ended_by_id == home.a.id
    assert await home.payer.credits() == RECOVERY
    assert await home.payer.status(payment_id) == "CREDITED"
    assert len(await world.events(PaymentCredited, payment_id)) == 1
    await world.move_clock(2 * DAY)
    assert await home.payer.credits() == RECOVERY


@pytest.mark.rule("BI-05")
async def test_the_last_minute_counts(world: World, home: Home) -> None:
    payment_id = await recovered(home)
    expires_at = at((await opened(home, payment_id)).expires_at)
    await home.jump(expires_at - MINUTE)
    await home.ended(home.a)
    assert await home.payer.credits() == RECOVERY


@pytest.mark.rule("BI-05", "MA-09")
@pytest.mark.parametrize(
    "leaving", [Home.blocked_in_safety_alone, Home.suspended_in_safety_alone], ids=["blocks", "is suspended"]
)
async def test_what_the_partner_did_in_time_counts_however_late_matching_hears_of_it(
    world: World, home: Home, leaving: Callable[..., Awaitable[None]]
) -> None:
    """The connection has ended when matching ended it, as both members see; what decides is when it was done."""
    payment_id = await recovered(home)
    expires_at = at((await opened(home, payment_id)).expires_at)
    await home.jump(expires_at - MINUTE)
    await leaving(home, home.a)
    await home.jump(expires_at + MINUTE)
    await world.drain()
    assert (await home.payer.credits(), await home.payer.status(payment_id)) == (RECOVERY, "CREDITED")
    (ended,) = await world.events(ConnectionEnded, home.pair.connection_id)
    assert at(ended.occurred_at) > expires_at
    office = Office(world)
    wanted: dict[str, Any] = {"event_name": "ProtectionClosed", "member_id": home.b.id}
    assert await office.found(**wanted)
    office.admin = world.caller(home.b.user, roles=["admin"])
    assert await office.found(**wanted) == []


@pytest.mark.rule("BI-05")
@pytest.mark.parametrize("leaving", LEAVINGS.values(), ids=LEAVINGS)
async def test_after_a_day_it_is_consumed(world: World, home: Home, leaving: Leaving) -> None:
    payment_id = await recovered(home)
    protection = await opened(home, payment_id)
    await home.jump(at(protection.expires_at))
    await leaving(home)
    assert await home.payer.credits() == 0
    assert await home.payer.status(payment_id) == "APPLIED"
    (closed,) = await world.events(ProtectionClosed, protection.protection_id)
    assert not closed.converted


@pytest.mark.rule("BI-05")
@pytest.mark.parametrize("leaving", [Home.ended, Home.blocked, Home.suspended], ids=lambda each: each.__name__)
async def test_the_payers_own_leaving_does_not_count(
    world: World, home: Home, leaving: Callable[..., Awaitable[None]]
) -> None:
    payment_id = await recovered(home)
    await leaving(home, home.b)
    (ended,) = await world.events(ConnectionEnded, home.pair.connection_id)
    assert ended.ended_by_id == home.b.id
    balance = await world.superuser.fetchval("SELECT balance FROM billing.accounts WHERE user_id = $1", home.b.user)
    status = await world.superuser.fetchval("SELECT status FROM billing.payments WHERE id = $1", payment_id)
    assert (balance, status) == (0, "applied")


@pytest.mark.rule("BI-05")
async def test_both_leave_in_the_same_moment_and_the_first_decides(world: World, home: Home) -> None:
    await recovered(home)
    await asyncio.gather(home.ended(home.a), home.ended(home.b), return_exceptions=True)
    await world.drain()
    (ended,) = await world.events(ConnectionEnded, home.pair.connection_id)
    assert await home.payer.credits() == (RECOVERY if ended.ended_by_id == home.a.id else 0)


@pytest.mark.rule("BI-05", "XX-02")
async def test_the_ending_reaches_billing_before_the_recovery_that_came_first(world: World, home: Home) -> None:
    await home.miss()
    made = await home.payer.create(home.payer.ask())
    assert await home.payer.confirm(made.confirmation) == 200
    billing, streak, matching = (world.apps[name] for name in ("billing", "streak", "matching"))
    await world.payments.deliver()
    await billing.relay.step()
    for consumer in streak.consumers:
        if consumer.consumes.stream == "billing":
            await consumer.step()
    assert len(await home.events(StreakRecovered)) == 1  # in streak's outbox, and no further
    await home.ended_in_matching_alone()
    await matching.relay.step()
    for consumer in billing.consumers:
        if consumer.consumes.stream == "matching":
            assert await consumer.step()
    assert await home.payer.status(made.payment.payment_id) == "SUCCEEDED"
    await world.drain()
    assert await home.payer.status(made.payment.payment_id) == "CREDITED"
    assert await home.payer.credits() == RECOVERY


@pytest.mark.rule("BI-05", "BI-11", "ST-17")
async def test_the_partner_ends_it_while_the_payment_is_on_its_way(world: World, home: Home) -> None:
    """What was paid for cannot be given any more: credits for that, and not once more for the ending."""
    await home.miss()
    made = await home.payer.create(home.payer.ask())
    assert await home.payer.confirm(made.confirmation) == 200
    await home.ended_in_matching_alone()
    await world.apps["matching"].relay.step()
    for consumer in world.apps["streak"].consumers:
        if consumer.consumes.stream == "matching":
            await consumer.step()
    await world.drain()
    assert len(await home.events(RecoveryRejected)) == 1
    assert await home.payer.credits() == RECOVERY
    (credited,) = await world.events(PaymentCredited, made.payment.payment_id)
    assert credited.kind == api.CREDIT_ENTRY_KIND_COMPENSATION
    answer = await home.payer.billing.ListCreditEntries(api.ListCreditEntriesRequest(), metadata=home.b.metadata)
    assert [entry.amount for entry in answer.entries] == [RECOVERY]


@pytest.mark.rule("BI-05")
async def test_each_of_two_recoveries_of_a_day_is_protected(world: World, home: Home) -> None:
    """b pays for one day; a misses the next and pays too; b leaves: a's price becomes credits, b's does not."""
    await recovered(home)
    await home.check_in(home.b)
    await home.jump(await home.day_ends_at())
    await world.apps["streak"].jobs[0].step()
    purse = home.purse(home.a)
    paid = await purse.pay()
    assert await purse.status(paid) == "APPLIED"
    await home.ended(home.b)
    assert await purse.credits() == RECOVERY
    assert await home.payer.credits() == 0
