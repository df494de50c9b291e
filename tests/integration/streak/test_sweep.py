"""The sweep closes the days of many streaks by a few statements: the same as one by one, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as changed
from unora.streak.v1 import events_pb2
from unora.streak.v1.events_pb2 import DayBegan, PaymentWindowOpened, StreakReset
from unora.streak.v1.streak_service_pb2 import STREAK_STATE_RESET
from unora_common.app import App
from unora_common.database import Database, Tx
from unora_common.outbox import type_of
from unora_streak.domain.due import next_due
from unora_streak.domain.machine import step
from unora_streak.domain.state import Policy, State, Streak
from unora_streak.jobs import StreakJobs
from unora_streak.store import breaks, closings, streaks
from unora_streak.use_cases.advance import advance_all
from unora_streak.use_cases.sweep import advance_due, lock_due
from unora_testing.deadlines import TIMEOUTS
from unora_testing.testbed import Testbed
from unora_testing.world import World

from tests.examples import examples
from tests.integration.streak.conftest import Couple
from tests.support import connect, run_apart
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
        testbed.dsn(DATABASE, ROLE), "streak", connections=2, kept=0, timeouts=TIMEOUTS, wake=lambda: None
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


@asynccontextmanager
async def _replica(world: World, **changes: Any) -> AsyncIterator[App[Any, Any]]:
    """One more process of the service."""
    app = world.apps["streak"]
    replica: App[Any, Any] = App(app.service, changed(app.config, **changes), app.timeouts)
    await replica.open()
    try:
        yield replica
    finally:
        await replica.close()


async def _pairs(world: World, count: int) -> list[str]:
    """The ids of the streaks of new pairs."""
    connections = [(await connect(world)).connection_id for _ in range(count)]
    rows = await world.superuser_of("streak").fetch(
        "SELECT id FROM streak.streaks WHERE connection_id = ANY ($1::uuid[])",
        [UUID(str(each)) for each in connections],
    )
    return [str(row["id"]) for row in rows]


async def _resets(world: World, streak_ids: Sequence[str]) -> list[int]:
    return [len(await world.events(StreakReset, streak_id)) for streak_id in streak_ids]


@pytest.mark.rule("ST-16")
@pytest.mark.parametrize("point", ["locked", "streaks and events written", "breaks written"])
async def test_a_sweep_whose_connection_dies_leaves_nothing_half(
    world: World, couple: Couple, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await couple.play(1)
    await couple.to_next_day()
    await couple.to_at_risk()
    others = await _pairs(world, 3)
    await couple.jump(await couple.day_ends_at() + timedelta(hours=30))
    before = await world.superuser_of("streak").fetch("SELECT * FROM streak.streaks ORDER BY id")

    async def die(tx: Tx) -> None:
        await world.superuser_of("streak").execute(
            "SELECT pg_terminate_backend($1)", await tx.value("SELECT pg_backend_pid()")
        )

    save, save_closed = closings.save, breaks.save_closed

    async def dying_save(tx: Tx, *arguments: Any) -> None:
        if point == "locked":
            await die(tx)
        await save(tx, *arguments)

    async def dying_breaks(tx: Tx, *arguments: Any) -> None:
        if point == "streaks and events written":
            await die(tx)
        await save_closed(tx, *arguments)
        if point == "breaks written":
            await die(tx)

    with monkeypatch.context() as patched:
        patched.setattr(closings, "save", dying_save)
        patched.setattr(breaks, "save_closed", dying_breaks)
        async with _replica(world) as replica:
            with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
                await StreakJobs(replica.runtime).close_days()
    assert await world.superuser_of("streak").fetch("SELECT * FROM streak.streaks ORDER BY id") == before
    await world.drain()
    assert len(await couple.events(PaymentWindowOpened)) == 1
    assert await _resets(world, others) == [1, 1, 1]


@pytest.mark.rule("ST-02", "ST-16")
async def test_a_streak_that_the_database_refuses_is_left_out_and_the_others_close(
    world: World, couple: Couple
) -> None:
    """Its event is there already, so the statement for all streaks of its kind fails."""
    others = await _pairs(world, 6)
    refused = others.pop(2)
    row = await world.superuser_of("streak").fetchrow(
        "SELECT id, version FROM streak.streaks WHERE id = $1", UUID(refused)
    )
    assert row is not None
    await world.superuser_of("streak").execute(
        """INSERT INTO streak.outbox (id, aggregate_id, aggregate_version, subject, payload, occurred_at, trace,
        published_at) VALUES (gen_random_uuid(), $1, $2, 'unora.streak.v1.refused', '', now(), '', now())""",
        row["id"],
        row["version"] + 1,
    )
    await couple.jump(await couple.day_ends_at() + timedelta(minutes=1))
    async with _replica(world) as replica:
        jobs = StreakJobs(replica.runtime)
        for _ in range(100):
            if not await jobs.close_days():
                break
        else:
            pytest.fail("the sweep always finds work")
    states = "SELECT streak_state, version FROM streak.streaks WHERE id = $1"
    (left,) = await world.superuser_of("streak").fetch(states, UUID(refused))
    assert tuple(left) == ("active", row["version"])
    await world.superuser_of("streak").execute(
        "DELETE FROM streak.outbox WHERE aggregate_id = $1 AND payload = ''", row["id"]
    )
    await world.drain()
    assert await _resets(world, [*others, refused, couple.streak_id]) == [1] * 7


@pytest.mark.rule("ST-16")
@pytest.mark.parametrize("most", [3, 0])
async def test_a_batch_that_postgres_gives_up_is_tried_smaller_and_one_streak_holds_up_no_other(
    world: World, couple: Couple, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow server a large batch takes longer than a statement may. With 0, it is one streak that always does."""
    ids = await _pairs(world, 6)
    slow = UUID(ids[2])
    await couple.jump(await couple.day_ends_at() + timedelta(minutes=1))
    save = closings.save

    async def slow_save(tx: Tx, closed: Sequence[Any], payload: str) -> None:
        found = [each for one in closed for each in one.ids]
        if len(found) > most if most else slow in found:
            raise asyncpg.QueryCanceledError("canceling statement due to statement timeout")
        await save(tx, closed, payload)

    with monkeypatch.context() as patched:
        patched.setattr(closings, "save", slow_save)
        async with _replica(world, sweep_batch=8) as replica:
            jobs = StreakJobs(replica.runtime)
            for _ in range(30):
                with contextlib.suppress(asyncpg.QueryCanceledError):
                    await jobs.close_days()
    states = "SELECT id FROM streak.streaks WHERE streak_state = 'active' AND next_due_at <= clock.now()"
    left = {row["id"] for row in await world.superuser.fetch(states)}
    assert left == (set() if most else {slow})
    await world.drain()
    assert await _resets(world, [*ids, couple.streak_id]) == [1] * 7


@pytest.mark.rule("ST-16")
async def test_two_replicas_close_each_of_many_streaks_once(world: World, couple: Couple) -> None:
    ids = await _pairs(world, 12)
    await couple.jump(await couple.day_ends_at() + timedelta(minutes=1))

    async def run(replica: App[Any, Any]) -> int:
        jobs, done = StreakJobs(replica.runtime), 0
        while locked := await jobs.close_days():
            done += locked
        return done

    async with _replica(world, sweep_batch=2) as one, _replica(world, sweep_batch=2) as other:
        assert (
            sum(await asyncio.gather(run(one), run(other))) == 2 * 13
        )  # each day was told to end soon (ST-23), and closed
    await world.drain()
    assert await _resets(world, [*ids, couple.streak_id]) == [1] * 13


@pytest.mark.rule("ST-16")
async def test_streaks_that_are_days_behind_close_each_day_in_order(world: World, couple: Couple) -> None:
    await couple.play(2)
    end = await couple.day_ends_at()
    await couple.jump(end + timedelta(days=5))
    await world.drain()
    began, reset = (await couple.events(DayBegan))[-1], (await couple.events(StreakReset))[0]
    assert [event.occurred_at.ToDatetime(UTC) for event in (began, reset)] == [end, end + timedelta(days=1)]
    assert reset.version == began.version + 2  # between them it was told that the day ends soon (ST-23)
    assert (await couple.now()).state == STREAK_STATE_RESET
