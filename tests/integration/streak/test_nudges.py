"""Nudges, by tier and bought (ST-13)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import grpc
import pytest
from unora.billing.v1.billing_service_pb2 import PAYMENT_PURPOSE_NUDGE, PAYMENT_PURPOSE_REVEAL
from unora.billing.v1.events_pb2 import TierChanged
from unora.common.v1.types_pb2 import TIER_FREE, TIER_PLUS, TIER_PRO, Tier
from unora.streak.v1.events_pb2 import NudgeRejected, NudgeSent, RecoveryRejected
from unora.streak.v1.recovery_service_pb2 import AuthorizeNudgeRequest, AuthorizeNudgeResponse
from unora.streak.v1.streak_service_pb2 import (
    STREAK_STATE_COMPLETED,
    ListNudgesRequest,
    ListNudgesResponse,
    SendNudgeRequest,
    SendNudgeResponse,
)
from unora_testing.world import Caller

from tests.integration.streak.conftest import Couple
from tests.support import race, read_refusal, refusal, request_id


async def nudge(couple: Couple, member: Caller, request: str | None = None) -> SendNudgeResponse:
    message = SendNudgeRequest(request_id=request or request_id(), streak_id=couple.streak_id)
    return await couple.streaks.SendNudge(message, metadata=member.metadata)


async def outcome(couple: Couple, member: Caller) -> str:
    try:
        await nudge(couple, member)
    except grpc.aio.AioRpcError as error:
        return read_refusal(error).reason
    return "OK"


async def list_nudges(couple: Couple, member: Caller) -> ListNudgesResponse:
    return await couple.streaks.ListNudges(ListNudgesRequest(streak_id=couple.streak_id), metadata=member.metadata)


async def authorize(couple: Couple, payer: Caller) -> AuthorizeNudgeResponse:
    request = AuthorizeNudgeRequest(streak_id=couple.streak_id, payer_id=payer.id, payment_id=request_id())
    return await couple.recovery.AuthorizeNudge(request)


async def change_tier(couple: Couple, member: Caller, tier: Tier.ValueType, version: int = 1) -> None:
    event = TierChanged(user_id=member.id, version=version, tier=tier)
    event.occurred_at.FromDatetime(await couple.world.now())
    await couple.world.publish(event)


@pytest.mark.rule("ST-13")
async def test_the_member_who_checked_in_nudges_the_other_and_both_see_it(couple: Couple) -> None:
    await couple.play(2)
    await couple.to_next_day()
    await couple.to_at_risk()
    assert (await list_nudges(couple, couple.a)).nudges_left == 1
    assert (await list_nudges(couple, couple.b)).nudges_left == 0
    sent = await nudge(couple, couple.a)
    assert (sent.nudge.sender_id, sent.nudge.receiver_id) == (couple.a.id, couple.b.id)
    assert (sent.nudge.day, sent.nudges_left) == (3, 0)
    for member in (couple.a, couple.b):
        assert list((await list_nudges(couple, member)).nudges) == [sent.nudge]
    (event,) = await couple.events(NudgeSent)
    assert (event.nudge_id, event.receiver_id, event.payment_id) == (sent.nudge.nudge_id, couple.b.id, "")


@pytest.mark.rule("ST-13", "ST-19")
async def test_nudges_are_sent_only_at_risk_and_only_by_the_member_who_checked_in(couple: Couple) -> None:
    early = await refusal(nudge(couple, couple.a))
    assert (early.code, early.reason, early.metadata) == ("FAILED_PRECONDITION", "NOT_AT_RISK", {"state": "active"})
    await couple.to_at_risk()
    missing = await refusal(nudge(couple, couple.b))
    assert (missing.code, missing.reason) == ("FAILED_PRECONDITION", "NOT_CHECKED_IN")
    await couple.jump(await couple.day_ends_at())
    late = await refusal(nudge(couple, couple.a))
    assert (late.reason, late.metadata) == ("NOT_AT_RISK", {"state": "payment_window"})
    assert await couple.events(NudgeSent) == []


@pytest.mark.rule("XX-04", "ST-13")
async def test_a_stranger_neither_nudges_nor_sees(couple: Couple) -> None:
    await couple.to_at_risk()
    stranger = couple.world.caller()
    for refused in (
        await refusal(nudge(couple, stranger)),
        await refusal(list_nudges(couple, stranger)),
        await refusal(authorize(couple, stranger)),
    ):
        assert (refused.code, refused.reason) == ("NOT_FOUND", "STREAK_NOT_FOUND")


@pytest.mark.rule("ST-13")
@pytest.mark.parametrize(("tier", "limit"), [(None, 1), (TIER_FREE, 1), (TIER_PLUS, 2), (TIER_PRO, 3)])
async def test_concurrent_calls_send_no_more_nudges_than_the_tier_has(
    couple: Couple, tier: Tier.ValueType | None, limit: int
) -> None:
    if tier:
        await change_tier(couple, couple.a, tier)
    await couple.to_at_risk()
    results = await asyncio.gather(*(outcome(couple, couple.a) for _ in range(12)))
    assert sorted(results) == ["NUDGE_LIMIT_REACHED"] * (12 - limit) + ["OK"] * limit
    assert len(await couple.events(NudgeSent)) == limit


@pytest.mark.rule("ST-13", "BI-08")
async def test_repeats_are_one_nudge(couple: Couple) -> None:
    await change_tier(couple, couple.a, TIER_PRO)
    await couple.to_at_risk()
    request = request_id()
    answers = await asyncio.gather(*(nudge(couple, couple.a, request) for _ in range(10)))
    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert len(await couple.events(NudgeSent)) == 1


@pytest.mark.rule("ST-13")
async def test_both_at_the_same_moment(couple: Couple) -> None:
    await couple.to_at_risk()
    results = await asyncio.gather(outcome(couple, couple.a), outcome(couple, couple.b))
    assert list(results) == ["OK", "NOT_CHECKED_IN"]


@pytest.mark.rule("ST-13")
async def test_each_at_risk_period_has_its_own_nudges(couple: Couple) -> None:
    for _ in range(2):
        await couple.to_at_risk()
        assert await outcome(couple, couple.a) == "OK"
        assert await outcome(couple, couple.a) == "NUDGE_LIMIT_REACHED"
        await couple.check_in(couple.b)
        await couple.to_next_day()
    assert [each.day for each in (await list_nudges(couple, couple.b)).nudges] == [1, 2]


@pytest.mark.rule("ST-13")
async def test_a_changed_tier_counts_at_once_and_an_older_event_does_not(couple: Couple) -> None:
    await couple.to_at_risk()
    assert [await outcome(couple, couple.a) for _ in range(2)] == ["OK", "NUDGE_LIMIT_REACHED"]
    await change_tier(couple, couple.a, TIER_PRO, version=3)
    await change_tier(couple, couple.a, TIER_FREE, version=2)
    assert (await list_nudges(couple, couple.a)).nudges_left == 2
    assert await outcome(couple, couple.a) == "OK"
    await change_tier(couple, couple.a, TIER_FREE, version=4)
    assert await outcome(couple, couple.a) == "NUDGE_LIMIT_REACHED"
    assert (await list_nudges(couple, couple.a)).nudges_left == 0


@pytest.mark.rule("ST-13")
async def test_the_partners_tier_changes_nothing(couple: Couple) -> None:
    await change_tier(couple, couple.b, TIER_PRO)
    await couple.to_at_risk()
    assert [await outcome(couple, couple.a) for _ in range(2)] == ["OK", "NUDGE_LIMIT_REACHED"]


# Bought nudges


@pytest.mark.rule("ST-13")
async def test_a_nudge_is_for_sale_only_when_those_of_the_tier_are_used_up(couple: Couple) -> None:
    assert (await refusal(authorize(couple, couple.a))).reason == "NOT_AT_RISK"
    await couple.to_at_risk()
    assert (await refusal(authorize(couple, couple.b))).reason == "NOT_CHECKED_IN"
    assert (await refusal(authorize(couple, couple.a))).reason == "NUDGES_LEFT"
    await nudge(couple, couple.a)
    assert (await authorize(couple, couple.a)).connection_id == couple.pair.connection_id
    await couple.check_in(couple.b)
    assert (await refusal(authorize(couple, couple.a))).metadata == {"state": "active"}


@pytest.mark.rule("ST-13")
async def test_bought_nudges_are_sent_without_a_call_and_do_not_count_for_the_tier(couple: Couple) -> None:
    await couple.to_at_risk()
    await nudge(couple, couple.a)
    paid = [request_id() for _ in range(3)]
    for payment in paid:
        await couple.pay(payment, PAYMENT_PURPOSE_NUDGE, couple.a)
    assert [event.payment_id for event in await couple.events(NudgeSent)] == ["", *paid]
    assert len((await list_nudges(couple, couple.b)).nudges) == 4
    await change_tier(couple, couple.a, TIER_PLUS)
    assert await outcome(couple, couple.a) == "OK"  # the second of the tier, however many were bought
    assert await outcome(couple, couple.a) == "NUDGE_LIMIT_REACHED"


@pytest.mark.rule("ST-13", "XX-02")
async def test_a_bought_nudge_whose_event_comes_twice_is_sent_once(couple: Couple) -> None:
    await couple.to_at_risk()
    payment = request_id()
    await couple.pay(payment, PAYMENT_PURPOSE_NUDGE, couple.a)
    await couple.pay(payment, PAYMENT_PURPOSE_NUDGE, couple.a, version=3)
    assert len(await couple.events(NudgeSent, NudgeRejected)) == 1


@pytest.mark.rule("ST-13", "BI-11")
async def test_a_bought_nudge_that_cannot_be_sent_is_rejected_for_good(couple: Couple) -> None:
    await couple.to_at_risk()
    payment = request_id()
    await couple.check_in(couple.b)
    await couple.pay(payment, PAYMENT_PURPOSE_NUDGE, couple.a)
    (event,) = await couple.events(NudgeRejected)
    assert event.payment_id == payment
    await couple.to_next_day()
    await couple.to_at_risk()
    await couple.pay(payment, PAYMENT_PURPOSE_NUDGE, couple.a, version=3)
    assert await couple.events(NudgeSent) == []


@pytest.mark.rule("ST-12", "BI-11")
async def test_a_bought_nudge_for_an_ended_streak_is_rejected(couple: Couple) -> None:
    await couple.to_at_risk()
    await couple.end()
    await couple.pay(request_id(), PAYMENT_PURPOSE_NUDGE, couple.a)
    assert len(await couple.events(NudgeRejected)) == 1


@pytest.mark.rule("ST-11", "BI-11")
async def test_a_bought_nudge_after_the_fifteenth_day_is_rejected(couple: Couple) -> None:
    await couple.play(14)
    await couple.to_next_day()
    await couple.to_at_risk()
    await nudge(couple, couple.a)
    await authorize(couple, couple.a)
    await couple.check_in(couple.b)
    await couple.world.drain()  # the reveals of the last day
    done = await couple.seen_by(couple.b)
    await couple.pay(request_id(), PAYMENT_PURPOSE_NUDGE, couple.a)
    (event,) = await couple.events(NudgeRejected)
    assert event.state == done.state == STREAK_STATE_COMPLETED
    assert await couple.seen_by(couple.b) == done


@pytest.mark.rule("BI-11")
async def test_a_payment_for_a_reveal_is_ignored(couple: Couple) -> None:
    await couple.to_at_risk()
    await couple.pay(request_id(), PAYMENT_PURPOSE_REVEAL, couple.a)
    assert await couple.events(NudgeSent, NudgeRejected, RecoveryRejected) == []


@pytest.mark.rule("ST-13")
@pytest.mark.parametrize("turn", range(4))
async def test_a_nudge_and_a_check_in_of_its_receiver_at_the_same_time(couple: Couple, turn: int) -> None:
    await couple.to_at_risk()
    calls: list[Awaitable[Any]] = [outcome(couple, couple.a), couple.check_in(couple.b)]
    result, _ = await race(turn, calls)
    assert result in (["NOT_AT_RISK"], ["OK"], ["OK", "NOT_AT_RISK"], ["OK", "NOT_AT_RISK"])[turn]
    assert len(await couple.events(NudgeSent)) == (result == "OK")
    await couple.world.move_clock(timedelta(days=1))
    assert (await couple.now()).completed_days == 1
