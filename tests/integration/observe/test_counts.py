"""What is counted for the metrics costs no more with many members: each count stops, or looks at a sample."""

from __future__ import annotations

import json
from typing import Any

import pytest
from unora_billing.metrics import SUMMED_ACCOUNTS
from unora_billing.store import accounts
from unora_common.config import CONTEXTS
from unora_common.gauges import Count
from unora_streak.store import streak_counts
from unora_testing.world import World

Plan = dict[str, Any]
SMALL = {"audit_chain_heads", "audit_index_heads"}
"""Tables with a row for each context."""

WITHOUT_TRIGGERS = "SET LOCAL session_replication_role = replica"
MANY_STREAKS = """
    INSERT INTO streak.streaks (id, connection_id, user_a_id, user_b_id, server_type, streak_state, cycle,
        completed_days, current_day, zone, check_in_date, closes_at, here, started_at, ended_at, version)
    SELECT gen_random_uuid(), gen_random_uuid(), least(one, other), greatest(one, other), 'friend', state, 1, 3, 4,
        'UTC', '2026-01-10', '2026-01-11Z', CASE state WHEN 'at_risk' THEN ARRAY[one] ELSE '{}' END, '2026-01-10Z',
        CASE state WHEN 'terminated' THEN timestamptz '2026-01-10Z' END, 1
    FROM (
        SELECT gen_random_uuid() AS one, gen_random_uuid() AS other,
            CASE WHEN n % 20 = 0 THEN 'at_risk' WHEN n % 5 = 1 THEN 'active' ELSE 'terminated' END AS state
        FROM generate_series(1, 20000) AS n) AS made"""
MANY_BALANCES = """
    INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, version)
    SELECT gen_random_uuid(), 'free', n, false, 0, 1 FROM generate_series(0, 10) AS n"""


class Explained:
    """A session that runs the statements of a count, and keeps their plans as of tables that are large: on one that is
    empty, Postgres would read all of it.
    """

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.plans: list[Plan] = []

    async def rows(self, sql: str, *arguments: object) -> Any:
        found = await self.connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *arguments)
        self.plans.append(json.loads(found)[0]["Plan"])
        return await self.connection.fetch(sql, *arguments)

    async def value(self, sql: str, *arguments: object) -> Any:
        (row,) = await self.rows(sql, *arguments)
        return row[0]


def unbounded(plan: Plan, *, limited: bool = False) -> list[str]:
    """What a plan reads of a table without an end: not below a limit, which a sort would have to read all for first."""
    kind = plan["Node Type"]
    limited = kind == "Limit" or (limited and kind not in ("Sort", "Aggregate", "Hash"))
    found = [place for part in plan.get("Plans", ()) for place in unbounded(part, limited=limited)]
    table = plan.get("Relation Name")
    if table and table not in SMALL and kind != "Sample Scan" and (kind == "Seq Scan" or not limited):
        found.append(f"{kind} of {table}")
    return found


def counts_of(world: World, context: str) -> list[Count]:
    """What a process of a context counts."""
    return world.apps[context].gauges._counts


@pytest.mark.parametrize("context", CONTEXTS)
async def test_no_count_reads_a_table_to_its_end(world: World, context: str) -> None:
    connection = world.superuser_of(context)
    transaction = connection.transaction()
    await transaction.start()
    for kind in ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "sort"):
        await connection.execute(f"SET LOCAL enable_{kind} = off")
    try:
        for count in counts_of(world, context):
            session: Any = Explained(connection)
            await count.find(session)
            assert session.plans, "it asks Postgres"
            assert [place for plan in session.plans for place in unbounded(plan)] == [], count.name
    finally:
        await transaction.rollback()


@pytest.mark.rule("ST-15")
async def test_in_a_large_table_streaks_are_estimated_by_a_sample_of_its_pages(world: World) -> None:
    """20,000 streaks, of which one in four goes on and one in twenty is at risk."""
    connection: Any = world.superuser_of("streak")
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(WITHOUT_TRIGGERS)
        await connection.execute(MANY_STREAKS)
        session: Any = Explained(connection)
        exact = await streak_counts.count_by_state(session)
        assert exact == {"active": 4000, "at_risk": 1000}, "the sample has all pages"
        estimate = await streak_counts.count_by_state(session, pages=200)
        assert await streak_counts.count_by_state(session, pages=200) == estimate, "the same pages again"
        for state, streaks in exact.items():
            assert estimate[state] == pytest.approx(streaks, rel=0.3)
        assert estimate != exact
    finally:
        await transaction.rollback()


async def test_of_the_credits_only_the_largest_balances_are_added_up(world: World) -> None:
    sql = accounts.SUM_BALANCES.replace(f"LIMIT {SUMMED_ACCOUNTS}", "LIMIT 3")
    assert sql != accounts.SUM_BALANCES
    transaction = world.superuser.transaction()
    await transaction.start()
    try:
        await world.superuser.execute(WITHOUT_TRIGGERS)
        await world.superuser.execute(MANY_BALANCES)
        assert await world.superuser.fetchval(accounts.SUM_BALANCES) == 55
        assert await world.superuser.fetchval(sql) == 10 + 9 + 8
    finally:
        await transaction.rollback()
