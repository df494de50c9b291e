"""Renewals, ends and protections that are due for many members at the same time (BI-01, BI-05, BI-09)."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.events_pb2 import PaymentCreated, ProtectionClosed, SubscriptionChanged, TierChanged
from unora.common.v1.types_pb2 import TIER_FREE, TIER_PLUS, TIER_PRO
from unora_billing.jobs import PaymentJobs, ProtectionJobs, SubscriptionJobs
from unora_billing.providers.payments import Charge, Intent
from unora_billing.store import provider_events
from unora_common.messages import from_timestamp
from unora_common.runtime import Runtime
from unora_testing.world import World

from tests.integration.billing.conftest import Wallet
from tests.support import request_id


def runtime_of(world: World, **changes: Any) -> Runtime[Any, Any]:
    runtime = world.apps["billing"].runtime
    return dataclasses.replace(runtime, config=msgspec.structs.replace(runtime.config, **changes))


async def rounds(*steps: Callable[[], Any]) -> None:
    """Runs the steps of several replicas at the same time until none finds anything."""
    while any(await asyncio.gather(*(step() for step in steps))):
        pass


async def to_the_end_of(world: World, wallets: list[Wallet]) -> None:
    """Moves the rule clock past the periods of these members, and runs nothing."""
    ends = [from_timestamp((await each.subscription()).subscription.current_period_ends_at) for each in wallets]
    ahead = max(ends) + timedelta(minutes=1) - await world.now()
    await world.superuser.execute("UPDATE clock.shift SET ahead = ahead + $1", ahead)


@pytest.mark.rule("BI-01", "BI-09")
async def test_one_batch_renews_ends_and_leaves_alone_and_replicas_do_it_once(
    world: World, wallets: Callable[[], Wallet]
) -> None:
    renewing, cancelled, upgrading = [wallets() for _ in range(5)], wallets(), wallets()
    for wallet in (*renewing, cancelled, upgrading):
        await wallet.subscribe("PLUS")
    cancel = api.CancelSubscriptionRequest(request_id=request_id())
    await cancelled.billing.CancelSubscription(cancel, metadata=cancelled.member.metadata)
    await to_the_end_of(world, [*renewing, cancelled, upgrading])
    upgrade = api.SubscribeRequest(request_id=request_id(), tier=TIER_PRO)
    made = await upgrading.billing.Subscribe(upgrade, metadata=upgrading.member.metadata)

    replicas = [SubscriptionJobs(runtime_of(world, job_batch=3)) for _ in range(2)]
    await rounds(*(replica.renew_subscriptions for replica in replicas))
    renewals = "SELECT count(*) FROM billing.payments WHERE payer_id = $1 AND renews_subscription_id IS NOT NULL"
    made_for = [await world.superuser.fetchval(renewals, each.member.user) for each in renewing]
    assert made_for == [1] * 5
    assert await world.superuser.fetchval(renewals, upgrading.member.user) == 0, "its open payment may replace it"
    statuses = [event.status for event in await world.events(SubscriptionChanged, cancelled.member.id)]
    assert statuses[-1] == api.SUBSCRIPTION_STATUS_ENDED
    assert [event.tier for event in await world.events(TierChanged, cancelled.member.id)] == [TIER_PLUS, TIER_FREE]

    await world.drain()
    assert [(await each.subscription()).subscription.status for each in renewing] == [
        api.SUBSCRIPTION_STATUS_ACTIVE
    ] * 5
    assert await upgrading.confirm(made.confirmation) == 200
    await world.drain()
    assert (await upgrading.subscription()).tier == TIER_PRO
    created = [event for event in await world.events(PaymentCreated) if event.payer_id == renewing[0].member.id]
    assert len(created) == 2


@pytest.mark.rule("BI-09")
async def test_several_payments_are_advanced_at_once_and_never_more_than_configured(
    world: World, wallets: Callable[[], Wallet], monkeypatch: pytest.MonkeyPatch
) -> None:
    renewing = [wallets() for _ in range(7)]
    for wallet in renewing:
        await wallet.subscribe("PLUS")
    await to_the_end_of(world, renewing)
    runtime = runtime_of(world, payments_at_once=3)
    await rounds(SubscriptionJobs(runtime).renew_subscriptions)

    provider = type(runtime.resources.provider)
    charge, at_once, most = provider.charge, 0, 0
    full = asyncio.Event()

    async def count(self: Any, asked: Charge) -> Intent:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        if at_once == 3:
            full.set()
        await full.wait()
        try:
            answer: Intent = await charge(self, asked)
        finally:
            at_once -= 1
        return answer

    monkeypatch.setattr(provider, "charge", count)
    await PaymentJobs(runtime).drive_payments()
    assert most == 3
    await world.drain()
    assert {(await each.subscription()).subscription.status for each in renewing} == {api.SUBSCRIPTION_STATUS_ACTIVE}


POISON = """
    CREATE FUNCTION billing.poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.payment_id = '{payment}' THEN RAISE EXCEPTION 'it cannot be'; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER poison BEFORE UPDATE ON billing.credit_protections
        FOR EACH ROW EXECUTE FUNCTION billing.poison();"""
ANTIDOTE = "DROP TRIGGER poison ON billing.credit_protections; DROP FUNCTION billing.poison()"


@pytest.mark.rule("BI-05")
async def test_a_protection_that_cannot_be_closed_holds_up_no_other(
    world: World, wallets: Callable[[], Wallet]
) -> None:
    paid = [await wallets().recover() for _ in range(4)]
    await world.superuser.execute(POISON.format(payment=paid[0]))
    try:
        await world.move_clock(timedelta(hours=25))
        closed = [event.payment_id for event in await world.events(ProtectionClosed)]
        assert sorted(set(closed) & set(paid)) == sorted(paid[1:])
    finally:
        await world.superuser.execute(ANTIDOTE)
    await rounds(*(ProtectionJobs(runtime_of(world)).expire_protections for _ in range(2)))
    closed = [event.payment_id for event in await world.events(ProtectionClosed)]
    assert [closed.count(payment) for payment in paid] == [1] * 4


@pytest.mark.rule("BI-07")
async def test_events_of_the_provider_are_forgotten_after_90_days(world: World, wallet: Wallet) -> None:
    payment = await wallet.recover()
    noted = "SELECT count(*) FROM billing.provider_events WHERE payment_id = $1"
    assert await world.superuser.fetchval(noted, payment) == 1
    await world.move_clock(timedelta(days=100))
    for days, kept in ((89, 1), (91, 0)):
        await world.superuser.execute(
            "UPDATE billing.provider_events SET received_at = clock_timestamp() - make_interval(days => $1)", days
        )
        async with world.apps["billing"].database.transaction() as tx:
            await provider_events.purge(tx, 90, 1000)
        assert await world.superuser.fetchval(noted, payment) == kept
    before = await wallet.payment(payment)
    await world.payments.deliver()
    assert await wallet.payment(payment) == before
