"""A subscription from its first payment to its end, and the effects of each change of tier (BI-01)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.common.v1.types_pb2 import TIER_FREE, TIER_PLUS, TIER_PRO, Tier
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.identity.v1.account_service_pb2_grpc import AccountServiceStub
from unora_billing.use_cases.subscriptions import apply_restriction
from unora_common.messages import from_timestamp
from unora_testing.world import World

from tests.integration.billing.conftest import FAILS_LATER
from tests.integration.discovery.pool import Pool
from tests.integration.matching.people import People
from tests.integration.money.paying_couple import DAY, HOUR, PLUS, PRO, PayingCouple
from tests.support import refusal, request_id


class TierEffects(NamedTuple):
    """The effects of a tier that a member with one connection sees."""

    account: Tier.ValueType
    limit: int
    hours: int
    nudges: int
    for_sale: list[int]


EFFECTS = {
    "FREE": TierEffects(TIER_FREE, 1, 24, 1, [3]),
    "PLUS": TierEffects(TIER_PLUS, 2, 12, 2, [4]),
    "PRO": TierEffects(TIER_PRO, 4, 6, 3, []),
}
SPENT = """
    INSERT INTO discovery.refresh_timers (user_id, last_global_refresh_at, refresh_available_at)
    VALUES ($1, clock.now(), clock.now() + interval '24 hours')"""


async def effects_of(couple: PayingCouple) -> TierEffects:
    """What a's app reads: the account, slots, the refresh timer, the nudges of an at-risk period, the reveals for sale.

    Takes a day, at the end of which b checks in too.
    """
    if (await couple.now()).checked_in:
        await couple.to_next_day()
    await couple.to_at_risk()
    world, member = couple.world, couple.a
    accounts = world.stub(AccountServiceStub, "identity")
    account = (await accounts.GetAccount(GetAccountRequest(), metadata=member.metadata)).account
    inventory = await People(world).inventory(member)
    (timer,) = await Pool(world).rows("refresh_timers", member.user)
    assert account.connection_limit == inventory.connection_limit
    nudges = (await couple.nudges(member)).nudges_left
    await couple.check_in(couple.b)
    return TierEffects(
        account.tier,
        inventory.connection_limit,
        round((timer["refresh_available_at"] - timer["last_global_refresh_at"]) / HOUR),
        nudges,
        [each.reveal_number for each in await couple.reveals.list_reveals(member) if each.for_sale],
    )


async def status(couple: PayingCouple) -> str:
    """The status of a's subscription."""
    found = (await couple.wallet_of(couple.a).subscription()).subscription.status
    return api.SubscriptionStatus.Name(found).removeprefix("SUBSCRIPTION_STATUS_")


async def period_end(couple: PayingCouple) -> datetime:
    return from_timestamp((await couple.wallet_of(couple.a).subscription()).subscription.current_period_ends_at)


async def cancel(couple: PayingCouple) -> None:
    request = api.CancelSubscriptionRequest(request_id=request_id())
    await couple.wallet_of(couple.a).billing.CancelSubscription(request, metadata=couple.a.metadata)


async def charged_to_a(couple: PayingCouple) -> int:
    """The sum that the provider has taken from a, in minor units."""
    mine = await couple.world.superuser.fetch(
        "SELECT id::text FROM billing.payments WHERE payer_id = $1", couple.a.user
    )
    ids = {row["id"] for row in mine}
    intents = couple.world.payments.store.intents
    return sum(each["amount_received"] for each in intents if each["metadata"].get("payment_id") in ids)


@pytest.fixture
async def couple(couple: PayingCouple) -> PayingCouple:
    """A couple in which a has used the refresh."""
    await couple.world.superuser.execute(SPENT, couple.a.user)
    return couple


@pytest.mark.rule("BI-01", "DI-14", "MA-07", "ST-13", "RE-08")
async def test_each_change_of_tier_has_its_effect_in_every_context(world: World, couple: PayingCouple) -> None:
    assert await effects_of(couple) == EFFECTS["FREE"]
    await couple.wallet_of(couple.a).subscribe("PLUS")
    assert await effects_of(couple) == EFFECTS["PLUS"]
    await couple.wallet_of(couple.a).subscribe("PRO")
    assert await effects_of(couple) == EFFECTS["PRO"]
    assert await charged_to_a(couple) == PLUS + PRO
    await cancel(couple)
    end = await period_end(couple)
    await world.move_clock(end - 3 * DAY)
    assert (await effects_of(couple), await status(couple)) == (EFFECTS["PRO"], "CANCELLED")
    await world.move_clock(end)
    assert await effects_of(couple) == EFFECTS["FREE"]
    assert await charged_to_a(couple) == PLUS + PRO


@pytest.mark.rule("BI-01", "BI-09")
async def test_a_subscription_has_days_of_grace_at_each_declined_renewal(world: World, couple: PayingCouple) -> None:
    await couple.wallet_of(couple.a).subscribe("PLUS", FAILS_LATER)
    end = await period_end(couple)
    await world.move_clock(end)
    assert (await effects_of(couple), await status(couple)) == (EFFECTS["PLUS"], "GRACE")
    await world.superuser.execute(
        "UPDATE billing.subscriptions SET provider_method_id = 'pm_card_visa' WHERE user_id = $1", couple.a.user
    )  # the member now has a valid card at the provider
    await world.move_clock(end + timedelta(hours=60))  # it was declined several times, last within a day and a half
    assert (await effects_of(couple), await status(couple)) == (EFFECTS["PLUS"], "ACTIVE")
    assert await charged_to_a(couple) == 2 * PLUS
    await world.superuser.execute(
        "UPDATE billing.subscriptions SET provider_method_id = $2 WHERE user_id = $1", couple.a.user, FAILS_LATER
    )
    end = await period_end(couple)
    await world.move_clock(end + 3 * DAY - HOUR)
    assert await status(couple) == "GRACE"
    await world.move_clock(end + 3 * DAY)
    assert await effects_of(couple) == EFFECTS["FREE"]
    assert await charged_to_a(couple) == 2 * PLUS


@pytest.mark.rule("BI-01", "SA-06")
async def test_a_suspension_ends_the_tier_in_every_context_at_once(world: World, couple: PayingCouple) -> None:
    await couple.wallet_of(couple.a).subscribe("PRO")
    await couple.suspend(couple.a)
    kept = await world.superuser.fetchrow(
        """SELECT
        (SELECT tier FROM billing.accounts WHERE user_id = $1), (SELECT tier FROM identity.users WHERE id = $1),
        (SELECT tier FROM matching.inventory WHERE user_id = $1), (SELECT tier FROM streak.tiers WHERE user_id = $1),
        (SELECT tier FROM reveal.tiers WHERE user_id = $1)""",
        couple.a.user,
    )
    assert kept is not None
    assert tuple(kept) == ("free",) * 5
    (timer,) = await Pool(world).rows("refresh_timers", couple.a.user)
    assert timer["refresh_available_at"] - timer["last_global_refresh_at"] == timedelta(hours=24)


@pytest.mark.rule("BI-01", "BI-09")
async def test_an_unconfirmed_payment_does_not_prolong_a_tier(world: World, couple: PayingCouple) -> None:
    """A member who cancels, and then asks for a higher plan without paying, keeps the tier only while it is paid."""
    await couple.wallet_of(couple.a).subscribe("PLUS")
    await cancel(couple)
    await world.move_clock(await period_end(couple) - HOUR)
    request = api.SubscribeRequest(request_id=request_id(), tier=TIER_PRO)
    made = await couple.wallet_of(couple.a).billing.Subscribe(request, metadata=couple.a.metadata)
    await world.move_clock(HOUR)
    assert (await couple.wallet_of(couple.a).subscription()).tier == TIER_FREE
    assert await couple.wallet_of(couple.a).confirm(made.confirmation) == 200  # confirmed late
    await world.drain()
    assert await effects_of(couple) == EFFECTS["PRO"]


@pytest.mark.rule("BI-09")
async def test_grace_ends_although_a_higher_plan_was_asked_for_and_not_paid(world: World, couple: PayingCouple) -> None:
    await couple.wallet_of(couple.a).subscribe("PLUS", FAILS_LATER)
    end = await period_end(couple)
    await world.move_clock(end + 3 * DAY - HOUR)
    request = api.SubscribeRequest(request_id=request_id(), tier=TIER_PRO)
    await couple.wallet_of(couple.a).billing.Subscribe(request, metadata=couple.a.metadata)
    await world.move_clock(end + 3 * DAY)
    assert (await couple.wallet_of(couple.a).subscription()).tier == TIER_FREE


@pytest.mark.rule("BI-01", "BI-02")
@pytest.mark.parametrize("ending", ["cancelled", "suspended"])
async def test_an_ended_subscription_is_not_charged(world: World, couple: PayingCouple, ending: str) -> None:
    """The month is over and its renewal recorded. Before the charge, the member cancels or is suspended."""
    await couple.wallet_of(couple.a).subscribe("PLUS")
    jobs = {job.name: job for job in world.apps["billing"].jobs[:-1]}
    await couple.jump(await period_end(couple))
    assert await jobs["renew_subscriptions"].step()
    if ending == "cancelled":
        await cancel(couple)
    else:
        async with world.apps["billing"].database.transaction() as tx:
            await apply_restriction(tx, couple.a.user, 1, suspended=True)
    await world.drain()
    assert await charged_to_a(couple) == PLUS
    assert (await couple.wallet_of(couple.a).subscription()).tier == TIER_FREE
    assert await couple.wallet_of(couple.a).credits() == 0


@pytest.mark.rule("BI-09")
async def test_our_own_outage_takes_no_plan_away(world: World, couple: PayingCouple) -> None:
    """No job tried to renew it before its grace was over."""
    await couple.wallet_of(couple.a).subscribe("PLUS")
    await world.move_clock(await period_end(couple) + 4 * DAY)
    assert await status(couple) == "ACTIVE"
    assert await period_end(couple) > await world.now()
    assert await charged_to_a(couple) == 2 * PLUS


@pytest.mark.rule("BI-09")
async def test_our_own_outage_gives_no_plan_for_free(world: World, couple: PayingCouple) -> None:
    await couple.wallet_of(couple.a).subscribe("PLUS", FAILS_LATER)
    await world.move_clock(await period_end(couple) + 4 * DAY)
    assert (await couple.wallet_of(couple.a).subscription()).tier == TIER_FREE
    assert await charged_to_a(couple) == PLUS


@pytest.mark.rule("BI-09")
async def test_a_renewal_that_the_provider_will_never_charge_has_grace_too(world: World, couple: PayingCouple) -> None:
    await couple.wallet_of(couple.a).subscribe("PLUS")
    await world.superuser.execute(
        "UPDATE billing.subscriptions SET provider_method_id = 'pm_gone' WHERE user_id = $1", couple.a.user
    )
    end = await period_end(couple)
    await world.move_clock(end)
    assert await status(couple) == "GRACE"
    await couple.wallet_of(couple.a).subscribe("PLUS")  # again, by a valid card
    assert await status(couple) == "ACTIVE"
    assert await charged_to_a(couple) == 2 * PLUS


@pytest.mark.rule("BI-07")
async def test_a_payment_that_the_provider_will_never_charge_does_not_block_the_next(
    world: World, couple: PayingCouple
) -> None:
    await world.superuser.execute(
        """INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, provider_customer_id,
        version) VALUES ($1, 'free', 0, false, 0, 'cus_gone', 0)""",
        couple.a.user,
    )
    request = api.SubscribeRequest(request_id=request_id(), tier=TIER_PLUS)
    made = await couple.wallet_of(couple.a).billing.Subscribe(request, metadata=couple.a.metadata)
    assert (made.payment.status, made.payment.failure) == (api.PAYMENT_STATUS_FAILED, api.PAYMENT_FAILURE_DECLINED)
    assert not made.HasField("confirmation")
    await world.superuser.execute(
        "UPDATE billing.accounts SET provider_customer_id = NULL WHERE user_id = $1", couple.a.user
    )
    await couple.wallet_of(couple.a).subscribe("PLUS")
    assert await status(couple) == "ACTIVE"


@pytest.mark.rule("BI-01")
async def test_the_plans_show_what_the_other_contexts_apply(couple: PayingCouple) -> None:
    """Billing only shows these numbers; other contexts apply them."""
    wallet = couple.wallet_of(couple.a)
    found = await wallet.billing.ListPlans(api.ListPlansRequest(), metadata=couple.a.metadata)
    days = await couple.world.superuser.fetch("SELECT tier, reveal_day_required FROM reveal.reveal_milestones")
    for plan in found.plans:
        name = plan.name.lower()
        effect = EFFECTS[name.upper()]
        earned = sum(row["tier"] == name and row["reveal_day_required"] is not None for row in days)
        assert (plan.tier, plan.reveals_earned) == (effect.account, earned)
        assert (plan.connection_slots, plan.refresh_hours, plan.nudges) == effect[1:4]


@pytest.mark.rule("BI-01")
async def test_repeats_of_a_call_make_one_subscription(couple: PayingCouple) -> None:
    request = api.SubscribeRequest(request_id=request_id(), tier=TIER_PLUS)
    wallet = couple.wallet_of(couple.a)
    made = [await wallet.billing.Subscribe(request, metadata=couple.a.metadata) for _ in range(3)]
    assert len({each.payment.payment_id for each in made}) == 1
    assert await wallet.confirm(made[0].confirmation) == 200
    await couple.world.drain()
    assert await charged_to_a(couple) == PLUS
    lower = api.SubscribeRequest(request_id=request_id(), tier=TIER_PLUS)
    assert (await refusal(wallet.billing.Subscribe(lower, metadata=couple.a.metadata))).reason == "SUBSCRIPTION_EXISTS"
