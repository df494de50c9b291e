"""A missed day is paid for: by money, by credits, by a free recovery; in time, too late, and in the very moment."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.events_pb2 import PaymentSucceeded, ProtectionOpened
from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ACTIVE
from unora.streak.v1.events_pb2 import RecoveryHeld, RecoveryRejected, StreakRecovered
from unora_testing.world import World

from tests.integration.billing.conftest import DECLINED, Wallet
from tests.integration.matching.people import People
from tests.integration.money.home import HOLD, MINUTE, RECOVERY, SECOND, Home, met, with_credits
from tests.support import read_refusal, refusal


async def tried(wallet: Wallet, **more: str) -> api.CreatePaymentResponse | str:
    """A recovery asked for by one more device: the answer, or why it was refused."""
    try:
        return await wallet.create(wallet.ask(**more))
    except grpc.aio.AioRpcError as error:
        return read_refusal(error).reason


async def protections(world: World, payment_id: str) -> list[ProtectionOpened]:
    return [each for each in await world.events(ProtectionOpened) if each.payment_id == payment_id]


@pytest.mark.rule("ST-08", "ST-18", "BI-02", "BI-05")
async def test_the_breaker_pays_and_the_count_goes_on(world: World, home: Home) -> None:
    await home.reach(2)
    await home.miss()
    payment_id = await home.payer.pay()
    assert await home.payer.status(payment_id) == "APPLIED"
    streak = await home.now()
    assert (await home.state(), streak.completed_days, streak.current_day) == ("ACTIVE", 2, 3)
    (recovered,) = await home.events(StreakRecovered)
    (opened,) = await protections(world, payment_id)
    assert (opened.payer_id, opened.partner_id) == (home.b.id, home.a.id)
    assert opened.occurred_at == recovered.occurred_at
    linked = await world.superuser.fetchrow(
        """SELECT p.payment_id::text, p.user_id, b.breaker_user_id FROM streak.recovery_payments p
        JOIN streak.breaks b ON b.id = p.break_id WHERE b.streak_id = $1""",
        recovered.streak_id,
    )
    assert linked is not None
    assert tuple(linked) == (payment_id, home.b.user, home.b.user)
    assert await home.payer.credits() == 0


@pytest.mark.rule("ST-08", "XX-04")
async def test_nobody_else_recovers_and_strangers_learn_nothing(world: World, home: Home) -> None:
    await home.miss()
    partner, stranger = home.purse(home.a), Wallet(world, world.caller(), home.a, home.streak_id)
    assert (await refusal(partner.create(partner.ask()))).reason == "NOT_THE_BREAKER"
    held = await home.payer.create(home.payer.ask())
    assert (await refusal(partner.create(partner.ask()))).reason == "NOT_THE_BREAKER"
    of_another = await refusal(stranger.create(stranger.ask()))
    of_none = await refusal(
        Wallet(world, stranger.member, home.a).create(stranger.ask(streak_id=stranger.connection_id))
    )
    assert of_another == of_none
    assert (of_another.code, of_another.reason) == ("NOT_FOUND", "STREAK_NOT_FOUND")
    assert held.payment.status == api.PAYMENT_STATUS_PENDING
    assert not (await home.seen_by(home.a)).HasField("recovery_held_until")


@pytest.mark.rule("BI-03", "BI-05")
async def test_credits_pay_and_are_protected_like_money(world: World) -> None:
    home = await met(world, b=await with_credits(world))
    await home.miss()
    answer = await home.payer.create(home.payer.ask(method="CREDITS"))
    assert not answer.HasField("confirmation")
    await world.drain()
    assert await home.payer.status(answer.payment.payment_id) == "APPLIED"
    assert await home.state() == "ACTIVE"
    assert await home.payer.credits() == 0
    await home.ended(home.a)
    assert await home.payer.credits() == RECOVERY


@pytest.mark.rule("BI-06", "BI-05")
async def test_a_free_recovery_goes_before_money_and_opens_no_protection(world: World, home: Home) -> None:
    await home.payer.subscribe("PLUS")
    await home.miss()
    free = await home.payer.create(home.payer.ask())
    assert (free.payment.method, free.payment.amount) == (api.PAYMENT_METHOD_FREE, 0)
    assert not free.HasField("confirmation")
    await world.drain()
    assert await home.payer.status(free.payment.payment_id) == "APPLIED"
    assert await protections(world, free.payment.payment_id) == []
    await home.check_in(home.a, home.b)
    await home.to_next_day()
    await home.miss()  # the same connection has none left
    paid = await home.payer.create(home.payer.ask())
    assert (paid.payment.method, paid.payment.amount) == (api.PAYMENT_METHOD_MONEY, RECOVERY)
    await home.ended(home.a)
    assert await home.payer.credits() == 0


@pytest.mark.rule("BI-03", "BI-06", "ST-20")
async def test_want_of_credits_is_found_under_the_lock_and_frees_the_window(world: World, home: Home) -> None:
    """A plus member might have a free recovery, so the credits are looked at only when the connection is known."""
    await home.payer.subscribe("PLUS")
    await home.miss()
    await home.payer.create(home.payer.ask())  # the free one
    await world.drain()
    await home.check_in(home.a, home.b)
    await home.to_next_day()
    await home.miss()
    found = await refusal(home.payer.create(home.payer.ask(method="CREDITS")))
    assert (found.reason, found.metadata) == ("CREDITS_INSUFFICIENT", {"balance": "0", "amount": "299"})
    await world.drain()
    mine = await home.payer.billing.ListPayments(api.ListPaymentsRequest(), metadata=home.b.metadata)
    # No card was declined: it counts for nothing against the member.
    assert mine.payments[0].failure == api.PAYMENT_FAILURE_NOT_AUTHORIZED
    assert await home.payer.status(await home.payer.pay()) == "APPLIED"


@pytest.mark.rule("ST-20", "BI-07")
async def test_declined_and_then_paid(world: World, home: Home) -> None:
    await home.miss()
    first = await home.payer.create(home.payer.ask())
    assert await tried(home.payer) == "RECOVERY_HELD"
    assert await home.payer.confirm(first.confirmation, DECLINED) == 402
    await world.drain()
    assert await home.payer.status(first.payment.payment_id) == "FAILED"
    second = await home.payer.pay()
    assert await home.payer.status(second) == "APPLIED"
    assert await home.state() == "ACTIVE"
    assert len(await home.events(RecoveryHeld)) == 2


@pytest.mark.rule("ST-20", "BI-08")
async def test_two_devices_of_the_breaker_at_once_pay_once(world: World, home: Home) -> None:
    await home.miss()
    answers = await asyncio.gather(*(tried(home.payer) for _ in range(6)))
    (let_through,) = (each for each in answers if not isinstance(each, str))
    assert sorted(each for each in answers if isinstance(each, str)) == ["RECOVERY_HELD"] * 5
    assert await home.payer.confirm(let_through.confirmation) == 200
    await world.drain()
    assert len(await home.events(StreakRecovered)) == 1
    mine = await home.payer.billing.ListPayments(api.ListPaymentsRequest(), metadata=home.b.metadata)
    statuses = sorted(api.PaymentStatus.Name(each.status).removeprefix("PAYMENT_STATUS_") for each in mine.payments)
    assert statuses == ["APPLIED"] + ["FAILED"] * 5


@pytest.mark.rule("BI-06", "BI-08", "ST-20")
@pytest.mark.parametrize("tier", ["free", "plus"])
async def test_one_request_that_comes_many_times_at_once_is_one_payment(world: World, home: Home, tier: str) -> None:
    if tier == "plus":
        await home.payer.subscribe("PLUS")
    await home.miss()
    request = home.payer.ask()
    answers = await asyncio.gather(*(home.payer.create(request) for _ in range(6)))
    assert len({each.payment.payment_id for each in answers}) == 1
    if tier == "free":
        assert len({each.confirmation.client_secret for each in answers}) == 1
        assert await home.payer.confirm(answers[0].confirmation) == 200
    await world.drain()
    again = (await home.payer.create(request)).payment
    assert (again.status, again.amount) == (api.PAYMENT_STATUS_APPLIED, RECOVERY if tier == "free" else 0)
    assert len(await home.events(RecoveryHeld)) == len(await home.events(StreakRecovered)) == 1
    used = await world.superuser.fetchval(
        "SELECT coalesce(sum(used), 0) FROM billing.free_recovery_allowances WHERE user_id = $1", home.b.user
    )
    assert used == (tier == "plus")


@pytest.mark.rule("ST-17", "ST-20", "BI-11")
async def test_two_devices_that_both_pay_after_a_hold_recover_once_and_get_credits_for_the_other(
    world: World, home: Home
) -> None:
    await home.miss()
    first = await home.payer.create(home.payer.ask())
    await world.move_clock(HOLD + SECOND)
    second = await home.payer.create(home.payer.ask())
    world.payments.paused = True
    assert [await home.payer.confirm(each.confirmation) for each in (first, second)] == [200, 200]
    world.payments.paused = False
    await world.drain()
    became = {await home.payer.status(each.payment.payment_id) for each in (first, second)}
    assert became == {"APPLIED", "CREDITED"}
    assert len(await home.events(StreakRecovered)) == 1
    assert await home.payer.credits() == RECOVERY


@pytest.mark.rule("ST-20", "ST-08")
async def test_paid_within_the_hold_but_past_the_deadline_recovers(world: World, home: Home) -> None:
    deadline = await home.miss()
    await world.move_clock(deadline - MINUTE)
    made = await home.payer.create(home.payer.ask())
    await world.move_clock(deadline + HOLD - 2 * MINUTE)
    assert await home.payer.confirm(made.confirmation) == 200
    await home.heard_and_swept_at_once()
    assert await home.state() == "ACTIVE"
    assert await home.payer.status(made.payment.payment_id) == "APPLIED"


@pytest.mark.rule("ST-17", "BI-11", "ST-09")
@pytest.mark.parametrize("news", ["after the sweep", "with the sweep"])
async def test_paid_in_time_while_the_sweep_closes_the_window(world: World, home: Home, news: str) -> None:
    """Either it recovers or it becomes credits, whichever took the row's lock first; never both, never neither."""
    await home.reach(1)
    deadline = await home.miss()
    await world.move_clock(deadline - MINUTE)
    made = await home.payer.create(home.payer.ask())
    await home.jump(deadline + HOLD - 2 * MINUTE)
    assert await home.payer.confirm(made.confirmation) == 200
    await world.payments.deliver()
    assert len(await world.events(PaymentSucceeded, made.payment.payment_id)) == 1
    await home.jump(deadline + HOLD)
    if news == "after the sweep":
        await world.apps["streak"].jobs[0].step()
        await world.drain()
        assert await home.state() == "RESET"
    else:
        await home.heard_and_swept_at_once()
    recovered, rejected = await home.events(StreakRecovered), await home.events(RecoveryRejected)
    assert len(recovered) + len(rejected) == 1
    streak = await home.now()
    became = (await home.state(), streak.completed_days, await home.payer.credits())
    assert became == (("ACTIVE", 1, 0) if recovered else ("RESET", 0, RECOVERY))
    status = await home.payer.status(made.payment.payment_id)
    assert status == ("APPLIED" if recovered else "CREDITED")
    connection = await People(world).connection(home.b, home.pair.connection_id)
    assert connection.status == CONNECTION_STATUS_ACTIVE


@pytest.mark.rule("ST-17", "BI-06")
async def test_a_free_recovery_that_comes_too_late_is_given_back(world: World, home: Home) -> None:
    await home.payer.subscribe("PLUS")
    await home.miss()
    free = await home.payer.create(home.payer.ask())
    await People(world).end(home.a, home.pair.connection_id)
    streak = world.apps["streak"]  # the ending is heard first
    await world.apps["matching"].relay.step()
    for consumer in streak.consumers:
        if consumer.consumes.stream == "matching":
            await consumer.step()
    await world.drain()
    assert await home.payer.status(free.payment.payment_id) == "CREDITED"
    assert await home.payer.credits() == 0
    used = await world.superuser.fetchval(
        "SELECT used FROM billing.free_recovery_allowances WHERE connection_id = $1 AND user_id = $2",
        *(home.pair.connection_id, home.b.user),
    )
    assert used == 0


@pytest.mark.rule("BI-07", "BI-08", "ST-08")
async def test_webhooks_repeated_reversed_and_early_bring_one_recovery(
    world: World, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await home.miss()
    provider = world.apps["billing"].runtime.resources.provider
    charge = provider.charge

    async def told_before_we_note_it(asked: object) -> object:
        intent = await charge(asked)
        with pytest.raises(Exception, match="card_declined"):
            world.payments.store.confirm(intent.id, DECLINED)
        world.payments.store.confirm(intent.id, "pm_card_visa")
        failed, succeeded = world.payments.store.undelivered[-2:]
        for event in (succeeded, failed, succeeded):
            assert await world.payments.send(event)
        await asyncio.gather(*(world.payments.send(succeeded) for _ in range(5)))
        return intent

    monkeypatch.setattr(provider, "charge", told_before_we_note_it)
    made = await home.payer.create(home.payer.ask())
    assert made.payment.status == api.PAYMENT_STATUS_SUCCEEDED
    await world.drain()
    assert await home.payer.status(made.payment.payment_id) == "APPLIED"
    assert len(await home.events(StreakRecovered)) == 1
    assert await home.payer.credits() == 0


@pytest.mark.rule("ST-17", "ST-09")
async def test_what_is_paid_for_one_break_does_not_recover_the_next(world: World, home: Home) -> None:
    deadline = await home.miss()
    await world.move_clock(deadline - MINUTE)
    made = await home.payer.create(home.payer.ask())
    await world.move_clock(deadline + HOLD)
    assert await home.state() == "RESET"
    await home.check_in(home.a)
    await home.jump(await home.day_ends_at())
    assert await home.payer.confirm(made.confirmation) == 200
    await world.payments.deliver()
    await world.drain()
    assert await home.payer.status(made.payment.payment_id) == "CREDITED"
    assert await home.payer.credits() == RECOVERY
    assert await home.state() == "PAYMENT_WINDOW"
