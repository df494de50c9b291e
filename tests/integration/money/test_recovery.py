"""A missed day is paid for by money, by credits or by a free recovery, in time, too late, or at the deadline."""

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
from tests.integration.money.paying_couple import (
    HOLD,
    MINUTE,
    RECOVERY,
    SECOND,
    PayingCouple,
    make_couple,
    make_member_with_credits,
)
from tests.support import read_refusal, refusal


async def try_payment(wallet: Wallet, **more: str) -> api.CreatePaymentResponse | str:
    """A further device asks for a recovery. Returns the answer, or the reason of the refusal."""
    try:
        return await wallet.create(wallet.order(**more))
    except grpc.aio.AioRpcError as error:
        return read_refusal(error).reason


async def protections(world: World, payment_id: str) -> list[ProtectionOpened]:
    return [each for each in await world.events(ProtectionOpened) if each.payment_id == payment_id]


@pytest.mark.rule("ST-08", "ST-18", "BI-02", "BI-05")
async def test_the_breaker_pays_and_the_count_goes_on(world: World, couple: PayingCouple) -> None:
    await couple.complete_days(2)
    await couple.miss()
    payment_id = await couple.payer.pay()
    assert await couple.payer.status(payment_id) == "APPLIED"
    streak = await couple.now()
    assert (await couple.state(), streak.completed_days, streak.current_day) == ("ACTIVE", 2, 3)
    (recovered,) = await couple.events(StreakRecovered)
    (opened,) = await protections(world, payment_id)
    assert (opened.payer_id, opened.partner_id) == (couple.b.id, couple.a.id)
    assert opened.occurred_at == recovered.occurred_at
    linked = await world.superuser.fetchrow(
        """SELECT p.payment_id::text, p.user_id, b.breaker_user_id FROM streak.recovery_payments p
        JOIN streak.breaks b ON b.id = p.break_id WHERE b.streak_id = $1""",
        recovered.streak_id,
    )
    assert linked is not None
    assert tuple(linked) == (payment_id, couple.b.user, couple.b.user)
    assert await couple.payer.credits() == 0


@pytest.mark.rule("ST-08", "XX-04")
async def test_only_the_breaker_can_recover_and_strangers_learn_nothing(world: World, couple: PayingCouple) -> None:
    await couple.miss()
    partner, stranger = couple.wallet_of(couple.a), Wallet(world, world.caller(), couple.a, couple.streak_id)
    assert (await refusal(partner.create(partner.order()))).reason == "NOT_THE_BREAKER"
    held = await couple.payer.create(couple.payer.order())
    assert (await refusal(partner.create(partner.order()))).reason == "NOT_THE_BREAKER"
    of_another = await refusal(stranger.create(stranger.order()))
    of_none = await refusal(
        Wallet(world, stranger.member, couple.a).create(stranger.order(streak_id=stranger.connection_id))
    )
    assert of_another == of_none
    assert (of_another.code, of_another.reason) == ("NOT_FOUND", "STREAK_NOT_FOUND")
    assert held.payment.status == api.PAYMENT_STATUS_PENDING
    assert not (await couple.seen_by(couple.a)).HasField("recovery_held_until")


@pytest.mark.rule("BI-03", "BI-05")
async def test_credits_pay_and_are_protected_like_money(world: World) -> None:
    couple = await make_couple(world, b=await make_member_with_credits(world))
    await couple.miss()
    answer = await couple.payer.create(couple.payer.order(method="CREDITS"))
    assert not answer.HasField("confirmation")
    await world.drain()
    assert await couple.payer.status(answer.payment.payment_id) == "APPLIED"
    assert await couple.state() == "ACTIVE"
    assert await couple.payer.credits() == 0
    await couple.end_connection(couple.a)
    assert await couple.payer.credits() == RECOVERY


@pytest.mark.rule("BI-06", "BI-05")
async def test_a_free_recovery_goes_before_money_and_opens_no_protection(world: World, couple: PayingCouple) -> None:
    await couple.payer.subscribe("PLUS")
    await couple.miss()
    free = await couple.payer.create(couple.payer.order())
    assert (free.payment.method, free.payment.amount) == (api.PAYMENT_METHOD_FREE, 0)
    assert not free.HasField("confirmation")
    await world.drain()
    assert await couple.payer.status(free.payment.payment_id) == "APPLIED"
    assert await protections(world, free.payment.payment_id) == []
    await couple.check_in(couple.a, couple.b)
    await couple.to_next_day()
    await couple.miss()  # no free recovery is left for this connection
    paid = await couple.payer.create(couple.payer.order())
    assert (paid.payment.method, paid.payment.amount) == (api.PAYMENT_METHOD_MONEY, RECOVERY)
    await couple.end_connection(couple.a)
    assert await couple.payer.credits() == 0


@pytest.mark.rule("BI-03", "BI-06", "ST-20")
async def test_insufficient_credits_are_found_under_the_lock_and_release_the_window(
    world: World, couple: PayingCouple
) -> None:
    """A plus member may have a free recovery, so the credits are checked only when the connection is known."""
    await couple.payer.subscribe("PLUS")
    await couple.miss()
    await couple.payer.create(couple.payer.order())  # the free one
    await world.drain()
    await couple.check_in(couple.a, couple.b)
    await couple.to_next_day()
    await couple.miss()
    found = await refusal(couple.payer.create(couple.payer.order(method="CREDITS")))
    assert (found.reason, found.metadata) == ("CREDITS_INSUFFICIENT", {"balance": "0", "amount": "299"})
    await world.drain()
    mine = await couple.payer.billing.ListPayments(api.ListPaymentsRequest(), metadata=couple.b.metadata)
    # No card was declined, so it does not count against the member.
    assert mine.payments[0].failure == api.PAYMENT_FAILURE_NOT_AUTHORIZED
    assert await couple.payer.status(await couple.payer.pay()) == "APPLIED"


@pytest.mark.rule("ST-20", "BI-07")
async def test_a_declined_payment_can_be_followed_by_a_paid_one(world: World, couple: PayingCouple) -> None:
    await couple.miss()
    first = await couple.payer.create(couple.payer.order())
    assert await try_payment(couple.payer) == "RECOVERY_HELD"
    assert await couple.payer.confirm(first.confirmation, DECLINED) == 402
    await world.drain()
    assert await couple.payer.status(first.payment.payment_id) == "FAILED"
    second = await couple.payer.pay()
    assert await couple.payer.status(second) == "APPLIED"
    assert await couple.state() == "ACTIVE"
    assert len(await couple.events(RecoveryHeld)) == 2


@pytest.mark.rule("ST-20", "BI-08")
async def test_two_devices_of_the_breaker_at_once_pay_once(world: World, couple: PayingCouple) -> None:
    await couple.miss()
    answers = await asyncio.gather(*(try_payment(couple.payer) for _ in range(6)))
    (accepted,) = (each for each in answers if not isinstance(each, str))
    assert sorted(each for each in answers if isinstance(each, str)) == ["RECOVERY_HELD"] * 5
    assert await couple.payer.confirm(accepted.confirmation) == 200
    await world.drain()
    assert len(await couple.events(StreakRecovered)) == 1
    mine = await couple.payer.billing.ListPayments(api.ListPaymentsRequest(), metadata=couple.b.metadata)
    statuses = sorted(api.PaymentStatus.Name(each.status).removeprefix("PAYMENT_STATUS_") for each in mine.payments)
    assert statuses == ["APPLIED"] + ["FAILED"] * 5


@pytest.mark.rule("BI-06", "BI-08", "ST-20")
@pytest.mark.parametrize("tier", ["free", "plus"])
async def test_one_request_that_comes_many_times_at_once_is_one_payment(
    world: World, couple: PayingCouple, tier: str
) -> None:
    if tier == "plus":
        await couple.payer.subscribe("PLUS")
    await couple.miss()
    request = couple.payer.order()
    answers = await asyncio.gather(*(couple.payer.create(request) for _ in range(6)))
    assert len({each.payment.payment_id for each in answers}) == 1
    if tier == "free":
        assert len({each.confirmation.client_secret for each in answers}) == 1
        assert await couple.payer.confirm(answers[0].confirmation) == 200
    await world.drain()
    again = (await couple.payer.create(request)).payment
    assert (again.status, again.amount) == (api.PAYMENT_STATUS_APPLIED, RECOVERY if tier == "free" else 0)
    assert len(await couple.events(RecoveryHeld)) == len(await couple.events(StreakRecovered)) == 1
    used = await world.superuser.fetchval(
        "SELECT coalesce(sum(used), 0) FROM billing.free_recovery_allowances WHERE user_id = $1", couple.b.user
    )
    assert used == (tier == "plus")


@pytest.mark.rule("ST-17", "ST-20", "BI-11")
async def test_two_devices_that_both_pay_after_a_hold_recover_once_and_get_credits_once(
    world: World, couple: PayingCouple
) -> None:
    await couple.miss()
    first = await couple.payer.create(couple.payer.order())
    await world.move_clock(HOLD + SECOND)
    second = await couple.payer.create(couple.payer.order())
    world.payments.paused = True
    assert [await couple.payer.confirm(each.confirmation) for each in (first, second)] == [200, 200]
    world.payments.paused = False
    await world.drain()
    became = {await couple.payer.status(each.payment.payment_id) for each in (first, second)}
    assert became == {"APPLIED", "CREDITED"}
    assert len(await couple.events(StreakRecovered)) == 1
    assert await couple.payer.credits() == RECOVERY


@pytest.mark.rule("ST-20", "ST-08")
async def test_a_payment_within_the_hold_but_past_the_deadline_recovers(world: World, couple: PayingCouple) -> None:
    deadline = await couple.miss()
    await world.move_clock(deadline - MINUTE)
    made = await couple.payer.create(couple.payer.order())
    await world.move_clock(deadline + HOLD - 2 * MINUTE)
    assert await couple.payer.confirm(made.confirmation) == 200
    await couple.deliver_and_sweep_at_once()
    assert await couple.state() == "ACTIVE"
    assert await couple.payer.status(made.payment.payment_id) == "APPLIED"


@pytest.mark.rule("ST-17", "BI-11", "ST-09")
@pytest.mark.parametrize("delivery", ["after the sweep", "with the sweep"])
async def test_a_payment_in_time_while_the_sweep_closes_the_window_recovers_or_becomes_credits(
    world: World, couple: PayingCouple, delivery: str
) -> None:
    """Whichever takes the row's lock first decides: it recovers or becomes credits, never both and never neither."""
    await couple.complete_days(1)
    deadline = await couple.miss()
    await world.move_clock(deadline - MINUTE)
    made = await couple.payer.create(couple.payer.order())
    await couple.jump(deadline + HOLD - 2 * MINUTE)
    assert await couple.payer.confirm(made.confirmation) == 200
    await world.payments.deliver()
    assert len(await world.events(PaymentSucceeded, made.payment.payment_id)) == 1
    await couple.jump(deadline + HOLD)
    if delivery == "after the sweep":
        await world.apps["streak"].jobs[0].step()
        await world.drain()
        assert await couple.state() == "RESET"
    else:
        await couple.deliver_and_sweep_at_once()
    recovered, rejected = await couple.events(StreakRecovered), await couple.events(RecoveryRejected)
    assert len(recovered) + len(rejected) == 1
    streak = await couple.now()
    became = (await couple.state(), streak.completed_days, await couple.payer.credits())
    assert became == (("ACTIVE", 1, 0) if recovered else ("RESET", 0, RECOVERY))
    status = await couple.payer.status(made.payment.payment_id)
    assert status == ("APPLIED" if recovered else "CREDITED")
    connection = await People(world).connection(couple.b, couple.pair.connection_id)
    assert connection.status == CONNECTION_STATUS_ACTIVE


@pytest.mark.rule("ST-17", "BI-06")
async def test_a_free_recovery_that_comes_too_late_is_given_back(world: World, couple: PayingCouple) -> None:
    await couple.payer.subscribe("PLUS")
    await couple.miss()
    free = await couple.payer.create(couple.payer.order())
    await People(world).end(couple.a, couple.pair.connection_id)
    streak = world.apps["streak"]  # receives the ending first
    await world.relay("matching")
    for consumer in streak.consumers:
        if consumer.consumes.stream == "matching":
            await consumer.step()
    await world.drain()
    assert await couple.payer.status(free.payment.payment_id) == "CREDITED"
    assert await couple.payer.credits() == 0
    used = await world.superuser.fetchval(
        "SELECT used FROM billing.free_recovery_allowances WHERE connection_id = $1 AND user_id = $2",
        *(couple.pair.connection_id, couple.b.user),
    )
    assert used == 0


@pytest.mark.rule("BI-07", "BI-08", "ST-08")
async def test_repeated_reversed_and_early_webhooks_make_one_recovery(
    world: World, couple: PayingCouple, monkeypatch: pytest.MonkeyPatch
) -> None:
    await couple.miss()
    provider = world.apps["billing"].runtime.resources.provider
    charge = provider.charge

    async def charge_and_send_events(asked: object) -> object:
        intent = await charge(asked)
        with pytest.raises(Exception, match="card_declined"):
            world.payments.store.confirm(intent.id, DECLINED)
        world.payments.store.confirm(intent.id, "pm_card_visa")
        failed, succeeded = world.payments.store.undelivered[-2:]
        for event in (succeeded, failed, succeeded):
            assert await world.payments.send(event)
        await asyncio.gather(*(world.payments.send(succeeded) for _ in range(5)))
        return intent

    monkeypatch.setattr(provider, "charge", charge_and_send_events)
    made = await couple.payer.create(couple.payer.order())
    assert made.payment.status == api.PAYMENT_STATUS_SUCCEEDED
    await world.drain()
    assert await couple.payer.status(made.payment.payment_id) == "APPLIED"
    assert len(await couple.events(StreakRecovered)) == 1
    assert await couple.payer.credits() == 0


@pytest.mark.rule("ST-17", "ST-09")
async def test_a_payment_for_one_break_does_not_recover_the_next(world: World, couple: PayingCouple) -> None:
    deadline = await couple.miss()
    await world.move_clock(deadline - MINUTE)
    made = await couple.payer.create(couple.payer.order())
    await world.move_clock(deadline + HOLD)
    assert await couple.state() == "RESET"
    await couple.check_in(couple.a)
    await couple.jump(await couple.day_ends_at())
    assert await couple.payer.confirm(made.confirmation) == 200
    await world.payments.deliver()
    await world.drain()
    assert await couple.payer.status(made.payment.payment_id) == "CREDITED"
    assert await couple.payer.credits() == RECOVERY
    assert await couple.state() == "PAYMENT_WINDOW"
