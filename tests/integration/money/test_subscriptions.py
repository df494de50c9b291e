"""A subscription from its first payment to its end, and what each change of tier is felt by everywhere (BI-01)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.common.v1.types_pb2 import TIER_FREE, TIER_PLUS, TIER_PRO, Tier
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.identity.v1.account_service_pb2_grpc import AccountServiceStub
from unora_billing.use_cases.subscriptions import apply_restriction
from unora_testing.world import World

from tests.integration.billing.conftest import FAILS_LATER
from tests.integration.discovery.pool import Pool
from tests.integration.matching.people import People
from tests.integration.money.home import DAY, HOUR, PLUS, PRO, Home, at
from tests.support import refusal, request_id


class Felt(NamedTuple):
    """What a member with one connection notices of a tier."""

    account: Tier.ValueType
    limit: int
    hours: int
    nudges: int
    for_sale: list[int]


EFFECTS = {
    "FREE": Felt(TIER_FREE, 1, 24, 1, [3]),
    "PLUS": Felt(TIER_PLUS, 2, 12, 2, [4]),
    "PRO": Felt(TIER_PRO, 4, 6, 3, []),
}
SPENT = """
    INSERT INTO discovery.refresh_timers (user_id, last_global_refresh_at, refresh_available_at)
    VALUES ($1, clock.now(), clock.now() + interval '24 hours')"""


async def felt(home: Home) -> Felt:
    """As a's app reads it: the account, slots, the refresh timer, nudges of an evening at risk, and the shop's offer.

    Takes a day, at the end of which b checks in too.
    """
    if (await home.now()).checked_in:
        await home.to_next_day()
    await home.to_at_risk()
    world, who = home.world, home.a
    accounts = world.stub(AccountServiceStub, "identity")
    account = (await accounts.GetAccount(GetAccountRequest(), metadata=who.metadata)).account
    inventory = await People(world).inventory(who)
    (timer,) = await Pool(world).rows("refresh_timers", who.user)
    assert account.connection_limit == inventory.connection_limit
    nudges = (await home.nudges(who)).nudges_left
    await home.check_in(home.b)
    return Felt(
        account.tier,
        inventory.connection_limit,
        round((timer["refresh_available_at"] - timer["last_global_refresh_at"]) / HOUR),
        nudges,
        [each.reveal_number for each in await home.pages.seen_by(who) if each.for_sale],
    )


async def status(home: Home) -> str:
    """Of a's subscription."""
    found = (await home.purse(home.a).subscription()).subscription.status
    return api.SubscriptionStatus.Name(found).removeprefix("SUBSCRIPTION_STATUS_")


async def period_end(home: Home) -> datetime:
    return at((await home.purse(home.a).subscription()).subscription.current_period_ends_at)


async def cancel(home: Home) -> None:
    request = api.CancelSubscriptionRequest(request_id=request_id())
    await home.purse(home.a).billing.CancelSubscription(request, metadata=home.a.metadata)


async def charged(home: Home) -> int:
    """All that the provider has taken from a, in minor units."""
    mine = await home.world.superuser.fetch("SELECT id::text FROM billing.payments WHERE payer_id = $1", home.a.user)
    ids = {row["id"] for row in mine}
    intents = home.world.payments.store.intents
    return sum(each["amount_received"] for each in intents if each["metadata"].get("payment_id") in ids)


@pytest.fixture
async def home(home: Home) -> Home:
    """a has spent the refresh timer."""
    await home.world.superuser.execute(SPENT, home.a.user)
    return home


@pytest.mark.rule("BI-01", "DI-14", "MA-07", "ST-13", "RE-08")
async def test_each_change_is_felt_everywhere(world: World, home: Home) -> None:
    assert await felt(home) == EFFECTS["FREE"]
    await home.purse(home.a).subscribe("PLUS")
    assert await felt(home) == EFFECTS["PLUS"]
    await home.purse(home.a).subscribe("PRO")
    assert await felt(home) == EFFECTS["PRO"]
    assert await charged(home) == PLUS + PRO
    await cancel(home)
    end = await period_end(home)
    await world.move_clock(end - 3 * DAY)
    assert (await felt(home), await status(home)) == (EFFECTS["PRO"], "CANCELLED")
    await world.move_clock(end)
    assert await felt(home) == EFFECTS["FREE"]
    assert await charged(home) == PLUS + PRO


@pytest.mark.rule("BI-01", "BI-09")
async def test_renewed_then_not_renewed_with_its_days_of_grace(world: World, home: Home) -> None:
    await home.purse(home.a).subscribe("PLUS", FAILS_LATER)
    end = await period_end(home)
    await world.move_clock(end)
    assert (await felt(home), await status(home)) == (EFFECTS["PLUS"], "GRACE")
    await world.superuser.execute(
        "UPDATE billing.subscriptions SET provider_method_id = 'pm_card_visa' WHERE user_id = $1", home.a.user
    )  # the member has mended their card at the provider
    await world.move_clock(end + timedelta(hours=60))  # it was tried in vain up to a day and a half ago
    assert (await felt(home), await status(home)) == (EFFECTS["PLUS"], "ACTIVE")
    assert await charged(home) == 2 * PLUS
    await world.superuser.execute(
        "UPDATE billing.subscriptions SET provider_method_id = $2 WHERE user_id = $1", home.a.user, FAILS_LATER
    )
    end = await period_end(home)
    await world.move_clock(end + 3 * DAY - HOUR)
    assert await status(home) == "GRACE"
    await world.move_clock(end + 3 * DAY)
    assert await felt(home) == EFFECTS["FREE"]
    assert await charged(home) == 2 * PLUS


@pytest.mark.rule("BI-01", "SA-06")
async def test_a_suspension_ends_it_everywhere_at_once(world: World, home: Home) -> None:
    await home.purse(home.a).subscribe("PRO")
    await home.suspended(home.a)
    kept = await world.superuser.fetchrow(
        """SELECT
        (SELECT tier FROM billing.accounts WHERE user_id = $1), (SELECT tier FROM identity.users WHERE id = $1),
        (SELECT tier FROM matching.inventory WHERE user_id = $1), (SELECT tier FROM streak.tiers WHERE user_id = $1),
        (SELECT tier FROM reveal.tiers WHERE user_id = $1)""",
        home.a.user,
    )
    assert kept is not None
    assert tuple(kept) == ("free",) * 5
    (timer,) = await Pool(world).rows("refresh_timers", home.a.user)
    assert timer["refresh_available_at"] - timer["last_global_refresh_at"] == timedelta(hours=24)


@pytest.mark.rule("BI-01", "BI-09")
async def test_a_payment_that_is_never_confirmed_keeps_no_tier_alive(world: World, home: Home) -> None:
    """Who cancels and then only asks for a higher plan, again and again, has the tier no longer than it was paid."""
    await home.purse(home.a).subscribe("PLUS")
    await cancel(home)
    await world.move_clock(await period_end(home) - HOUR)
    request = api.SubscribeRequest(request_id=request_id(), tier=TIER_PRO)
    made = await home.purse(home.a).billing.Subscribe(request, metadata=home.a.metadata)
    await world.move_clock(HOUR)
    assert (await home.purse(home.a).subscription()).tier == TIER_FREE
    assert await home.purse(home.a).confirm(made.confirmation) == 200  # at last
    await world.drain()
    assert await felt(home) == EFFECTS["PRO"]


@pytest.mark.rule("BI-09")
async def test_grace_ends_though_a_higher_plan_is_asked_for_and_not_paid(world: World, home: Home) -> None:
    await home.purse(home.a).subscribe("PLUS", FAILS_LATER)
    end = await period_end(home)
    await world.move_clock(end + 3 * DAY - HOUR)
    request = api.SubscribeRequest(request_id=request_id(), tier=TIER_PRO)
    await home.purse(home.a).billing.Subscribe(request, metadata=home.a.metadata)
    await world.move_clock(end + 3 * DAY)
    assert (await home.purse(home.a).subscription()).tier == TIER_FREE


@pytest.mark.rule("BI-01", "BI-02")
@pytest.mark.parametrize("ending", ["cancelled", "suspended"])
async def test_what_has_ended_is_not_charged_for(world: World, home: Home, ending: str) -> None:
    """The month is over and its renewal recorded; before it is charged the member cancels, or is suspended."""
    await home.purse(home.a).subscribe("PLUS")
    clockwork = {job.name: job for job in world.apps["billing"].jobs[:-1]}
    await home.jump(await period_end(home))
    assert await clockwork["renew_subscriptions"].step()
    if ending == "cancelled":
        await cancel(home)
    else:
        async with world.apps["billing"].database.transaction() as tx:
            await apply_restriction(tx, home.a.user, 1, suspended=True)
    await world.drain()
    assert await charged(home) == PLUS
    assert (await home.purse(home.a).subscription()).tier == TIER_FREE
    assert await home.purse(home.a).credits() == 0


@pytest.mark.rule("BI-09")
async def test_an_outage_of_ours_takes_no_plan_away(world: World, home: Home) -> None:
    """Nobody tried to renew it before its grace was over."""
    await home.purse(home.a).subscribe("PLUS")
    await world.move_clock(await period_end(home) + 4 * DAY)
    assert await status(home) == "ACTIVE"
    assert await period_end(home) > await world.now()
    assert await charged(home) == 2 * PLUS


@pytest.mark.rule("BI-09")
async def test_an_outage_of_ours_gives_no_plan_for_nothing_either(world: World, home: Home) -> None:
    await home.purse(home.a).subscribe("PLUS", FAILS_LATER)
    await world.move_clock(await period_end(home) + 4 * DAY)
    assert (await home.purse(home.a).subscription()).tier == TIER_FREE
    assert await charged(home) == PLUS


@pytest.mark.rule("BI-09")
async def test_a_renewal_that_the_provider_will_never_charge_has_its_grace_too(world: World, home: Home) -> None:
    await home.purse(home.a).subscribe("PLUS")
    await world.superuser.execute(
        "UPDATE billing.subscriptions SET provider_method_id = 'pm_gone' WHERE user_id = $1", home.a.user
    )
    end = await period_end(home)
    await world.move_clock(end)
    assert await status(home) == "GRACE"
    await home.purse(home.a).subscribe("PLUS")  # anew, by a card that there is
    assert await status(home) == "ACTIVE"
    assert await charged(home) == 2 * PLUS


@pytest.mark.rule("BI-07")
async def test_a_payment_that_the_provider_will_never_charge_keeps_no_other_from_being_made(
    world: World, home: Home
) -> None:
    await world.superuser.execute(
        """INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, provider_customer_id,
        version) VALUES ($1, 'free', 0, false, 0, 'cus_gone', 0)""",
        home.a.user,
    )
    request = api.SubscribeRequest(request_id=request_id(), tier=TIER_PLUS)
    made = await home.purse(home.a).billing.Subscribe(request, metadata=home.a.metadata)
    assert (made.payment.status, made.payment.failure) == (api.PAYMENT_STATUS_FAILED, api.PAYMENT_FAILURE_DECLINED)
    assert not made.HasField("confirmation")
    await world.superuser.execute(
        "UPDATE billing.accounts SET provider_customer_id = NULL WHERE user_id = $1", home.a.user
    )
    await home.purse(home.a).subscribe("PLUS")
    assert await status(home) == "ACTIVE"


@pytest.mark.rule("BI-01")
async def test_the_plans_promise_what_is_given(home: Home) -> None:
    """What billing sells in words is held elsewhere; both come from the same page of the design."""
    purse = home.purse(home.a)
    found = await purse.billing.ListPlans(api.ListPlansRequest(), metadata=home.a.metadata)
    days = await home.world.superuser.fetch("SELECT tier, reveal_day_required FROM reveal.reveal_milestones")
    for plan in found.plans:
        name = plan.name.lower()
        effect = EFFECTS[name.upper()]
        earned = sum(row["tier"] == name and row["reveal_day_required"] is not None for row in days)
        assert (plan.tier, plan.reveals_earned) == (effect.account, earned)
        assert (plan.connection_slots, plan.refresh_hours, plan.nudges) == effect[1:4]


@pytest.mark.rule("BI-01")
async def test_repeats_of_a_call_are_one_subscription(home: Home) -> None:
    request = api.SubscribeRequest(request_id=request_id(), tier=TIER_PLUS)
    purse = home.purse(home.a)
    made = [await purse.billing.Subscribe(request, metadata=home.a.metadata) for _ in range(3)]
    assert len({each.payment.payment_id for each in made}) == 1
    assert await purse.confirm(made[0].confirmation) == 200
    await home.world.drain()
    assert await charged(home) == PLUS
    lower = api.SubscribeRequest(request_id=request_id(), tier=TIER_PLUS)
    assert (await refusal(purse.billing.Subscribe(lower, metadata=home.a.metadata))).reason == "SUBSCRIPTION_EXISTS"
