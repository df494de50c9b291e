"""`make simulate` writes what the services would write, under their constraints, and their retention bounds it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import asyncpg
import pytest
from unora_common.config import CONTEXTS
from unora_simulate.assumptions import Assumptions
from unora_simulate.report import Run, report, year_of
from unora_simulate.simulation import Simulation, Step
from unora_testing.testbed import Testbed

DAYS: Final = 20
BEFORE: Final = 16
LIVELY: Final = Assumptions(newcomers=0.0, mutual=0.3, misses=0.2)
"""Few members meet more often, so that every table gets rows."""
DATABASE: Final = "unora_simulated"


@pytest.fixture(scope="module")
async def steps(testbed: Testbed) -> list[Step]:
    await testbed.clone(DATABASE)
    simulation = Simulation(
        testbed.dsn(DATABASE), lambda context: testbed.dsn(DATABASE, f"unora_{context}"), 200, LIVELY
    )
    await simulation.run(DAYS, [BEFORE, DAYS], lambda day: None)
    return simulation.steps


def rows(step: Step, table: str) -> int:
    return step.tables[table].rows


async def test_tables_of_events_and_answers_have_their_bound_within_twenty_days(
    testbed: Testbed, steps: list[Step]
) -> None:
    before, last = steps
    for table in ("discovery.outbox", "matching.outbox", "discovery.kept_answers"):
        assert 0 < rows(last, table) <= rows(before, table) * 1.1, table
    connection = await asyncpg.connect(testbed.dsn(DATABASE))
    try:
        for context in CONTEXTS:
            for table, column, days in (("outbox", "created_at", 14), ("kept_answers", "kept_at", 1)):
                age = await connection.fetchval(f"SELECT clock.now() - min({column}) FROM {context}.{table}")
                assert age is None or age <= timedelta(days=days), f"{context}.{table}"
    finally:
        await connection.close()


def test_what_is_kept_for_longer_goes_on_growing(steps: list[Step]) -> None:
    before, last = steps
    for table in ("discovery.discovery_cards", "streak.check_ins", "safety.audit_logs", "safety.audit_index"):
        assert rows(last, table) > rows(before, table) * 1.05, table


def test_all_that_members_do_leaves_its_rows(steps: list[Step]) -> None:
    last = steps[-1]
    written = (
        "identity.refresh_tokens", "identity.disclosures", "discovery.exclusions", "discovery.waiting_interests",
        "matching.connections", "matching.interest_wipes", "streak.nudges", "streak.recovery_payments",
        "reveal.reveal_contents", "billing.payments", "billing.credit_protections", "safety.sightings",
    )  # fmt: skip
    assert [table for table in written if not rows(last, table)] == []


async def test_the_rows_hold_the_rules_that_no_single_constraint_holds(testbed: Testbed, steps: list[Step]) -> None:
    """Constraints and triggers were on all the time; these are sums over several tables."""
    connection = await asyncpg.connect(testbed.dsn(DATABASE))
    try:
        wrong = await connection.fetch("""
            SELECT v.user_id FROM matching.inventory v WHERE v.active_connection_count <> (
                SELECT count(*) FROM matching.connections c
                WHERE c.connection_status = 'active' AND v.user_id IN (c.user_a_id, c.user_b_id))""")
        assert wrong == []
        wrong = await connection.fetch("""
            SELECT s.id FROM streak.streaks s WHERE s.cycle = 1 AND s.completed_days > (
                SELECT count(*) FROM streak.check_ins c WHERE c.streak_id = s.id) / 2""")
        assert wrong == []
        wrong = await connection.fetch("""
            SELECT source_id FROM discovery.exclusions
            WHERE apart_until IS NULL AND reason NOT IN ('connected', 'ended')
            UNION ALL SELECT id FROM discovery.discovery_cards WHERE deleted_at IS NOT NULL""")
        assert wrong == [], "retention removes exclusions by their end, and cards are written once"
        heads = await connection.fetch("""
            SELECT h.source_context FROM safety.audit_chain_heads h WHERE h.length <> (
                SELECT count(*) FROM safety.audit_logs l WHERE l.source_context = h.source_context)""")
        assert heads == []
    finally:
        await connection.close()


def test_a_year_is_extrapolated_and_says_so(steps: list[Step]) -> None:
    before, last = steps
    year = Run(200, 365, [before, last])
    short = Run(400, BEFORE, [before])
    text = report([year, short])
    assert "**extrapolated** from 16 days" in text
    assert "| 200 |" in text
    assert year_of(short, year) == {name: size.bytes for name, size in last.tables.items()}
