"""Credits for recoveries that could not be delivered, and for those that a partner's ending made worthless."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import grpc
import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.events_pb2 import CreditsChanged, PaymentCredited, ProtectionClosed, ProtectionOpened
from unora.matching.v1.events_pb2 import END_CAUSE_BLOCK, END_CAUSE_SUSPENSION
from unora_common.messages import from_timestamp
from unora_testing.world import World

from tests.integration.billing.conftest import Wallet
from tests.support import read_refusal, refusal

DAY = timedelta(hours=24)
SECOND = timedelta(seconds=1)


@pytest.mark.rule("BI-05")
@pytest.mark.parametrize("cause", [0, END_CAUSE_BLOCK, END_CAUSE_SUSPENSION])
async def test_the_partners_ending_within_a_day_turns_the_price_into_credits(
    world: World, wallet: Wallet, cause: int
) -> None:
    payment_id = await wallet.recover()
    (opened,) = [e for e in await world.events(ProtectionOpened) if e.payment_id == payment_id]
    assert from_timestamp(opened.expires_at) - from_timestamp(opened.occurred_at) == DAY
    await world.publish(wallet.ended_event(wallet.partner, from_timestamp(opened.expires_at) - SECOND, cause=cause))
    assert await wallet.credits() == 299
    assert await wallet.status(payment_id) == "CREDITED"
    (closed,) = await world.events(ProtectionClosed, opened.protection_id)
    assert closed.converted
    (credited,) = await world.events(PaymentCredited, payment_id)
    assert credited.kind == api.CREDIT_ENTRY_KIND_PROTECTION


@pytest.mark.rule("BI-05")
async def test_the_moment_of_the_ending_decides_and_not_the_arrival_of_its_event(world: World, wallet: Wallet) -> None:
    payment_id = await wallet.recover()
    ended_at = await world.now()
    await world.move_clock(timedelta(days=3))  # the protection has expired meanwhile
    assert await wallet.credits() == 0
    await world.publish(wallet.ended_event(wallet.partner, ended_at))
    assert await wallet.credits() == 299
    assert await wallet.status(payment_id) == "CREDITED"


@pytest.mark.rule("BI-05")
async def test_an_ending_whose_event_comes_before_the_recovery_counts(world: World, wallet: Wallet) -> None:
    payment_id = await wallet.pay()
    at = await world.now()
    await world.publish(wallet.ended_event(wallet.partner, at + SECOND))
    await world.publish(wallet.recovered_event(payment_id, at))
    assert await wallet.credits() == 299


@pytest.mark.rule("BI-05")
async def test_an_ending_after_a_day_or_by_the_payer_converts_nothing(
    world: World, wallets: Callable[[], Wallet]
) -> None:
    late, own = wallets(), wallets()
    for wallet in (late, own):
        await wallet.recover()
    now = await world.now()
    await world.publish(late.ended_event(late.partner, now + DAY))
    await world.publish(own.ended_event(own.member, now))
    await world.move_clock(timedelta(days=2))
    assert (await late.credits(), await own.credits()) == (0, 0)
    closed = [e for e in await world.events(ProtectionClosed) if e.payer_id in (late.member.id, own.member.id)]
    assert [event.converted for event in closed] == [False, False]


@pytest.mark.rule("BI-05", "BI-11")
async def test_a_payment_converts_once_whatever_comes_after(world: World, wallet: Wallet) -> None:
    payment_id = await wallet.recover()
    now = await world.now()
    for _ in range(2):  # each as an event of its own
        event = wallet.ended_event(wallet.partner, now)
        event.version += _
        await world.publish(event, wallet.recovered_event(payment_id, now), wallet.rejected_event(payment_id, now))
    assert await wallet.credits() == 299
    assert len(await world.events(CreditsChanged, wallet.member.id)) == 1


@pytest.mark.rule("BI-05")
async def test_a_recovery_by_credits_is_protected_too(world: World, wallet: Wallet) -> None:
    await wallet.earn_credits()
    made = await wallet.create(wallet.order(method="CREDITS"))
    assert (made.payment.status, made.payment.method) == (api.PAYMENT_STATUS_SUCCEEDED, api.PAYMENT_METHOD_CREDITS)
    assert await wallet.credits() == 0
    now = await world.now()
    await world.publish(wallet.recovered_event(made.payment.payment_id, now), wallet.ended_event(wallet.partner, now))
    assert await wallet.credits() == 299


@pytest.mark.rule("BI-11", "ST-17")
async def test_a_rejected_recovery_becomes_credits_in_full(world: World, wallet: Wallet) -> None:
    payment_id = await wallet.pay()
    await world.publish(wallet.rejected_event(payment_id, await world.now()))
    assert (await wallet.credits(), await wallet.status(payment_id)) == (299, "CREDITED")
    (credited,) = await world.events(PaymentCredited, payment_id)
    assert (credited.amount, credited.kind) == (299, api.CREDIT_ENTRY_KIND_COMPENSATION)


@pytest.mark.rule("BI-03")
async def test_credits_are_spent_once_by_many_calls_at_once(world: World, wallet: Wallet) -> None:
    await wallet.earn_credits()

    async def spend() -> str:
        try:
            await wallet.create(wallet.order(method="CREDITS"))
        except grpc.aio.AioRpcError as error:
            return read_refusal(error).reason
        return "OK"

    results = await asyncio.gather(*(spend() for _ in range(10)))
    assert sorted(results) == ["CREDITS_INSUFFICIENT"] * 9 + ["OK"]
    assert await wallet.credits() == 0


@pytest.mark.rule("BI-03")
async def test_concurrent_purchases_never_spend_more_credits_than_there_are(wallet: Wallet) -> None:
    balance, prices = await wallet.earn_credits(2), {"RECOVERY": 299, "REVEAL": 199, "NUDGE": 99}

    async def spend(purpose: str) -> int:
        number = 3 if purpose == "REVEAL" else 0
        try:
            await wallet.create(wallet.order(purpose, "CREDITS", reveal_number=number))
        except grpc.aio.AioRpcError as error:
            found = read_refusal(error)
            assert found.reason == "CREDITS_INSUFFICIENT"
            return 0
        return prices[purpose]

    spent = await asyncio.gather(*(spend(purpose) for purpose in [*prices] * 3))
    left = await wallet.credits()
    assert left == balance - sum(spent)
    assert 0 <= left < 299
    answer = await wallet.billing.ListCreditEntries(api.ListCreditEntriesRequest(), metadata=wallet.member.metadata)
    assert sorted(-entry.amount for entry in answer.entries if entry.amount < 0) == sorted(filter(None, spent))


@pytest.mark.rule("BI-03")
async def test_a_payment_that_credits_do_not_cover_is_refused_and_not_recorded(world: World, wallet: Wallet) -> None:
    found = await refusal(wallet.create(wallet.order(method="CREDITS")))
    assert (found.code, found.reason) == ("FAILED_PRECONDITION", "CREDITS_INSUFFICIENT")
    assert found.metadata == {"balance": "0", "amount": "299"}
    listed = await wallet.billing.ListPayments(api.ListPaymentsRequest(), metadata=wallet.member.metadata)
    assert not listed.payments


@pytest.mark.rule("BI-03")
async def test_the_ledger_is_listed_newest_first_page_by_page_and_sums_to_the_balance(wallet: Wallet) -> None:
    await wallet.earn_credits(3)
    await wallet.create(wallet.order(method="CREDITS"))
    seen: list[api.CreditEntry] = []
    token = ""
    while True:
        request = api.ListCreditEntriesRequest(page_size=2, page_token=token)
        page = await wallet.billing.ListCreditEntries(request, metadata=wallet.member.metadata)
        seen += page.entries
        token = page.next_page_token
        if not token:
            break
    assert [entry.amount for entry in seen] == [-299, 299, 299, 299]
    assert sum(entry.amount for entry in seen) == await wallet.credits()
    payments = await wallet.billing.ListPayments(api.ListPaymentsRequest(page_size=3), metadata=wallet.member.metadata)
    assert len(payments.payments) == 3
    assert payments.next_page_token


@pytest.mark.rule("BI-06")
async def test_free_recoveries_are_used_before_money_and_given_back(world: World, wallet: Wallet) -> None:
    await wallet.subscribe("PLUS")
    first = await wallet.create(wallet.order())
    assert (first.payment.method, first.payment.amount) == (api.PAYMENT_METHOD_FREE, 0)
    assert first.payment.status == api.PAYMENT_STATUS_SUCCEEDED
    assert not first.HasField("confirmation")
    await world.publish(wallet.rejected_event(first.payment.payment_id, await world.now()))
    assert (await wallet.status(first.payment.payment_id), await wallet.credits()) == ("CREDITED", 0)
    again = await wallet.create(wallet.order())
    assert again.payment.method == api.PAYMENT_METHOD_FREE
    now = await world.now()
    await world.publish(wallet.recovered_event(again.payment.payment_id, now), wallet.ended_event(wallet.partner, now))
    assert await wallet.credits() == 0  # it opened no protection
    third = await wallet.create(wallet.order())
    assert (third.payment.method, third.payment.amount) == (api.PAYMENT_METHOD_MONEY, 299)


@pytest.mark.rule("BI-06")
async def test_free_recoveries_are_counted_at_any_concurrency(wallet: Wallet) -> None:
    await wallet.subscribe("PRO")
    made = await asyncio.gather(*(wallet.create(wallet.order()) for _ in range(6)))
    methods = sorted(each.payment.method for each in made)
    assert methods == [api.PAYMENT_METHOD_MONEY] * 4 + [api.PAYMENT_METHOD_FREE] * 2
