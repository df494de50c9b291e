"""Streaks that exist when the migration adds at-risk periods."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from alembic import command
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from unora_common import migrations, provision
from unora_common.ids import uuid7
from unora_testing.testbed import Testbed

ROLE = "unora_streak_owner"
NAME = f"unora_on_their_way_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
A, B = UUID(int=1), UUID(int=2)
BEGIN = """
    INSERT INTO streak.streaks (id, connection_id, user_a_id, user_b_id, server_type, streak_state, cycle,
        completed_days, current_day, zone, check_in_date, closes_at, here, started_at, next_due_at, version)
    VALUES ($1, gen_random_uuid(), $2, $3, 'friend', 'active', 1, 0, 1, 'UTC', '2026-11-22', '2026-11-23T00:00Z',
        ARRAY[$2::uuid], '2026-11-22T09:00Z', '2026-11-22T18:00Z', 2)"""
AT_RISK = "UPDATE streak.streaks SET streak_state = 'at_risk' WHERE id = $1"
WINDOW = """
    UPDATE streak.streaks SET streak_state = 'payment_window', breaker_user_id = user_b_id,
        window_closes_at = '2026-11-24T00:00Z' WHERE id = $1"""


@pytest.fixture
async def database(testbed: Testbed) -> AsyncIterator[str]:
    """A database with the streak schema as it was released first."""
    admin = await asyncpg.connect(f"{testbed.server_of(ROLE)}/postgres")
    await admin.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
    await admin.execute(f"CREATE DATABASE {NAME}")
    await provision.make_schemas(f"{testbed.server_of(ROLE)}/{NAME}", ["streak"], movable_clock=False)
    owner = testbed.dsn(NAME, ROLE).replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(owner, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(_first_version)
    await engine.dispose()
    yield NAME
    await admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
    await admin.close()


def _first_version(connection: Connection) -> None:
    config = migrations.configured("streak")
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")


@pytest.mark.rule("ST-06", "ST-18")
async def test_the_missing_member_can_still_be_nudged_and_can_still_recover(testbed: Testbed, database: str) -> None:
    playing, at_risk, window = uuid7(), uuid7(), uuid7()
    owner = testbed.dsn(database, ROLE)
    connection = await asyncpg.connect(owner)
    try:
        for streak in (playing, at_risk, window):
            await connection.execute(BEGIN, streak, A, B)
        for streak in (at_risk, window):
            await connection.execute(AT_RISK, streak)
        await connection.execute(WINDOW, window)
        done = await asyncio.to_thread(migrations.upgrade, "streak", owner)
        assert done.outcome is migrations.Outcome.MIGRATED
        rows = await connection.fetch(
            """SELECT streak_id, missing_user_id, breaker_user_id, broke_at - opened_at = interval '6 hours' AS broke,
            outcome FROM streak.breaks"""
        )
        found = {row["streak_id"]: tuple(row)[1:] for row in rows}
        assert found == {at_risk: (B, None, None, None), window: (B, B, True, None)}
    finally:
        await connection.close()
