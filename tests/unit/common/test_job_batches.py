"""Jobs that meet many rows at once: no row, and no size of a batch, holds up the others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest
from unora_common import failed_rows
from unora_common.database import Tx
from unora_common.job_batches import Batches, purge_each
from unora_common.jobs import Housekeeping
from unora_common.logs import logger

LIMIT = 16


class Rows:
    """Rows that are due in the order of their numbers, and a database that cannot do every batch."""

    def __init__(self, count: int) -> None:
        self.due = [UUID(int=number) for number in range(1, count + 1)]
        self.refused: set[UUID] = set()
        """Postgres refuses these, as by a constraint."""
        self.slow: set[UUID] = set()
        """Postgres gives up each batch that has one of these."""
        self.most = LIMIT
        """Postgres gives up larger batches, since they take too long."""
        log = logger("test", "CRITICAL")
        self.batches: Batches[None] = Batches(cast("Any", self), log, "failed", self._lock, self._work)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        before = list(self.due)
        try:
            yield
        except BaseException:
            self.due = before
            raise

    async def run(self, steps: int) -> None:
        """Runs the job so often; it goes on after an error."""
        for _ in range(steps):
            try:
                await self.batches.step(LIMIT)
            except asyncpg.QueryCanceledError:
                continue

    async def _lock(self, _: Tx, limit: int, left_out: Sequence[UUID], only: UUID | None) -> dict[UUID, None]:
        found = [each for each in self.due if each not in left_out and only in (None, each)]
        return dict.fromkeys(found[:limit])

    async def _work(self, _: Tx, rows: Mapping[UUID, None]) -> int:
        if len(rows) > self.most or self.slow & rows.keys():
            raise asyncpg.QueryCanceledError("canceling statement due to statement timeout")
        if self.refused & rows.keys():
            raise asyncpg.CheckViolationError("refused")
        self.due = [each for each in self.due if each not in rows]
        return len(rows)


async def test_batches_that_take_too_long_become_smaller_until_postgres_can_do_them() -> None:
    rows = Rows(100)
    rows.most = 3
    await rows.run(150)
    assert not rows.due


async def test_after_a_while_batches_are_as_large_as_before() -> None:
    rows = Rows(1000)
    rows.most = 3
    await rows.run(10)
    rows.most = LIMIT
    await rows.run(5)
    left = len(rows.due)
    await rows.run(1)
    assert len(rows.due) == left - LIMIT


@pytest.mark.parametrize("kind", ["refused", "slow"])
async def test_a_row_that_fails_again_and_again_holds_up_no_other_and_is_tried_again(kind: str) -> None:
    rows = Rows(40)
    bad = {UUID(int=1), UUID(int=20)}
    setattr(rows, kind, bad)
    await rows.run(60)
    assert set(rows.due) == bad
    setattr(rows, kind, set())
    await rows.run(4)
    assert not rows.due


async def test_a_batch_whose_rows_all_fail_says_so() -> None:
    rows = Rows(3)
    rows.refused = set(rows.due)
    run = failed_rows.begin()
    assert (await rows.batches.step(LIMIT), run.failed, run.goes_on) == (0, 3, False)


async def test_rows_that_fail_for_their_own_sake_do_not_keep_those_from_work_that_come_with_slow_ones() -> None:
    rows = Rows(LIMIT)
    rows.refused, rows.slow = {UUID(int=1)}, {UUID(int=2)}
    await rows.run(20)
    assert set(rows.due) == {UUID(int=1), UUID(int=2)}


class Tables:
    """A database whose statements on some tables take too long."""

    def __init__(self, *slow: str) -> None:
        self.slow = slow
        self.left = {"outbox": 2, "inbox": 2, "inbox_failures": 2, "kept_answers": 2}

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tables]:
        yield self

    async def run(self, sql: str, *_: object) -> int:
        """Deletes one row of the table that the statement names."""
        table = sql.split("FROM streak.")[1].split()[0]
        if table in self.slow:
            raise asyncpg.QueryCanceledError("canceling statement due to statement timeout")
        found = self.left[table] > 0
        self.left[table] -= found
        return int(found)


async def test_a_table_whose_purge_takes_too_long_keeps_no_other_from_being_purged() -> None:
    database = Tables("outbox", "inbox_failures")
    config = SimpleNamespace(outbox_days=14, inbox_days=30, kept_answer_hours=24)
    log = logger("test", "CRITICAL")
    housekeeping = Housekeeping("streak", cast("Any", config), cast("Any", database), log)
    assert [await housekeeping.purge(), await housekeeping.purge()] == [2, 2]
    with pytest.raises(asyncpg.QueryCanceledError):
        await housekeeping.purge()
    assert database.left == {"outbox": 2, "inbox": 0, "inbox_failures": 2, "kept_answers": 0}


async def test_purges_of_a_context_go_on_although_one_takes_too_long() -> None:
    database, log = Tables("outbox"), logger("test", "CRITICAL")
    purges = [lambda tx, sql=f"DELETE FROM streak.{table} ": tx.run(sql) for table in database.left]
    assert await purge_each(cast("Any", database), log, *cast("Any", purges)) == 3
    assert await purge_each(cast("Any", database), log, *cast("Any", purges)) == 3
    with pytest.raises(asyncpg.QueryCanceledError):
        await purge_each(cast("Any", database), log, *cast("Any", purges))
    assert database.left == {"outbox": 2, "inbox": 0, "inbox_failures": 0, "kept_answers": 0}
