"""DI-17: what a search costs does not grow with the pool, the viewer's history, or how many wait for them.

Cost is counted, not timed: rows that Postgres reads, statements, finalists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import pytest
from unora_common.database import Session
from unora_discovery.store import search
from unora_testing.testbed import Testbed

from tests.integration.discovery.own_pool import OwnPool, member, own_pool
from tests.integration.discovery.test_query_plans import explain

SIZES: Final = (1_000, 10_000)
VIEWER: Final = 1
HOBBIES: Final = "(SELECT hobby_option_ids FROM discovery.candidates WHERE user_id = $1)"

APART: Final = """
    INSERT INTO discovery.exclusions (source_id, user_id, other_id, reason, version)
    SELECT gen_random_uuid(), $1, user_id, 'ended', 1 FROM (
        SELECT user_id FROM discovery.candidates WHERE user_id <> $1
        ORDER BY cardinality(ARRAY(SELECT unnest(hobby_option_ids) INTERSECT SELECT unnest(
            (SELECT hobby_option_ids FROM discovery.candidates WHERE user_id = $1)))) DESC, user_id LIMIT $2) AS best"""
BLOCKS: Final = """
    INSERT INTO discovery.member_blocks (blocker_id, blocked_id, in_force, changed_at)
    SELECT $1, user_id, true, '2026-02-01' FROM (
        SELECT user_id FROM discovery.candidates WHERE user_id <> $1 ORDER BY user_id LIMIT $2) AS some_of_them"""
WAITS: Final = """
    INSERT INTO discovery.waiting_interests (
        interest_id, version, sender_id, receiver_id, server_type, waits, waits_until)
    SELECT gen_random_uuid(), 1, user_id, $1, 'partner', true, '2026-06-01' FROM (
        SELECT user_id FROM discovery.candidates WHERE user_id <> $1 ORDER BY user_id DESC LIMIT $2) AS some_of_them"""

OTHERS_WAIT: Final = """
    INSERT INTO discovery.waiting_interests (
        interest_id, version, sender_id, receiver_id, server_type, waits, waits_until, position)
    SELECT gen_random_uuid(), 1, md5('member ' || n)::uuid, md5('member ' || n + k)::uuid, 'partner', true,
        '2026-06-01', k
    FROM generate_series(2, 1000) AS n, generate_series(1, 15) AS k"""


@dataclass
class Asked:
    """What a search asked Postgres."""

    statements: list[str] = field(default_factory=list)
    decided: list[tuple[Any, ...]] = field(default_factory=list)
    """The arguments of each decision."""

    @property
    def finalists(self) -> int:
        """The most in one statement."""
        return max(len(each[9]) + len(each[10]) + len(each[12]) for each in self.decided)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Counts what is asked from now on."""
    found = Asked()
    for name in ("rows", "row", "value"):
        before = getattr(Session, name)

        async def counted(self: Session, sql: str, *arguments: Any, before: Any = before) -> Any:
            found.statements.append(sql)
            if sql == search.SEARCH:
                found.decided.append(arguments)
            return await before(self, sql, *arguments)

        monkeypatch.setattr(Session, name, counted)
    return found


async def search_once(made: OwnPool, asked: Asked) -> int:
    """Searches for the viewer; returns how many statements that took after the viewer was read."""
    await made.search(VIEWER, Random(1))
    asked.statements.clear()
    asked.decided.clear()
    _, found = await made.search(VIEWER, Random(2))
    assert len(found.ranked) == 5
    return len(asked.statements) - 3  # which database it is, what changed, and the viewer


async def rows_read(made: OwnPool, asked: Asked) -> dict[str, int]:
    """The rows of each table that Postgres read for the last decision."""
    plan = await explain(made.superuser, search.SEARCH, *asked.decided[-1])
    assert {table for table in plan.read_whole if plan.rows_read[table]} <= {"shift"}
    return plan.rows_read


@pytest.mark.rule("DI-17")
async def test_a_search_reads_as_many_rows_in_a_pool_ten_times_as_large(testbed: Testbed, asked: Asked) -> None:
    read = []
    for size in SIZES:
        async with own_pool(testbed, "cost", size) as made:
            assert await search_once(made, asked) == 1
            assert asked.finalists == 24
            read.append(await rows_read(made, asked))
    small, large = read
    for table in large:
        assert large[table] <= small.get(table, 0) + 12, (table, small, large)
    assert sum(large.values()) < 200


@pytest.mark.rule("DI-17", "DI-09")
async def test_a_history_of_all_the_best_costs_two_statements_more_and_a_long_one_none(
    testbed: Testbed, asked: Asked
) -> None:
    """2,000 members who share the most with the viewer are kept apart from them, and 500 others are blocked."""
    async with own_pool(testbed, "cost", SIZES[1]) as made:
        await made.superuser.execute(BLOCKS, member(VIEWER), 500)
        assert await search_once(made, asked) == 1
        await made.superuser.execute(APART, member(VIEWER), 2_000)
        await made.superuser.execute("ANALYZE discovery.exclusions")
        assert await search_once(made, asked) == 3
        assert asked.finalists == 24
        read = await rows_read(made, asked)
    assert sum(read.values()) < 200, read


@pytest.mark.rule("DI-17", "DI-13", "MA-10")
async def test_five_thousand_who_wait_cost_no_more_than_thirty(testbed: Testbed, asked: Asked) -> None:
    read = []
    async with own_pool(testbed, "cost", SIZES[1]) as made:
        for waiting in (30, 5_000):
            await made.superuser.execute("DELETE FROM discovery.waiting_interests")
            await made.superuser.execute(WAITS, member(VIEWER), waiting)
            await made.superuser.execute(OTHERS_WAIT)
            await made.superuser.execute("VACUUM ANALYZE discovery.waiting_interests")
            assert await search_once(made, asked) == 1
            read.append(sum((await rows_read(made, asked)).values()))
    assert read[1] < read[0] + 60, read


@pytest.mark.rule("DI-17", "DI-13")
async def test_if_hardly_anyone_of_many_who_wait_may_be_shown_they_are_found_all_the_same(
    testbed: Testbed, asked: Asked
) -> None:
    async with own_pool(testbed, "cost", SIZES[0]) as made:
        await made.superuser.execute(WAITS, member(VIEWER), 900)
        allowed = {each.user_id for each in (await made.search(VIEWER, Random(1), ranked=1_000))[1].ranked}
        few = sorted(allowed)[:3]
        await made.superuser.execute(
            """UPDATE discovery.candidates SET restricted = true WHERE user_id IN (
                SELECT sender_id FROM discovery.waiting_interests) AND user_id <> ALL ($1)""",
            few,
        )
        await made.superuser.execute(
            "DELETE FROM discovery.waiting_interests WHERE sender_id = ANY ($1)", sorted(allowed)[3:40]
        )
        await made.superuser.execute(
            "UPDATE discovery.candidates SET restricted = false WHERE user_id = ANY ($1)", sorted(allowed)[3:40]
        )
        waiting = await made.superuser.fetch("SELECT sender_id FROM discovery.waiting_interests")
        shown = {each.user_id for each in (await made.search(VIEWER, Random(2)))[1].waiting}
    assert shown == {each["sender_id"] for each in waiting} & set(few)
