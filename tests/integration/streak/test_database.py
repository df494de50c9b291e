"""What the streak schema refuses, against direct SQL in the service's own role."""

from __future__ import annotations

from itertools import permutations

import asyncpg
import pytest
from unora_streak.domain.state import ALLOWED
from unora_testing.world import World

from tests.integration.streak.conftest import Couple
from tests.roles import role_of, undone, without_triggers

STATES = ("active", "at_risk", "payment_window", "reset", "completed", "terminated")
PATHS: dict[str, list[str]] = {
    "active": [],
    "at_risk": ["at_risk"],
    "payment_window": ["at_risk", "payment_window"],
    "reset": ["reset"],
    "completed": ["completed"],
    "terminated": ["terminated"],
}
# It also sets what a row of that state must have, so that only the transition itself is tested.
MOVE = """
    UPDATE streak.streaks SET streak_state = $2,
        window_closes_at = CASE WHEN $2 = 'payment_window' THEN clock.now() END,
        breaker_user_id = CASE WHEN $2 = 'payment_window' THEN user_a_id END,
        ended_at = CASE WHEN $2 IN ('completed', 'terminated') THEN clock.now() END,
        here = CASE WHEN $2 IN ('at_risk', 'payment_window') THEN ARRAY[user_b_id] ELSE '{}' END,
        completed_days = CASE WHEN $2 = 'completed' THEN completed_days + 1 ELSE completed_days END
    WHERE id = $1"""


@pytest.mark.rule("ST-02", "ST-19")
@pytest.mark.parametrize(("before", "after"), list(permutations(STATES, 2)))
async def test_the_database_allows_the_transitions_of_the_table_and_no_other(
    world: World, couple: Couple, before: str, after: str
) -> None:
    async with without_triggers(world.superuser_of("streak")) as superuser:
        await superuser.execute("UPDATE streak.streaks SET completed_days = 14 WHERE id = $1", couple.streak_id)
    async with undone(world, "streak") as connection:  # so that no sweep of another test finds such a streak
        for state in PATHS[before]:
            await connection.execute(MOVE, couple.streak_id, state)
        if (before, after) in {(str(a), str(b)) for a, b in ALLOWED}:
            await connection.execute(MOVE, couple.streak_id, after)
        else:
            with pytest.raises(asyncpg.CheckViolationError, match=r"a streak (cannot go|counts its days)"):
                await connection.execute(MOVE, couple.streak_id, after)


@pytest.mark.rule("ST-04")
@pytest.mark.parametrize("sql", ["UPDATE streak.check_ins SET day = 2", "DELETE FROM streak.check_ins"])
async def test_the_database_never_changes_a_check_in(world: World, couple: Couple, sql: str) -> None:
    """Not even for the owner; the service has no right to try."""
    await couple.check_in(couple.a)
    async with role_of(world, "streak_owner") as connection:
        with pytest.raises(asyncpg.CheckViolationError, match="never changed"):
            await connection.execute(sql)


@pytest.mark.rule("ST-01", "ST-02", "ST-04", "ST-11")
@pytest.mark.parametrize(
    ("sql", "constraint"),
    [
        ("UPDATE streak.streaks SET connection_id = gen_random_uuid() WHERE id = $1", "streak_facts"),
        ("UPDATE streak.streaks SET user_a_id = '00000000-0000-7000-8000-000000000000' WHERE id = $1", "streak_facts"),
        ("UPDATE streak.streaks SET completed_days = 9 WHERE id = $1", "streak_count"),
        ("UPDATE streak.streaks SET cycle = cycle + 2 WHERE id = $1", "streak_count"),
        ("UPDATE streak.streaks SET version = version - 1 WHERE id = $1", "streak_count"),
        (
            """INSERT INTO streak.streaks
            SELECT gen_random_uuid(), gen_random_uuid(), user_a_id, user_b_id, server_type, 'completed', 1, 15, 15,
                zone, check_in_date, closes_at, here, started_at, NULL, NULL, clock.now(), NULL, NULL, 1
            FROM streak.streaks WHERE id = $1""",
            "streak_beginning",
        ),
        (
            """INSERT INTO streak.check_ins
            (id, streak_id, user_id, cycle, day, check_in_date, check_in_at, effort_signal)
            VALUES (gen_random_uuid(), $1, gen_random_uuid(), 1, 1, '2030-01-01', clock.now(), 'low')""",
            "check_in_member",
        ),
    ],
)
async def test_the_database_enforces_the_shape_of_a_streak(
    world: World, couple: Couple, sql: str, constraint: str
) -> None:
    async with role_of(world, "streak") as connection:
        with pytest.raises(asyncpg.CheckViolationError) as caught:
            await connection.execute(sql, couple.streak_id)
        assert caught.value.constraint_name == constraint
