"""What reversals end and what they flag: subscriptions (BI-01), and members whose charges come back again (SA-04)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.events_pb2 import SubscriptionChanged, TierChanged
from unora.common.v1.types_pb2 import TIER_FREE, TIER_PLUS, TIER_PRO
from unora.safety.v1.events_pb2 import DECISION_DISMISS, FLAG_PATTERN_CHARGEBACKS, FlagRaised
from unora_common.messages import from_timestamp
from unora_testing.world import World

from tests.integration.billing.conftest import Wallet
from tests.integration.safety.moderators import Moderators

pytestmark = pytest.mark.rule("BI-10")


async def renewal_of(world: World, wallet: Wallet) -> str:
    """The id of the payment that renewed the member's subscription."""
    found: str = await world.superuser.fetchval(
        "SELECT id::text FROM billing.payments WHERE payer_id = $1 AND renews_subscription_id IS NOT NULL",
        wallet.member.user,
    )
    return found


@pytest.mark.rule("BI-01")
@pytest.mark.parametrize("how", ["refunded in full", "disputed", "disputed in part"])
async def test_a_subscription_ends_at_once_when_its_month_is_reversed(world: World, wallet: Wallet, how: str) -> None:
    payment = await wallet.subscribe("PLUS")
    if how == "refunded in full":
        await wallet.refund(payment.payment_id, 500)
        assert (await wallet.subscription()).tier == TIER_PLUS  # in part it goes on
        await wallet.refund(payment.payment_id)
    else:
        await wallet.dispute(payment.payment_id, "won", amount=500 if "part" in how else None)
    assert (await wallet.subscription()).tier == TIER_FREE
    assert [event.tier for event in await world.events(TierChanged, wallet.member.id)] == [TIER_PLUS, TIER_FREE]
    statuses = [event.status for event in await world.events(SubscriptionChanged, wallet.member.id)]
    assert statuses == [api.SUBSCRIPTION_STATUS_ACTIVE, api.SUBSCRIPTION_STATUS_ENDED]
    assert await wallet.status(payment.payment_id) == "APPLIED"
    again = await wallet.subscribe("PRO")  # the member may buy again
    assert (await wallet.subscription()).tier == TIER_PRO
    assert again.status == api.PAYMENT_STATUS_APPLIED


@pytest.mark.rule("BI-01", "BI-07")
async def test_a_dispute_ends_the_subscription_also_if_it_is_told_last_that_it_was_opened(
    world: World, wallet: Wallet
) -> None:
    payment = await wallet.subscribe("PLUS")
    dispute = world.payments.reversals.dispute(await wallet.charge_of(payment.payment_id))
    world.payments.reversals.close_dispute(dispute["id"], "won")
    opened, closed = world.payments.store.undelivered[-2:]
    for event in (closed, opened):
        assert await world.payments.send(event)
    await world.drain()
    assert (await wallet.subscription()).tier == TIER_FREE


@pytest.mark.rule("BI-01")
async def test_a_dispute_of_an_earlier_month_that_was_refunded_ends_the_subscription(
    world: World, wallet: Wallet
) -> None:
    first = await wallet.subscribe("PLUS")
    await world.move_clock(from_timestamp((await wallet.subscription()).subscription.current_period_ends_at))
    await wallet.refund(first.payment_id)
    assert (await wallet.subscription()).tier == TIER_PLUS
    await wallet.dispute(first.payment_id)
    assert (await wallet.subscription()).tier == TIER_FREE


@pytest.mark.rule("BI-01")
async def test_a_refund_of_an_earlier_month_ends_nothing_and_a_dispute_of_it_does(world: World, wallet: Wallet) -> None:
    first = await wallet.subscribe("PLUS")
    await world.move_clock(from_timestamp((await wallet.subscription()).subscription.current_period_ends_at))
    await wallet.refund(first.payment_id)
    assert (await wallet.subscription()).tier == TIER_PLUS
    renewal = await renewal_of(world, wallet)
    await wallet.dispute(renewal)
    assert (await wallet.subscription()).tier == TIER_FREE


@pytest.mark.rule("BI-01")
async def test_a_refund_of_a_renewal_ends_the_subscription(world: World, wallet: Wallet) -> None:
    await wallet.subscribe("PLUS")
    await world.move_clock(from_timestamp((await wallet.subscription()).subscription.current_period_ends_at))
    renewal = await renewal_of(world, wallet)
    await wallet.refund(renewal)
    assert (await wallet.subscription()).tier == TIER_FREE


@pytest.mark.rule("SA-04")
async def test_repeated_chargebacks_are_flagged(world: World, wallet: Wallet) -> None:
    first, second = await wallet.pay(), await wallet.pay()
    await wallet.dispute(first, "lost")  # opened and lost is one
    await wallet.refund(second, 100)
    world.payments.reversals.warn(await wallet.charge_of(second))
    world.payments.reversals.dispute(await wallet.charge_of(second), inquiry=True)
    await world.drain()
    assert not await flags(world, wallet)
    await wallet.dispute(second)
    assert await flags(world, wallet) == [FLAG_PATTERN_CHARGEBACKS]


@pytest.mark.rule("SA-04")
async def test_disputes_that_a_moderator_has_judged_are_not_flagged_again_when_they_are_lost(
    world: World, wallet: Wallet
) -> None:
    disputes = [await wallet.dispute(await wallet.pay()) for _ in range(2)]
    assert await flags(world, wallet) == [FLAG_PATTERN_CHARGEBACKS]
    await Moderators(world).decide_newest_case(wallet.member, DECISION_DISMISS)
    await world.move_clock(timedelta(days=30))
    for dispute in disputes:
        world.payments.reversals.close_dispute(dispute, "lost")
    await world.drain()
    assert await flags(world, wallet) == [FLAG_PATTERN_CHARGEBACKS]
    await wallet.dispute(await wallet.pay())
    assert await flags(world, wallet) == [FLAG_PATTERN_CHARGEBACKS], "one new dispute is not two"
    await wallet.dispute(await wallet.pay())
    assert await flags(world, wallet) == [FLAG_PATTERN_CHARGEBACKS] * 2


async def flags(world: World, wallet: Wallet) -> list[int]:
    return [each.pattern for each in await world.events(FlagRaised) if each.user_id == wallet.member.id]
