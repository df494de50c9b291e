"""Billing asks before it charges: the window is held for one payment of the breaker (ST-08, ST-20)."""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta

import grpc
import pytest
from unora.streak.v1.events_pb2 import RecoveryHeld, RecoveryReleased, StreakReset
from unora.streak.v1.streak_service_pb2 import STREAK_STATE_PAYMENT_WINDOW, STREAK_STATE_RESET

from tests.integration.streak.conftest import MINUTE, Couple
from tests.support import read_refusal, refusal, request_id


async def outcome(couple: Couple, payment_id: str) -> str:
    try:
        await couple.authorize(payment_id)
    except grpc.aio.AioRpcError as error:
        return read_refusal(error).reason
    return "OK"


@pytest.mark.rule("ST-08", "ST-20")
async def test_the_breaker_gets_a_hold_of_ten_minutes(couple: Couple) -> None:
    await couple.play(2)
    await couple.to_next_day()
    await couple.miss()
    payment = request_id()
    held = await couple.authorize(payment)
    (event,) = await couple.events(RecoveryHeld)
    assert held.connection_id == couple.pair.connection_id
    assert event.held_until == held.held_until
    assert event.held_until.ToDatetime() - event.occurred_at.ToDatetime() == 10 * MINUTE
    assert (event.payment_id, event.breaker_user_id) == (payment, couple.b.id)
    mine, theirs = await couple.seen_by(couple.b), await couple.seen_by(couple.a)
    assert mine.recovery_held_until == held.held_until
    assert not theirs.HasField("recovery_held_until")


@pytest.mark.rule("ST-08", "XX-04")
async def test_no_other_member_gets_a_hold(couple: Couple) -> None:
    await couple.miss()
    other = await refusal(couple.authorize(request_id(), couple.a))
    assert (other.code, other.reason) == ("FAILED_PRECONDITION", "NOT_THE_BREAKER")
    stranger = await refusal(couple.authorize(request_id(), couple.world.caller()))
    assert (stranger.code, stranger.reason) == ("NOT_FOUND", "STREAK_NOT_FOUND")
    assert await couple.events(RecoveryHeld) == []


@pytest.mark.rule("ST-08", "ST-19")
async def test_outside_the_window_there_is_nothing_to_recover(couple: Couple) -> None:
    refused = await refusal(couple.authorize(request_id()))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "NOT_IN_PAYMENT_WINDOW")
    assert refused.metadata == {"state": "active"}


@pytest.mark.rule("ST-20")
async def test_at_the_very_deadline_it_is_too_late(couple: Couple) -> None:
    await couple.jump(await couple.miss())  # no sweep has run
    refused = await refusal(couple.authorize(request_id()))
    assert (refused.reason, refused.metadata) == ("NOT_IN_PAYMENT_WINDOW", {"state": "reset"})
    await couple.world.drain()
    assert (await couple.now()).state == STREAK_STATE_RESET


@pytest.mark.rule("ST-20")
async def test_a_repeat_gets_the_same_hold(couple: Couple) -> None:
    await couple.miss()
    payment = request_id()
    held = await asyncio.gather(*(couple.authorize(payment) for _ in range(10)))
    assert len({answer.SerializeToString() for answer in held}) == 1
    assert len(await couple.events(RecoveryHeld)) == 1


@pytest.mark.rule("ST-20")
async def test_of_two_payments_at_once_one_holds(couple: Couple) -> None:
    await couple.miss()
    results = await asyncio.gather(*(outcome(couple, request_id()) for _ in range(10)))
    assert sorted(results) == ["OK"] + ["RECOVERY_HELD"] * 9
    assert len(await couple.events(RecoveryHeld)) == 1


@pytest.mark.rule("ST-20")
async def test_the_first_hold_of_a_break_goes_past_the_deadline_and_no_other(couple: Couple) -> None:
    deadline = await couple.miss()
    await couple.world.move_clock(deadline - 15 * MINUTE)
    await couple.authorize(request_id())
    await couple.world.move_clock(deadline - 4 * MINUTE)  # the first hold has ended
    (released,) = await couple.events(RecoveryReleased)
    assert released.occurred_at.ToDatetime(UTC) < deadline
    second = await couple.authorize(request_id())
    assert second.held_until.ToDatetime(UTC) == deadline
    await couple.world.move_clock(deadline)
    assert (await couple.now()).state == STREAK_STATE_RESET


@pytest.mark.rule("ST-20")
async def test_a_hold_past_the_deadline_resets_the_streak_when_it_ends(couple: Couple) -> None:
    deadline = await couple.miss()
    await couple.world.move_clock(deadline - MINUTE)
    held = (await couple.authorize(request_id())).held_until.ToDatetime(UTC)
    assert held > deadline + 8 * MINUTE
    await couple.world.move_clock(held - MINUTE)
    assert (await couple.now()).state == STREAK_STATE_PAYMENT_WINDOW
    await couple.world.move_clock(held)
    assert (await couple.now()).state == STREAK_STATE_RESET
    released, reset = await couple.events(RecoveryReleased, StreakReset)
    assert released.occurred_at == reset.occurred_at
    assert reset.occurred_at.ToDatetime(UTC) == held


@pytest.mark.rule("ST-20")
async def test_a_sweep_and_an_authorisation_at_the_deadline_agree(couple: Couple) -> None:
    await couple.jump(await couple.miss() - timedelta(milliseconds=20))
    _, result = await asyncio.gather(couple.world.drain(), outcome(couple, request_id()))
    state = (await couple.now()).state
    held = bool(await couple.events(RecoveryHeld))
    assert (result == "OK") == held == (state == STREAK_STATE_PAYMENT_WINDOW)


@pytest.mark.rule("XX-03", "ST-20")
async def test_only_billing_may_ask(couple: Couple) -> None:
    stub = type(couple.recovery)
    couple.recovery = couple.world.stub(stub, "streak")
    assert (await refusal(couple.authorize(request_id()))).code == "PERMISSION_DENIED"
