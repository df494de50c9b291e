"""Subscriptions: one per member, by the month, with grace, and what ends them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

import grpc
import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.events_pb2 import SubscriptionChanged, TierChanged
from unora.common.v1.types_pb2 import TIER_FREE, TIER_PLUS, TIER_PRO, Tier
from unora.safety.v1.events_pb2 import RestrictionChanged
from unora_billing import jobs
from unora_billing.domain.accounts import Account
from unora_billing.domain.errors import ProviderUnavailable
from unora_billing.domain.payments import IllegalStep
from unora_billing.domain.policy import Policy
from unora_billing.domain.subscriptions import month_after
from unora_billing.use_cases.subscriptions import process_due
from unora_common.database import Tx
from unora_common.messages import from_timestamp
from unora_testing.world import World

from tests.integration.billing.conftest import FAILS_LATER, Wallet
from tests.support import read_refusal, refusal, request_id

HOUR = timedelta(hours=1)


async def tiers(world: World, wallet: Wallet) -> list[int]:
    return [event.tier for event in await world.events(TierChanged, wallet.member.id)]


async def try_subscribe(wallet: Wallet, tier: Tier.ValueType) -> str:
    request = api.SubscribeRequest(request_id=request_id(), tier=tier)
    try:
        await wallet.billing.Subscribe(request, metadata=wallet.member.metadata)
    except grpc.aio.AioRpcError as error:
        return read_refusal(error).reason
    return "OK"


async def cancel(wallet: Wallet) -> api.Subscription:
    request = api.CancelSubscriptionRequest(request_id=request_id())
    return (await wallet.billing.CancelSubscription(request, metadata=wallet.member.metadata)).subscription


@pytest.mark.rule("BI-01")
async def test_a_payment_begins_a_month_and_the_tier(world: World, wallet: Wallet) -> None:
    assert (await wallet.subscription()).tier == TIER_FREE
    payment = await wallet.subscribe("PLUS")
    assert (payment.status, payment.amount, payment.plan) == (api.PAYMENT_STATUS_APPLIED, 999, TIER_PLUS)
    found = await wallet.subscription()
    assert (found.tier, found.subscription.status) == (TIER_PLUS, api.SUBSCRIPTION_STATUS_ACTIVE)
    begun = from_timestamp(found.subscription.current_period_starts_at)
    assert from_timestamp(found.subscription.current_period_ends_at) == month_after(begun, 1)
    assert await tiers(world, wallet) == [TIER_PLUS]


@pytest.mark.rule("BI-01")
async def test_a_higher_plan_replaces_a_lower_one_at_once(world: World, wallet: Wallet) -> None:
    await wallet.subscribe("PLUS")
    assert await try_subscribe(wallet, TIER_PLUS) == "SUBSCRIPTION_EXISTS"
    await wallet.subscribe("PRO")
    assert (await wallet.subscription()).tier == TIER_PRO
    assert await try_subscribe(wallet, TIER_PLUS) == "PLAN_LOWER"
    assert await tiers(world, wallet) == [TIER_PLUS, TIER_PRO]
    going = await world.superuser.fetchval(
        "SELECT count(*) FROM billing.subscriptions WHERE user_id = $1 AND status <> 'ended'", wallet.member.user
    )
    assert going == 1


@pytest.mark.rule("BI-01")
async def test_many_calls_at_once_make_one_open_payment(wallet: Wallet) -> None:
    results = await asyncio.gather(*(try_subscribe(wallet, TIER_PLUS) for _ in range(8)))
    assert sorted(results) == ["OK"] + ["PAYMENT_PENDING"] * 7


@pytest.mark.rule("BI-01")
async def test_a_subscription_renews_month_by_month(world: World, wallet: Wallet) -> None:
    await wallet.subscribe("PLUS")
    first = (await wallet.subscription()).subscription
    started = from_timestamp(first.started_at)
    await world.move_clock(month_after(started, 1) + HOUR)
    second = (await wallet.subscription()).subscription
    assert second.subscription_id == first.subscription_id
    assert from_timestamp(second.current_period_starts_at) == from_timestamp(first.current_period_ends_at)
    assert from_timestamp(second.current_period_ends_at) == month_after(started, 2)
    paid = await world.superuser.fetch(
        "SELECT status FROM billing.payments WHERE payer_id = $1 AND renews_subscription_id IS NOT NULL",
        wallet.member.user,
    )
    assert [row["status"] for row in paid] == ["applied"]
    assert await tiers(world, wallet) == [TIER_PLUS]


@pytest.mark.rule("BI-09")
async def test_a_subscription_that_cannot_renew_keeps_its_tier_for_three_days(world: World, wallet: Wallet) -> None:
    await wallet.subscribe("PLUS", FAILS_LATER)
    end = from_timestamp((await wallet.subscription()).subscription.current_period_ends_at)
    await world.move_clock(end + HOUR)
    found = await wallet.subscription()
    assert (found.tier, found.subscription.status) == (TIER_PLUS, api.SUBSCRIPTION_STATUS_GRACE)
    await world.move_clock(end + timedelta(days=3) - HOUR)
    assert (await wallet.subscription()).tier == TIER_PLUS
    await world.move_clock(end + timedelta(days=3) + HOUR)
    found = await wallet.subscription()
    assert (found.tier, found.HasField("subscription")) == (TIER_FREE, False)
    assert await tiers(world, wallet) == [TIER_PLUS, TIER_FREE]


@pytest.mark.rule("BI-09")
@pytest.mark.parametrize("begun", [0, 4], ids=["tried from the first day", "tried when the grace is over"])
async def test_a_renewal_that_the_provider_has_not_answered_takes_no_plan_away(
    world: World, wallet: Wallet, monkeypatch: pytest.MonkeyPatch, begun: int
) -> None:
    """The provider is away for days: renewals expire without an answer, and none was declined."""

    async def away(*_: object) -> None:
        raise ProviderUnavailable

    await wallet.subscribe("PLUS")
    end = from_timestamp((await wallet.subscription()).subscription.current_period_ends_at)
    with monkeypatch.context() as broken:
        broken.setattr(type(world.apps["billing"].runtime.resources.provider), "charge", away)
        await world.move_clock(end + timedelta(days=begun))
        for _ in range(4):
            await world.move_clock(timedelta(days=1, minutes=2))
        assert (await wallet.subscription()).tier == TIER_PLUS
    await world.move_clock(timedelta(minutes=2))
    found = (await wallet.subscription()).subscription
    assert (found.status, from_timestamp(found.current_period_starts_at)) == (api.SUBSCRIPTION_STATUS_ACTIVE, end)
    assert await tiers(world, wallet) == [TIER_PLUS]


@pytest.mark.rule("BI-01")
async def test_a_cancelled_subscription_ends_with_its_period_and_pays_no_more(world: World, wallet: Wallet) -> None:
    assert (await refusal(cancel(wallet))).reason == "SUBSCRIPTION_NOT_FOUND"
    await wallet.subscribe("PRO")
    cancelled = await cancel(wallet)
    assert cancelled.status == api.SUBSCRIPTION_STATUS_CANCELLED
    assert await cancel(wallet) == cancelled
    assert (await wallet.subscription()).tier == TIER_PRO
    await world.move_clock(from_timestamp(cancelled.current_period_ends_at) + HOUR)
    assert (await wallet.subscription()).tier == TIER_FREE
    statuses = [event.status for event in await world.events(SubscriptionChanged, wallet.member.id)]
    assert statuses == [
        api.SUBSCRIPTION_STATUS_ACTIVE,
        api.SUBSCRIPTION_STATUS_CANCELLED,
        api.SUBSCRIPTION_STATUS_ENDED,
    ]


def restriction_changed(wallet: Wallet, version: int, *, suspended: bool) -> RestrictionChanged:
    event = RestrictionChanged(user_id=wallet.member.id, version=version, suspended=suspended)
    event.occurred_at.FromSeconds(1)
    return event


@pytest.mark.rule("SA-06", "BI-11")
async def test_a_suspension_ends_the_subscription_at_once_and_an_open_payment_becomes_credits(
    world: World, wallet: Wallet
) -> None:
    await wallet.subscribe("PLUS")
    request = api.SubscribeRequest(request_id=request_id(), tier=TIER_PRO)
    made = await wallet.billing.Subscribe(request, metadata=wallet.member.metadata)
    await world.publish(restriction_changed(wallet, 2, suspended=True))
    assert await tiers(world, wallet) == [TIER_PLUS, TIER_FREE]
    await world.publish(restriction_changed(wallet, 1, suspended=False))  # older, and ignored
    assert await wallet.confirm(made.confirmation) == 200
    await world.drain()
    assert await tiers(world, wallet) == [TIER_PLUS, TIER_FREE]
    balance = await world.superuser.fetchval(
        "SELECT balance FROM billing.accounts WHERE user_id = $1", wallet.member.user
    )
    assert balance == 1999


@pytest.mark.rule("XX-02")
async def test_the_events_of_an_account_are_numbered_without_gaps(world: World, wallet: Wallet) -> None:
    await wallet.subscribe("PLUS")
    await wallet.subscribe("PRO")
    await cancel(wallet)
    versions = await world.superuser.fetch(
        "SELECT aggregate_version FROM billing.outbox WHERE aggregate_id = $1 ORDER BY seq", wallet.member.user
    )
    assert [row["aggregate_version"] for row in versions] == list(range(1, len(versions) + 1))


async def test_the_plans_and_prices_are_those_of_the_policy(wallets: Callable[[], Wallet]) -> None:
    wallet = wallets()
    found = await wallet.billing.ListPlans(api.ListPlansRequest(), metadata=wallet.member.metadata)
    assert [(plan.tier, plan.monthly_amount, plan.free_recoveries) for plan in found.plans] == [
        (TIER_FREE, 0, 0),
        (TIER_PLUS, 999, 1),
        (TIER_PRO, 1999, 2),
    ]
    assert {price.purpose: price.amount for price in found.prices} == {1: 299, 2: 199, 3: 99}


@pytest.mark.rule("BI-09")
async def test_a_subscription_that_cannot_be_renewed_does_not_block_others(
    world: World, wallets: Callable[[], Wallet], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After any error in it, subscriptions that are due later do not lose their tier."""
    stuck, other = wallets(), wallets()
    for wallet in (stuck, other):
        await wallet.subscribe("PLUS")

    async def process_due_except_stuck(tx: Tx, locked: Mapping[UUID, Account], policy: Policy) -> int:
        if stuck.member.user in locked:
            raise IllegalStep("it cannot be")
        return await process_due(tx, locked, policy)

    with monkeypatch.context() as broken:
        broken.setattr(jobs, "process_due", process_due_except_stuck)
        await world.move_clock(timedelta(days=32))
    periods = [
        from_timestamp((await each.subscription()).subscription.current_period_ends_at) for each in (stuck, other)
    ]
    now = await world.now()
    assert periods[0] < now < periods[1]
    await world.drain()
    assert from_timestamp((await stuck.subscription()).subscription.current_period_ends_at) > now
