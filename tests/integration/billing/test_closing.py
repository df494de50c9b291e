"""ID-09: a closed account has no subscription and no credits, and pays for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.events_pb2 import CreditsChanged, SubscriptionChanged
from unora.common.v1.types_pb2 import TIER_FREE, TIER_PLUS
from unora.identity.v1.events_pb2 import AccountClosed, AccountHidden, AccountReopened
from unora_billing.clients import Authorizers
from unora_billing.domain.payments import Payment
from unora_billing.store import payments
from unora_testing.world import World

from tests.integration.billing.conftest import Wallet
from tests.support import refusal, request_id

E = TypeVar("E", AccountClosed, AccountHidden, AccountReopened)


def account_event(kind: type[E], wallet: Wallet, version: int, at: datetime) -> E:
    event = kind(user_id=wallet.member.id, version=version)
    event.occurred_at.FromDatetime(at)
    return event


async def close(world: World, wallet: Wallet, version: int = 7) -> None:
    await world.publish(account_event(AccountClosed, wallet, version, await world.now()))


@pytest.mark.rule("ID-09", "BI-03")
async def test_closing_ends_the_subscription_and_forfeits_the_credits_in_one_row(world: World, wallet: Wallet) -> None:
    earned = await wallet.earn_credits(2)
    await wallet.subscribe("PLUS")
    await close(world, wallet)
    assert (await wallet.subscription()).tier == TIER_FREE
    assert await wallet.credits() == 0
    assert (await wallet.entries())[-1] == ("FORFEITED", -earned)
    last = (await world.events(CreditsChanged, wallet.member.id))[-1]
    assert (last.kind, last.payment_id, last.balance) == (api.CREDIT_ENTRY_KIND_FORFEITED, "", 0)
    assert (await world.events(SubscriptionChanged, wallet.member.id))[-1].status == api.SUBSCRIPTION_STATUS_ENDED
    await world.publish(account_event(AccountReopened, wallet, 8, await world.now()))
    assert ((await wallet.subscription()).tier, await wallet.credits()) == (TIER_FREE, 0), "reopening restores nothing"


@pytest.mark.rule("ID-13", "BI-03")
async def test_a_hidden_account_loses_the_subscription_and_keeps_its_credits_and_those_that_come(
    world: World, wallet: Wallet
) -> None:
    await wallet.recover()
    earned = await wallet.earn_credits(1)
    await wallet.subscribe("PLUS")
    ended_at = await world.now()
    await world.publish(account_event(AccountHidden, wallet, 7, ended_at))
    assert ((await wallet.subscription()).tier, await wallet.credits()) == (TIER_FREE, earned)
    await world.publish(wallet.ended_event(wallet.partner, ended_at))
    assert await wallet.entries() == [("COMPENSATION", earned), ("PROTECTION", 299)]
    await world.publish(account_event(AccountReopened, wallet, 8, await world.now()))
    assert await wallet.credits() == earned + 299
    await close(world, wallet, version=9)
    assert await wallet.credits() == 0, "an account that came back forfeits them like any other when it is closed"


@pytest.mark.rule("ID-13")
async def test_a_hiding_that_comes_late_takes_no_credits(world: World, wallet: Wallet) -> None:
    earned = await wallet.earn_credits(1)
    hidden_at = await world.now()
    await world.publish(account_event(AccountReopened, wallet, 8, hidden_at))
    await world.publish(account_event(AccountHidden, wallet, 7, hidden_at))
    assert await wallet.credits() == earned


@pytest.mark.rule("ID-09", "BI-11")
async def test_a_payment_in_progress_is_cancelled_and_cannot_be_confirmed_any_more(
    world: World, wallet: Wallet
) -> None:
    made = await wallet.create(wallet.order())
    await close(world, wallet)
    assert await wallet.status(made.payment.payment_id) == "FAILED"
    assert await wallet.confirm(made.confirmation) != 200
    await world.drain()
    assert (await wallet.credits(), await wallet.entries()) == (0, [])


@pytest.mark.rule("ID-09", "BI-11")
async def test_money_that_was_taken_all_the_same_becomes_credits_and_is_forfeited(
    world: World, wallets: Callable[[], Wallet]
) -> None:
    buyer, subscriber = wallets(), wallets()
    paid = await buyer.pay()
    made = await subscriber.billing.Subscribe(
        api.SubscribeRequest(request_id=request_id(), tier=TIER_PLUS), metadata=subscriber.member.metadata
    )
    await world.superuser.execute(  # the event arrives before the job has cancelled the charge
        """INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, version, closed)
        VALUES ($1, 'free', 0, false, 0, 0, true) ON CONFLICT (user_id) DO UPDATE SET closed = true""",
        subscriber.member.user,
    )
    assert await subscriber.confirm(made.confirmation) == 200
    await world.drain()
    await close(world, buyer)
    await world.publish(buyer.rejected_event(paid, await world.now()))
    for wallet, amount in ((buyer, 299), (subscriber, 999)):
        assert await wallet.entries() == [("COMPENSATION", amount), ("FORFEITED", -amount)]
        assert await wallet.credits() == 0
    assert (await subscriber.subscription()).tier == TIER_FREE


@pytest.mark.rule("ID-09")
async def test_a_closed_account_buys_nothing_until_it_is_open_again(world: World, wallet: Wallet) -> None:
    await close(world, wallet)
    subscribing = api.SubscribeRequest(request_id=request_id(), tier=TIER_PLUS)
    for call in (
        wallet.create(wallet.order()),
        wallet.billing.Subscribe(subscribing, metadata=wallet.member.metadata),
    ):
        refused = await refusal(call)
        assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "ACCOUNT_IS_CLOSED")
    await world.publish(account_event(AccountReopened, wallet, 8, await world.now()))
    await wallet.subscribe("PLUS")
    assert (await wallet.subscription()).tier == TIER_PLUS


async def nothing(*_: Any) -> list[UUID]:
    return []


async def close_and_reopen(world: World, wallet: Wallet) -> None:
    await close(world, wallet)
    await world.move_clock(timedelta(minutes=1))
    await world.publish(account_event(AccountReopened, wallet, 8, await world.now()))


@pytest.mark.rule("ID-09", "BI-11")
async def test_a_payment_from_before_a_closing_is_cancelled_though_the_account_is_open_again_when_the_job_looks(
    world: World, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await wallet.create(wallet.order())
    with monkeypatch.context() as patch:
        patch.setattr(payments, "claim_due", nothing)
        await close_and_reopen(world, wallet)
        since = await wallet.create(wallet.order())
    await world.drain()
    statuses = [await wallet.status(each.payment.payment_id) for each in (before, since)]
    assert statuses == ["FAILED", "PENDING"]
    assert (await wallet.payment(before.payment.payment_id)).failure == api.PAYMENT_FAILURE_NOT_AUTHORIZED
    assert [await wallet.confirm(each.confirmation) == 200 for each in (before, since)] == [False, True]


@pytest.mark.rule("ID-09", "BI-11", "XX-02")
async def test_a_closing_that_arrives_late_cancels_earlier_payments_and_no_later_ones(
    world: World, wallet: Wallet
) -> None:
    before = await wallet.create(wallet.order())
    closing = account_event(AccountClosed, wallet, 7, await world.now())
    await world.move_clock(timedelta(minutes=1))
    await world.publish(account_event(AccountReopened, wallet, 8, await world.now()))
    since = await wallet.create(wallet.order())
    await world.publish(closing)
    statuses = [await wallet.status(each.payment.payment_id) for each in (before, since)]
    assert statuses == ["FAILED", "PENDING"]
    await wallet.pay()


@pytest.mark.rule("ID-09", "XX-02")
async def test_an_older_closing_that_arrives_after_a_newer_one_takes_nothing_from_it(
    world: World, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = account_event(AccountClosed, wallet, 5, await world.now())
    await world.move_clock(timedelta(minutes=1))
    before = await wallet.create(wallet.order())
    with monkeypatch.context() as patch:
        patch.setattr(payments, "claim_due", nothing)
        await close_and_reopen(world, wallet)
        await world.publish(older)
    await world.drain()
    assert await wallet.status(before.payment.payment_id) == "FAILED"


@pytest.mark.rule("ID-09", "BI-11")
async def test_a_plan_that_was_paid_after_the_closing_that_ended_its_payment_becomes_credits(
    world: World, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = api.SubscribeRequest(request_id=request_id(), tier=TIER_PLUS)
    made = await wallet.billing.Subscribe(begun, metadata=wallet.member.metadata)
    monkeypatch.setattr(payments, "claim_due", nothing)
    await close_and_reopen(world, wallet)
    assert await wallet.confirm(made.confirmation) == 200
    await world.drain()
    assert await wallet.entries() == [("COMPENSATION", 999)]
    assert (await wallet.subscription()).tier == TIER_FREE


@pytest.mark.rule("ID-09", "BI-11")
@pytest.mark.parametrize("method", ["MONEY", "CREDITS"])
async def test_an_owner_who_answers_after_the_account_was_closed_and_reopened_lets_nobody_pay(
    world: World, wallet: Wallet, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    async def authorize(self: Authorizers, payment: Payment) -> UUID:
        await close_and_reopen(world, wallet)
        return UUID(wallet.connection_id)

    await wallet.earn_credits()
    monkeypatch.setattr(payments, "claim_due", nothing)
    monkeypatch.setattr(Authorizers, "authorize", authorize)
    made = await wallet.create(wallet.order(method=method))
    assert (made.payment.status, made.HasField("confirmation")) == (api.PAYMENT_STATUS_FAILED, False)


@pytest.mark.rule("BI-05", "ID-09")
async def test_a_closing_of_the_partners_account_turns_the_price_of_a_protected_recovery_into_credits(
    world: World, wallet: Wallet
) -> None:
    await wallet.recover()
    event = wallet.ended_event(wallet.partner, await world.now(), cause="END_CAUSE_CLOSING")
    event.acted_at.FromDatetime(await world.now())
    await world.publish(event)
    assert await wallet.entries() == [("PROTECTION", 299)]


@pytest.mark.rule("BI-05", "ID-09")
async def test_credits_of_an_earlier_ending_that_come_after_the_closing_are_forfeited(
    world: World, wallet: Wallet
) -> None:
    await wallet.recover()
    ended_at = await world.now()
    await close(world, wallet)
    await world.publish(wallet.ended_event(wallet.partner, ended_at))
    assert await wallet.entries() == [("PROTECTION", 299), ("FORFEITED", -299)]


@pytest.mark.rule("ID-09", "XX-02")
async def test_a_closing_that_arrives_after_the_reopening_takes_only_what_was_there_before(
    world: World, wallet: Wallet
) -> None:
    before = await wallet.earn_credits()
    closing = account_event(AccountClosed, wallet, 7, await world.now())
    await world.move_clock(timedelta(minutes=1))
    await world.publish(account_event(AccountReopened, wallet, 8, await world.now()))
    after = await wallet.earn_credits() - before
    await world.publish(closing)
    assert await wallet.credits() == after


@pytest.mark.rule("ID-09", "XX-02")
async def test_a_closing_that_arrives_late_ends_an_earlier_subscription_and_no_later_one(
    world: World, wallets: Callable[[], Wallet]
) -> None:
    earlier, later = wallets(), wallets()
    await earlier.subscribe("PLUS")
    closings = [account_event(AccountClosed, each, 7, await world.now()) for each in (earlier, later)]
    await world.move_clock(timedelta(minutes=1))
    for each in (earlier, later):
        await world.publish(account_event(AccountReopened, each, 8, await world.now()))
    await later.subscribe("PLUS")
    await world.publish(*closings)
    assert ((await earlier.subscription()).tier, (await later.subscription()).tier) == (TIER_FREE, TIER_PLUS)


@pytest.mark.rule("ID-09", "BI-03", "BI-08")
async def test_payments_that_are_made_while_the_account_closes_leave_no_credits_and_no_open_charge(
    world: World, wallets: Callable[[], Wallet]
) -> None:
    for _ in range(5):
        wallet = wallets()
        await wallet.earn_credits(2)
        orders = [wallet.order(method=method) for method in ("MONEY", "CREDITS", "CREDITS")]
        done = await asyncio.gather(
            *(wallet.create(order) for order in orders), close(world, wallet), return_exceptions=True
        )
        for result in done[:-1]:
            assert not isinstance(result, BaseException) or getattr(result, "code", None), result
        await world.drain()
        assert await wallet.credits() == 0
        answer = await wallet.billing.ListPayments(api.ListPaymentsRequest(), metadata=wallet.member.metadata)
        statuses = {api.PaymentStatus.Name(each.status) for each in answer.payments}
        assert not statuses & {"PAYMENT_STATUS_CREATED", "PAYMENT_STATUS_PENDING"}
