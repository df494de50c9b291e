"""What the schema enforces for recoveries and nudges, against direct SQL in the service's own role."""

from __future__ import annotations

from uuid import UUID

import pytest
from unora_common.ids import uuid7
from unora_testing.world import World

from tests.integration.streak.conftest import Couple
from tests.roles import refused, undone, without_triggers
from tests.support import request_id

LINK = """
    INSERT INTO streak.recovery_payments (id, break_id, user_id, payment_id, recovered_at)
    VALUES ($1, $2, $3, $4, clock.now())"""
HOLD = """
    INSERT INTO streak.recovery_holds (payment_id, break_id, user_id, held_at, held_until)
    VALUES ($1, $2, $3, clock.now(), clock.now() + interval '10 minutes')"""
NUDGE = """
    INSERT INTO streak.nudges (id, streak_id, break_id, sender_id, receiver_id, ordinal, payment_id, sent_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, clock.now())"""
CONTINUE = """
    UPDATE streak.streaks SET streak_state = 'active', window_closes_at = NULL, breaker_user_id = NULL,
        hold_payment_id = NULL, hold_until = NULL, long_hold_used = false, here = '{}', version = version + 1
    WHERE id = $1"""
PERIOD = "SELECT id FROM streak.breaks WHERE streak_id = $1 ORDER BY opened_at DESC"


async def period(couple: Couple) -> UUID:
    """The newest at-risk period of the streak."""
    found: UUID = await couple.world.superuser_of("streak").fetchval(PERIOD, couple.streak_id)
    return found


@pytest.mark.rule("ST-18")
async def test_only_the_breaker_of_that_very_break_can_be_the_payer(world: World, couple: Couple) -> None:
    await couple.miss()
    first = await period(couple)
    payment = request_id()
    await couple.authorize(payment)
    await couple.pay(payment)
    await couple.check_in(couple.b)  # now a is missing
    await couple.to_next_day()
    second = await period(couple)
    assert first != second
    link, hold = "fk_recovery_payments_break_id_user_id", "fk_recovery_holds_break_id_user_id"
    async with undone(world, "streak") as connection:
        fresh = uuid7()
        for user in (couple.b.user, uuid7()):
            assert await refused(connection, HOLD, uuid7(), second, user) == hold
        await connection.execute(HOLD, fresh, second, couple.a.user)
        assert await refused(connection, LINK, uuid7(), second, couple.b.user, fresh) == link
        assert await refused(connection, LINK, uuid7(), uuid7(), couple.a.user, fresh) in (
            link,
            "fk_recovery_payments_payment_id_break_id",
        )
        await connection.execute(LINK, uuid7(), second, couple.a.user, fresh)  # the breaker of this one


@pytest.mark.rule("ST-18")
async def test_a_period_that_did_not_break_has_no_possible_payer(world: World, couple: Couple) -> None:
    await couple.to_at_risk()
    async with undone(world, "streak") as connection:
        assert (
            await refused(connection, HOLD, uuid7(), await period(couple), couple.b.user)
            == "fk_recovery_holds_break_id_user_id"
        )


@pytest.mark.rule("ST-18")
async def test_a_break_has_one_recovery_and_a_payment_one_break(world: World, couple: Couple) -> None:
    await couple.miss()
    payment = request_id()
    await couple.authorize(payment)
    await couple.pay(payment)
    first = await period(couple)
    await couple.miss()
    second = await period(couple)
    async with undone(world, "streak") as connection:
        another = uuid7()
        await connection.execute(HOLD, another, first, couple.b.user)
        sql = (LINK, uuid7())
        assert await refused(connection, *sql, first, couple.b.user, another) == "uq_recovery_payments_break_id"
        assert await refused(connection, *sql, second, couple.b.user, payment) == "uq_recovery_payments_payment_id"
        unauthorized = await refused(connection, *sql, second, couple.b.user, uuid7())
        assert unauthorized == "fk_recovery_payments_payment_id_break_id"


@pytest.mark.rule("ST-02", "ST-08", "ST-18")
async def test_no_streak_leaves_its_window_for_active_without_a_recovery(world: World, couple: Couple) -> None:
    await couple.play(2)
    await couple.to_next_day()
    await couple.miss()
    payment = request_id()
    await couple.authorize(payment)
    async with undone(world, "streak") as connection:
        assert await refused(connection, CONTINUE, couple.streak_id) == "streak_recovery"
        await connection.execute(LINK, uuid7(), await period(couple), couple.b.user, payment)
        another_count = CONTINUE.replace("here = '{}'", "here = '{}', completed_days = completed_days + 1")
        assert await refused(connection, another_count, couple.streak_id) == "streak_recovery"
        await connection.execute(CONTINUE, couple.streak_id)
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.rule("ST-20")
@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("hold_until = clock.now()", "ck_streaks_hold_is_whole"),
        ("hold_payment_id = gen_random_uuid(), hold_until = clock.now()", "ck_streaks_hold_is_whole"),
        ("long_hold_used = true", "ck_streaks_hold_is_of_a_window"),
    ],
)
async def test_a_hold_is_whole_and_of_a_window(world: World, couple: Couple, change: str, constraint: str) -> None:
    async with undone(world, "streak") as connection:
        sql = f"UPDATE streak.streaks SET {change} WHERE id = $1"
        assert await refused(connection, sql, couple.streak_id) == constraint


@pytest.mark.rule("ST-13")
async def test_a_nudge_goes_to_the_missing_member_and_has_its_own_number(world: World, couple: Couple) -> None:
    await couple.to_at_risk()
    at_risk, streak, a, b = await period(couple), UUID(couple.streak_id), couple.a.user, couple.b.user
    async with undone(world, "streak") as connection:
        missing = "fk_nudges_break_id_streak_id_receiver_id"
        assert await refused(connection, NUDGE, uuid7(), streak, at_risk, b, a, 1, None) == missing
        assert await refused(connection, NUDGE, uuid7(), streak, at_risk, uuid7(), b, 1, None) == "nudge_member"
        assert await refused(connection, NUDGE, uuid7(), streak, at_risk, b, b, 1, None) == "nudge_member"
        payment = uuid7()
        await connection.execute(NUDGE, uuid7(), streak, at_risk, a, b, 1, payment)
        again = await refused(connection, NUDGE, uuid7(), streak, at_risk, a, b, 1, None)
        assert again == "uq_nudges_break_id_sender_id_ordinal"
        assert await refused(connection, NUDGE, uuid7(), streak, at_risk, a, b, 2, payment) == "uq_nudges_payment_id"
        assert await refused(connection, NUDGE, uuid7(), streak, at_risk, a, b, 0, None) == "ck_nudges_ordinal"


@pytest.mark.rule("ST-13", "ST-18")
@pytest.mark.parametrize(
    ("sql", "constraint"),
    [
        ("UPDATE streak.recovery_payments SET payment_id = gen_random_uuid()", "recovery_payments_immutable"),
        ("DELETE FROM streak.recovery_payments", "recovery_payments_immutable"),
        ("UPDATE streak.nudges SET payment_id = NULL", "nudges_immutable"),
        ("DELETE FROM streak.nudges", "nudges_immutable"),
        ("DELETE FROM streak.breaks", "breaks_immutable"),
    ],
)
async def test_recorded_facts_are_never_changed(world: World, sql: str, constraint: str) -> None:
    """Not even for the owner; the service has no right to try."""
    async with undone(world, "streak_owner") as connection:
        assert await refused(connection, sql) == constraint


@pytest.mark.rule("ST-06", "ST-18")
@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("missing_user_id = gen_random_uuid()", "break_facts"),
        ("breaker_user_id = NULL, broke_at = NULL", "break_facts"),
        ("cycle = cycle + 1", "break_facts"),
        ("outcome = 'kept', closed_at = clock.now()", "ck_breaks_outcome"),
        ("outcome = 'reset'", "ck_breaks_closed"),
    ],
)
async def test_the_facts_of_a_period_never_change(world: World, couple: Couple, change: str, constraint: str) -> None:
    await couple.miss()
    async with undone(world, "streak") as connection:
        sql = f"UPDATE streak.breaks SET {change} WHERE id = $1"
        assert await refused(connection, sql, await period(couple)) == constraint


@pytest.mark.rule("ST-06")
async def test_the_missing_member_is_one_of_the_two_and_a_closed_period_stays(world: World, couple: Couple) -> None:
    await couple.to_at_risk()
    await couple.check_in(couple.b)
    at_risk = await period(couple)
    async with undone(world, "streak") as connection:
        assert (
            await refused(connection, "UPDATE streak.breaks SET outcome = 'terminated' WHERE id = $1", at_risk)
            == "break_facts"
        )
        sql = """INSERT INTO streak.breaks (id, streak_id, cycle, day, check_in_date, missing_user_id, opened_at)
            VALUES ($1, $2, 9, 1, '2030-01-01', $3, clock.now())"""
        assert await refused(connection, sql, uuid7(), couple.streak_id, uuid7()) == "break_member"


@pytest.mark.rule("ST-06", "ST-16")
async def test_a_streak_that_was_put_at_risk_before_there_were_periods_gets_one(world: World, couple: Couple) -> None:
    await couple.to_at_risk()
    async with without_triggers(world.superuser_of("streak")) as superuser:
        await superuser.execute("DELETE FROM streak.breaks WHERE streak_id = $1", couple.streak_id)
    await couple.to_next_day()
    payment = request_id()
    await couple.authorize(payment)
    await couple.pay(payment)
    rows = await world.superuser_of("streak").fetch(
        "SELECT missing_user_id, breaker_user_id, outcome FROM streak.breaks WHERE streak_id = $1", couple.streak_id
    )
    assert [tuple(row) for row in rows] == [(couple.b.user, couple.b.user, "recovered")]
