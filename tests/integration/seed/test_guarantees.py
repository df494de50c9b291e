"""The overview's table "What the Database Guarantees", row by row: the database refuses direct SQL that breaks it.

The SQL runs in the service's role. Where the overview leaves a row to the application, the schema still refuses the
forbidden state.
"""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_common.ids import uuid7
from unora_testing.world import World

from tests.roles import refused, undone, without_triggers
from tests.support import Pair, connect


async def streak_of(world: World, pair: Pair) -> UUID:
    dashboard = await world.stub(StreakServiceStub, "streak").GetDashboard(
        GetDashboardRequest(), metadata=pair.a.metadata
    )
    (streak,) = dashboard.streaks
    return UUID(streak.streak_id)


CHECK_IN = """
    INSERT INTO streak.check_ins (id, streak_id, user_id, cycle, day, check_in_date, check_in_at, effort_signal)
    SELECT gen_random_uuid(), id, $2, cycle, current_day, check_in_date, clock.now(), 'low'
    FROM streak.streaks WHERE id = $1"""


@pytest.mark.rule("ST-04", "XX-05")
async def test_no_duplicate_check_ins_same_day(world: World) -> None:
    pair = await connect(world)
    streak = await streak_of(world, pair)
    async with undone(world, "streak") as own:
        await own.execute(CHECK_IN, streak, pair.a.user)
        refusal = await refused(own, CHECK_IN, streak, pair.a.user)
    assert refusal == "uq_check_ins_streak_id_user_id_cycle_check_in_date"


@pytest.mark.rule("ST-01", "XX-05")
async def test_one_active_streak_per_connection(world: World) -> None:
    streak = await streak_of(world, await connect(world))
    columns = await world.superuser.fetchval(
        "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns "
        "WHERE table_schema = 'streak' AND table_name = 'streaks' AND column_name <> 'id'"
    )
    again = f"""
        INSERT INTO streak.streaks (id, {columns})
        SELECT gen_random_uuid(), {columns} FROM streak.streaks WHERE id = $1"""
    async with undone(world, "streak") as own:
        assert await refused(own, again, streak) == "uq_streaks_one_active_per_connection"


@pytest.mark.rule("MA-06", "XX-05")
async def test_tier_connection_limits(world: World) -> None:
    user = uuid7()
    beyond = "UPDATE matching.inventory SET active_connection_count = 2{} WHERE user_id = $1"
    async with undone(world, "matching") as own:
        await own.execute("INSERT INTO matching.inventory VALUES ($1, 'free', 1, 1, 0, 1)", user)
        assert await refused(own, beyond.format(""), user) in {
            "ck_inventory_within_limit",
            "ck_inventory_effective_limit",
        }
        assert await refused(own, beyond.format(", connection_limit = 2"), user) == "inventory_slots"


@pytest.mark.rule("RE-04", "XX-05")
@pytest.mark.parametrize("status", ["earned", "purchased", "unlocked"])
async def test_no_reveal_5_before_day_15(world: World, status: str) -> None:
    """A trigger refuses it, and without triggers a CHECK refuses it."""
    pair = await connect(world)
    streak = await streak_of(world, pair)
    sooner = f"""
        UPDATE reveal.reveals SET reveal_status = '{status}', completed_days = 14,
            unlocked_at = CASE WHEN '{status}' = 'unlocked' THEN clock.now() END
        WHERE streak_id = $1 AND user_id = $2 AND reveal_number = 5"""
    async with undone(world, "reveal") as own:
        trigger = await refused(own, sooner, streak, pair.a.user)
    assert trigger == ("reveal_transition" if status == "unlocked" else "reveal_unearned")
    with pytest.raises(asyncpg.CheckViolationError, match="ck_reveals_identity_needs_day_15"):
        async with without_triggers(world.superuser) as superuser:
            await superuser.execute(sooner, streak, pair.a.user)


@pytest.mark.rule("ST-18", "XX-05")
async def test_recovery_payment_by_the_breaker_only(world: World) -> None:
    pair = await connect(world)
    streak = await streak_of(world, pair)
    broken, breaker, other = uuid7(), pair.b.user, pair.a.user
    hold = "INSERT INTO streak.recovery_holds VALUES ($1, $2, $3, clock.now(), clock.now() + interval '1 minute')"
    pay = "INSERT INTO streak.recovery_payments VALUES (gen_random_uuid(), $2, $3, $1, clock.now())"
    async with undone(world, "streak") as own:
        await own.execute(
            """INSERT INTO streak.breaks (
                id, streak_id, cycle, day, check_in_date, missing_user_id, breaker_user_id, opened_at, broke_at)
            SELECT $1, id, cycle, current_day, check_in_date, $3, $3, clock.now(), clock.now()
            FROM streak.streaks WHERE id = $2""",
            broken,
            streak,
            breaker,
        )
        payment = uuid7()
        await own.execute(hold, payment, broken, breaker)
        assert await refused(own, hold, uuid7(), broken, other) == "fk_recovery_holds_break_id_user_id"
        assert await refused(own, pay, payment, broken, other) == "fk_recovery_payments_break_id_user_id"


@pytest.mark.rule("ST-02", "XX-05")
@pytest.mark.parametrize("state", ["payment_window", "completed"])
async def test_state_machine_transitions(world: World, state: str) -> None:
    streak = await streak_of(world, await connect(world))
    jump = """
        UPDATE streak.streaks SET streak_state = $2, here = ARRAY[user_a_id], breaker_user_id = user_b_id,
            window_closes_at = clock.now(), completed_days = 1
        WHERE id = $1"""
    if state == "completed":
        jump = "UPDATE streak.streaks SET streak_state = $2, completed_days = 15, ended_at = clock.now() WHERE id = $1"
    async with undone(world, "streak") as own:
        assert await refused(own, jump, streak, state) in {"streak_transition", "streak_count"}


@pytest.mark.rule("DI-04", "XX-05")
async def test_the_global_refresh_timer(world: World) -> None:
    """One row per member. refresh_available_at is never set without last_global_refresh_at, and is never before it."""
    user = uuid7()
    change = (
        "UPDATE discovery.refresh_timers SET last_global_refresh_at = {}, refresh_available_at = {} WHERE user_id = $1"
    )
    now, before = "clock.now()", "clock.now() - interval '1 hour'"
    async with undone(world, "discovery") as own:
        await own.execute("INSERT INTO discovery.refresh_timers (user_id) VALUES ($1)", user)
        for last, available in ((now, before), ("NULL", now), (now, "NULL")):
            assert await refused(own, change.format(last, available), user) == "ck_refresh_timers_times"
        again = "INSERT INTO discovery.refresh_timers (user_id) VALUES ($1)"
        assert await refused(own, again, user) == "pk_refresh_timers"


@pytest.mark.rule("MA-04", "XX-05")
async def test_total_wipe_on_capacity_fill(world: World) -> None:
    user = uuid7()
    wish = """
        INSERT INTO matching.interests (
            id, sender_id, receiver_id, server_type, card_id, interest_status, shown_as, sent_at, version)
        VALUES (gen_random_uuid(), $1, gen_random_uuid(), 'partner', gen_random_uuid(), 'pending', 'pending',
            clock.now(), 1)"""
    async with undone(world, "matching") as own:
        await own.execute("INSERT INTO matching.inventory VALUES ($1, 'free', 0, 1, 0, 1)", user)
        await own.execute(wish, user)
        fill = "UPDATE matching.inventory SET active_connection_count = 1 WHERE user_id = $1"
        assert await refused(own, fill, user) == "total_wipe"


@pytest.mark.rule("BI-05", "XX-05")
async def test_credit_conversion_within_24_hours(world: World) -> None:
    """The row has the window: a converted protection was closed before it expired."""
    user, payment = uuid7(), uuid7()
    async with undone(world, "billing") as own:
        await own.execute("INSERT INTO billing.accounts VALUES ($1, 'free', 0, false, 0, NULL, 0)", user)
        await own.execute(
            """INSERT INTO billing.payments (
                id, payer_id, request_id, purpose, method, amount, currency, streak_id, status, created_at, version)
            VALUES ($1, $2, $1, 'recovery', 'money', 299, 'USD', $1, 'created', clock.now(), 1)""",
            payment,
            user,
        )
        for status in ("succeeded", "applied"):
            paid = "status = $2, succeeded_at = coalesce(succeeded_at, clock.now())"
            await own.execute(f"UPDATE billing.payments SET {paid} WHERE id = $1", payment, status)
        await own.execute(
            """INSERT INTO billing.credit_protections (
                id, payment_id, payer_id, partner_id, connection_id, status, opened_at, expires_at, version)
            VALUES ($1, $1, $2, gen_random_uuid(), gen_random_uuid(), 'open', clock.now(),
                clock.now() + interval '24 hours', 1)""",
            payment,
            user,
        )
        late = """UPDATE billing.credit_protections SET status = 'converted', closed_at = expires_at, version = 2
            WHERE id = $1"""
        assert await refused(own, late, payment) == "ck_credit_protections_converted_in_time"
        entry = "INSERT INTO billing.credits VALUES (gen_random_uuid(), $2, 'protection', 299, $1, clock.now())"
        assert await refused(own, entry, payment, user) == "credit_entry"
