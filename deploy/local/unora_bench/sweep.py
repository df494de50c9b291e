"""`make bench ONLY=sweep`: a midnight at which all streaks are due, beside bare SQL that does the same writes.

Postgres runs alone, on the settings of `make up` (fsync on). Both start from copies of one database. The limit is one
statement for all rows, in one transaction, that knows what each row becomes; the job finds it out, and goes in batches.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
from unora_common import migrations, provision
from unora_local import ports
from unora_local.postgres import Postgres

from unora_bench.figures import Figure, Group
from unora_bench.run import Run
from unora_bench.stack import new_folder, say

SECRET: Final = "bench"  # noqa: S105 - of a server that lives as long as the measurement
FILLED: Final = "sweep_filled"
ZONES: Final = (
    *(f"Etc/GMT{offset:+d}" for offset in range(-14, 13) if offset),
    *("UTC", "Europe/Berlin", "Europe/Lisbon", "Asia/Kathmandu", "Asia/Tokyo", "America/Santiago", "America/Denver"),
    *("America/Nuuk", "Africa/Cairo", "Australia/Sydney", "Australia/Lord_Howe", "Pacific/Auckland", "Asia/Tehran"),
)
"""Zones of the streaks: 39."""

# Of ten streaks both have checked in on seven, nobody on two, and one on one, which is at risk.
MAKE: Final = """
    INSERT INTO streak.streaks (
        id, connection_id, user_a_id, user_b_id, server_type, streak_state, cycle, completed_days, current_day, zone,
        check_in_date, closes_at, here, told_ends_soon, started_at, next_due_at, version)
    SELECT {id}, ('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, {a}, {b}, 'partner',
        CASE WHEN n % 10 = 9 THEN 'at_risk' ELSE 'active' END, 1, 1 + n % 13,
        CASE WHEN n % 10 < 7 THEN 1 + n % 13 ELSE 2 + n % 13 END, ($2::text[])[1 + n % cardinality($2)],
        current_date, date_trunc('hour', clock.now()),
        CASE WHEN n % 10 < 7 THEN ARRAY[{a}, {b}] WHEN n % 10 < 9 THEN '{{}}' ELSE ARRAY[{a}] END,
        n % 10 IN (7, 8), clock.now() - interval '20 days', date_trunc('hour', clock.now()), 30 + n % 60
    FROM generate_series(0, $1::integer - 1) AS n""".format(
    id="('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid",
    a="('00000000-0000-4000-a000-' || lpad(to_hex(n), 12, '0'))::uuid",
    b="('ffffffff-ffff-4fff-bfff-' || lpad(to_hex(n), 12, '0'))::uuid",
)
BREAKS: Final = """
    INSERT INTO streak.breaks (id, streak_id, cycle, day, check_in_date, missing_user_id, opened_at)
    SELECT gen_random_uuid(), id, cycle, current_day, check_in_date, user_b_id, closes_at - interval '6 hours'
    FROM streak.streaks WHERE streak_state = 'at_risk'"""

BARE: Final = """
    WITH closed AS (
        UPDATE streak.streaks SET
            streak_state = CASE WHEN here = '{}' THEN 'reset' WHEN streak_state = 'at_risk' THEN 'payment_window'
                ELSE 'active' END,
            cycle = CASE WHEN here = '{}' THEN cycle + 1 ELSE cycle END,
            completed_days = CASE WHEN here = '{}' THEN 0 ELSE completed_days END,
            current_day = CASE WHEN here = '{}' THEN 1 ELSE completed_days + 1 END,
            check_in_date = CASE WHEN cardinality(here) = 2 THEN check_in_date + 1 ELSE check_in_date END,
            closes_at = CASE WHEN cardinality(here) = 2 THEN closes_at + interval '1 day' ELSE closes_at END,
            here = CASE WHEN cardinality(here) = 2 THEN '{}' ELSE here END,
            window_closes_at = CASE WHEN streak_state = 'at_risk' THEN closes_at + interval '1 day' END,
            told_ends_soon = false,
            breaker_user_id = CASE WHEN streak_state = 'at_risk' THEN user_b_id END,
            next_due_at = CASE WHEN cardinality(here) = 2 THEN closes_at + interval '18 hours'
                WHEN here <> '{}' THEN closes_at + interval '1 day' END,
            version = version + 1
        WHERE next_due_at <= clock.now()
        RETURNING id, version, streak_state, cycle, check_in_date, breaker_user_id),
    broken AS (
        UPDATE streak.breaks b SET breaker_user_id = missing_user_id, broke_at = clock.now()
        FROM closed c WHERE c.streak_state = 'payment_window'
            AND (b.streak_id, b.cycle, b.check_in_date) = (c.id, c.cycle, c.check_in_date))
    INSERT INTO streak.outbox (id, aggregate_id, aggregate_version, subject, payload, occurred_at, trace)
    SELECT ('01940000-0000-7' || substr(gen_random_uuid()::text, 16))::uuid, id, version,
        'unora.streak.v1.day_began', decode(repeat('78', 210), 'hex'), clock.now(), repeat('t', 55)
    FROM closed"""


async def measure(run: Run) -> None:
    """For each size: the bare statement, then the job."""
    with new_folder("sweep") as folder:
        async with _postgres(folder.path.parent) as postgres:
            for members in run.members:
                await _measure_size(run, postgres, members)


async def _measure_size(run: Run, postgres: Postgres, members: int) -> None:
    admin = await asyncpg.connect(postgres.dsn(database="postgres"))
    try:
        say(f"sweep: {members} streaks are made")
        await _copy(admin, "unora", FILLED)
        await _fill(postgres.dsn(database=FILLED), members)
        async with run.watched() as noise:
            say(f"sweep: bare SQL closes {members} streaks")
            await _copy(admin, FILLED, "sweep_bare")
            limit = await _bare(postgres.dsn(database="sweep_bare"), members)
            await _drop(admin, "sweep_bare")
            say(f"sweep: the job closes {members} streaks")
            await _copy(admin, FILLED, "sweep_job")
            result = await _job(postgres.dsn("unora_streak", SECRET, "sweep_job"), members)
            await _check(postgres.dsn(database="sweep_job"), members)
        run.add(
            Figure(
                group=Group.SWEEP,
                name=f"streaks closed at {members:,}",
                value=members / result["seconds"],
                unit="streaks/s",
                limit=members / limit,
                limit_name="bare SQL doing the same writes",
                aim=1_000_000 / 90,
                aim_share=0.7,
                noise=noise.value,
            )
        )
        run.add(
            Figure(
                group=Group.SWEEP,
                name=f"longest batch at {members:,}",
                value=result["longest"] * 1000,
                unit="ms",
                noise=noise.value,
            )
        )
        run.notes[f"sweep at {members:,}"] = result | {"bare_seconds": limit}
    finally:
        for database in ("sweep_bare", "sweep_job", FILLED):
            await _drop(admin, database)
        await admin.close()


@asynccontextmanager
async def _postgres(folder: Path) -> AsyncIterator[Postgres]:
    """A server with the schema of streak, erased at the end."""
    (port,) = ports.free()
    postgres = Postgres(folder / "postgres", port=port, password=SECRET, log=folder / "postgres.log")
    await postgres.start()
    try:
        roles = dict.fromkeys(provision.role_names(["streak"]), SECRET)
        await provision.make_roles(postgres.dsn(), roles)
        await provision.make_schemas(postgres.dsn(), ["streak"], movable_clock=False)
        await asyncio.to_thread(migrations.upgrade, "streak", postgres.dsn("unora_streak_owner", SECRET))
        yield postgres
    finally:
        await postgres.stop()
        postgres.erase()


async def _fill(dsn: str, members: int) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SET session_replication_role = replica")  # they begin in the middle of a cycle
        await connection.execute(MAKE, members, list(ZONES))
        await connection.execute(BREAKS)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def _bare(dsn: str, members: int) -> float:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CHECKPOINT")
        started = time.perf_counter()
        status = await connection.execute(BARE)
        spent = time.perf_counter() - started
        if status != f"INSERT 0 {members}":
            raise RuntimeError(f"bare SQL closed {status}, not {members}")
        return spent
    finally:
        await connection.close()


async def _job(dsn: str, members: int) -> dict[str, float]:
    command = (sys.executable, "-m", "unora_bench.sweeper", dsn)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the sweep failed")
    result: dict[str, float] = json.loads(output)
    if result["streaks"] != members:
        raise RuntimeError(f"the job locked {result['streaks']:.0f} streaks, not {members}")
    return result


async def _check(dsn: str, members: int) -> None:
    """Each streak has one event more, and nothing is due."""
    connection = await asyncpg.connect(dsn)
    try:
        (counts,) = await connection.fetch(
            """SELECT (SELECT count(*) FROM streak.outbox) AS events, (SELECT count(*) FROM streak.streaks
            WHERE next_due_at <= clock.now()) AS due, (SELECT count(*) FROM streak.breaks WHERE broke_at IS NOT NULL)
            AS broken"""
        )
    finally:
        await connection.close()
    if tuple(counts) != (members, 0, members // 10):
        raise RuntimeError(f"the job left {dict(counts)}")


async def _copy(admin: asyncpg.Connection[asyncpg.Record], source: str, target: str) -> None:
    await _drop(admin, target)
    await admin.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}" STRATEGY file_copy')
    await admin.execute("CHECKPOINT")


async def _drop(admin: asyncpg.Connection[asyncpg.Record], database: str) -> None:
    await admin.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
