"""ST-17, ST-20: payments for a recovery that fail, and what comes after the failure."""

from __future__ import annotations

from datetime import UTC

import pytest
from unora.streak.v1.events_pb2 import (
    RecoveryHeld,
    RecoveryReleased,
    StreakReset,
)
from unora.streak.v1.streak_service_pb2 import (
    STREAK_STATE_ACTIVE,
    STREAK_STATE_RESET,
)

from tests.integration.streak.conftest import MINUTE, Couple
from tests.integration.streak.test_recovery import links, outcomes
from tests.support import refusal, request_id


@pytest.mark.rule("ST-20")
async def test_a_failure_restores_the_deadline(couple: Couple) -> None:
    deadline = await couple.miss()
    await couple.world.move_clock(deadline - 5 * MINUTE)
    payment = request_id()
    await couple.authorize(payment)
    await couple.fail(payment)
    released = await couple.events(RecoveryReleased)
    assert [event.payment_id for event in released] == [payment]
    assert (await couple.now()).window_ends_at.ToDatetime(UTC) == deadline
    await couple.authorize(request_id())  # another may try
    await couple.world.move_clock(deadline)
    assert (await couple.now()).state == STREAK_STATE_RESET


@pytest.mark.rule("ST-20")
async def test_a_failure_after_the_deadline_resets_at_once(couple: Couple) -> None:
    deadline = await couple.miss()
    await couple.world.move_clock(deadline - MINUTE)
    payment = request_id()
    await couple.authorize(payment)
    await couple.world.move_clock(deadline + MINUTE)
    await couple.fail(payment)
    released, reset = await couple.events(RecoveryReleased, StreakReset)
    assert released.occurred_at == reset.occurred_at
    assert reset.occurred_at.ToDatetime(UTC) > deadline
    assert (await couple.now()).state == STREAK_STATE_RESET
    assert await outcomes(couple) == ["reset"]


@pytest.mark.rule("ST-20")
async def test_a_failure_ends_only_the_hold_of_its_own_payment(couple: Couple) -> None:
    await couple.miss()
    first, second = request_id(), request_id()
    await couple.authorize(first)
    await couple.world.move_clock(11 * MINUTE)
    await couple.authorize(second)
    await couple.fail(first)
    assert (await couple.seen_by(couple.b)).HasField("recovery_held_until")
    await couple.pay(second)
    await couple.fail(second, version=3)  # a late event of a payment that succeeded: nothing changes
    assert (await couple.now()).state == STREAK_STATE_ACTIVE
    assert [event.payment_id for event in await couple.events(RecoveryReleased)] == [first]


@pytest.mark.rule("ST-20")
async def test_an_authorisation_that_comes_after_the_failure_holds_nothing(couple: Couple) -> None:
    await couple.miss()
    payment = request_id()
    await couple.fail(payment)
    assert (await refusal(couple.authorize(payment))).reason == "PAYMENT_CLOSED"
    assert await couple.events(RecoveryHeld) == []


@pytest.mark.rule("ST-17")
async def test_a_payment_that_succeeds_after_it_failed_counts_as_paid(couple: Couple) -> None:
    await couple.miss()
    payment = request_id()
    await couple.authorize(payment)
    await couple.fail(payment)
    await couple.pay(payment, version=3)
    assert (await couple.now()).state == STREAK_STATE_ACTIVE
    assert await links(couple) == [payment]


@pytest.mark.rule("XX-02")
async def test_a_failure_for_a_streak_that_does_not_exist_changes_nothing(couple: Couple) -> None:
    before = await couple.world.superuser_of("streak").fetchval("SELECT count(*) FROM streak.inbox_failures")
    couple.streak_id = request_id()
    await couple.fail(request_id())
    assert await couple.world.superuser_of("streak").fetchval("SELECT count(*) FROM streak.inbox_failures") == before
