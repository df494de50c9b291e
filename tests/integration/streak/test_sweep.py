"""The sweep closes the days of many streaks by a few statements: the same as one by one, whatever happens meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from unora.streak.v1 import events_pb2
from unora_common.common_metrics import COMMON_METRICS
from unora_common.database import Database, Tx
from unora_common.metrics import Metrics
from unora_sdk.names import type_of
from unora_streak.domain.due import next_due
from unora_streak.domain.machine import step
from unora_streak.domain.state import Policy, State, Streak
from unora_streak.metrics import METRICS
from unora_streak.store import streaks
from unora_streak.use_cases.advance import advance_all
from unora_streak.use_cases.sweep import advance_due, lock_due
from unora_testing.deadlines import TIMEOUTS
from unora_testing.testbed import Testbed

from tests.examples import examples
from tests.support import run_apart
from tests.unit.streak.test_properties import streaks as some_streaks

DATABASE = "unora_sweep"


ROLE = "unora_streak"


POLICIES = [
    Policy(),
    Policy(at_risk=timedelta(hours=1)),
    Policy(at_risk=timedelta(hours=12)),
    Policy(ends_soon=timedelta(hours=1)),
    Policy(ends_soon=timedelta(hours=12)),
]


ROWS = "SELECT * FROM streak.streaks ORDER BY id"


BREAKS = """SELECT streak_id, cycle, day, check_in_date, missing_user_id, breaker_user_id, opened_at, broke_at,
    closed_at, outcome FROM streak.breaks ORDER BY streak_id, opened_at"""


OUTBOX = "SELECT id, subject, payload FROM streak.outbox ORDER BY seq"


EARLIER_BREAK = """
    INSERT INTO streak.breaks (id, streak_id, cycle, day, check_in_date, missing_user_id, opened_at, closed_at, outcome)
    VALUES (gen_random_uuid(), $1, $2, 1, $3::date - 7, $4, $5::timestamptz - interval '7 days',
        $5::timestamptz - interval '6 days', 'kept')"""


OPEN_BREAK = """
    INSERT INTO streak.breaks (id, streak_id, cycle, day, check_in_date, missing_user_id, breaker_user_id, opened_at,
        broke_at) VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, $8)"""


class _UndoneError(Exception):
    """Rolls a transaction back."""


Stored = tuple[list[Any], list[Any], dict[str, list[Message]]]


@pytest.mark.rule("ST-02", "ST-06", "ST-09", "ST-16", "ST-20", "ST-23")
@examples(25)
@given(
    st.lists(st.tuples(some_streaks(), st.integers(0, 2), st.integers(0, 130), st.booleans()), min_size=1, max_size=8),
    st.integers(-600, 4000),
    st.sampled_from(POLICIES),
)
def test_the_sweep_stores_what_the_domain_decides_for_each_streak(
    sweep_database: Testbed, drawn: list[tuple[Streak, int, int, bool]], minutes: int, policy: Policy
) -> None:
    """The rows, the breaks and the events are the same, also when the policy has changed since the last event."""
    made = [_other(_later(streak, steps), cycle, twice) for streak, steps, cycle, twice in drawn]
    now = made[0].closes_at + timedelta(minutes=minutes, seconds=30)  # no time of a streak has seconds
    run_apart(_compare(sweep_database, made, now, policy))


@pytest.fixture(scope="module")
def sweep_database(testbed: Testbed) -> Testbed:
    run_apart(testbed.clone(DATABASE))
    return testbed


def _later(streak: Streak, steps: int) -> Streak:
    """The streak after so many steps of time: a hold may be over then, and is remembered."""
    for _ in range(steps):
        due = next_due(streak, Policy())
        if made := step(streak, due, due, Policy()) if due else None:
            streak, _ = made
    return streak


def _other(streak: Streak, cycle: int, swapped: bool) -> Streak:
    """The same streak of two other members, who may have changed places, in another cycle."""
    a, b = sorted([uuid4(), uuid4()])
    names = dict(zip((streak.user_a_id, streak.user_b_id), (b, a) if swapped else (a, b), strict=True))
    return replace(
        streak,
        id=uuid4(),
        connection_id=uuid4(),
        user_a_id=a,
        user_b_id=b,
        cycle=1 + cycle,
        version=streak.version + 100 * cycle,
        checked_in=frozenset(names[member] for member in streak.checked_in),
        breaker_user_id=names[streak.breaker_user_id] if streak.breaker_user_id else None,
    )


async def _compare(testbed: Testbed, made: Sequence[Streak], now: datetime, policy: Policy) -> None:
    superuser = await asyncpg.connect(f"{testbed.server_of(ROLE)}/{DATABASE}")
    database = await Database.open(
        testbed.dsn(DATABASE, ROLE),
        "streak",
        connections=2,
        kept=0,
        timeouts=TIMEOUTS,
        wake=lambda: None,
        metrics=Metrics((*COMMON_METRICS, *METRICS)),
    )
    try:
        await superuser.execute("SET session_replication_role = replica")  # they are in the middle of their way
        await superuser.execute("TRUNCATE streak.streaks, streak.breaks, streak.outbox CASCADE")
        await superuser.execute("UPDATE clock.shift SET ahead = ahead + ($1 - clock.now())", now)
        for streak in made:
            await _insert(superuser, streak)
        one_by_one = await _undone(database, lambda tx: _advance_one_by_one(tx, policy))
        at_once = await _undone(database, lambda tx: _sweep(tx, policy))
        assert at_once[0] == one_by_one[0], "the rows differ"
        assert at_once[1] == one_by_one[1], "the breaks differ"
        assert at_once[2] == one_by_one[2], "the events differ"
    finally:
        await database.close()
        await superuser.close()


async def _insert(connection: asyncpg.Connection[Any], streak: Streak) -> None:
    await connection.execute(streaks.INSERT, *streaks.FACTS.values_of(streak), *streaks._changing(streak))
    earlier = (streak.id, streak.cycle, streak.check_in_date, streak.user_a_id, streak.closes_at)
    await connection.execute(EARLIER_BREAK, *earlier)
    if streak.state in (State.AT_RISK, State.PAYMENT_WINDOW):
        (missing,) = streak.pair - streak.checked_in
        broke_at = streak.closes_at if streak.breaker_user_id else None
        day = (streak.id, streak.cycle, streak.current_day, streak.check_in_date)
        opened_at = streak.closes_at - timedelta(hours=6)
        await connection.execute(OPEN_BREAK, *day, missing, streak.breaker_user_id, opened_at, broke_at)


async def _undone(database: Database, work: Any) -> Stored:
    """What a transaction leaves, which is rolled back then."""
    stored: Stored | None = None
    with contextlib.suppress(_UndoneError):
        async with database.transaction() as tx:
            await work(tx)
            stored = (
                [tuple(row) for row in await tx.rows(ROWS)],
                [tuple(row) for row in await tx.rows(BREAKS)],
                _by_streak([*[_parsed(row) for row in await tx.rows(OUTBOX)], *tx.events]),
            )
            raise _UndoneError
    assert stored is not None
    return stored


async def _advance_one_by_one(tx: Tx, policy: Policy) -> None:
    """What the domain decides for each streak that is due by its stored time."""
    rows = await tx.lock("SELECT id, clock.now() AS now FROM streak.streaks WHERE next_due_at <= clock.now()")
    due = await streaks.list_by_ids(tx, [row["id"] for row in rows])
    if due:
        advanced = await advance_all(tx, due, policy)
        await streaks.reschedule(tx, [(streak.id, next_due(streak, policy)) for streak in advanced])


async def _sweep(tx: Tx, policy: Policy) -> None:
    """The sweep, until nothing is due."""
    while due := await lock_due(tx, 3, []):
        before = {row["id"] for row in await tx.rows("SELECT id FROM streak.outbox")}
        await advance_due(tx, due, policy, _fail)
        events = [_parsed(row) for row in await tx.rows(OUTBOX) if row["id"] not in before]
        assert {event.recorded_at.ToDatetime(UTC) for event in events} <= {tx.now}  # type: ignore[attr-defined]
        advanced = await streaks.list_by_ids(tx, [streak_id for each in due for streak_id in each.ids])
        wrong = [each for each in advanced if each.next_due_at != next_due(each, policy)]
        assert not wrong, "these would be locked again although nothing is due, or not when something is"


def _fail(streak: Streak, error: Exception) -> None:
    raise error


def _parsed(row: asyncpg.Record) -> Message:
    kind = vars(events_pb2)[type_of(row["subject"]).rpartition(".")[2]]
    event: Message = kind.FromString(row["payload"])
    return event


def _by_streak(events: Sequence[Message]) -> dict[str, list[Message]]:
    """The events of each streak in the order of their versions, without the times at which they were recorded."""
    found: dict[str, list[Message]] = {}
    for event in sorted(events, key=lambda event: event.version):  # type: ignore[attr-defined]
        event.ClearField("recorded_at")
        found.setdefault(event.streak_id, []).append(event)  # type: ignore[attr-defined]
    return found
