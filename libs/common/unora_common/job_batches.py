"""Jobs that meet many rows at once. One row that cannot be worked on holds up no other.

A batch is one transaction with few statements. If it fails, each of its rows gets a transaction of its own, and those
that fail again are left out until no other is due. If Postgres gave up the batch, as when it took too long, half as
many are tried next.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar
from uuid import UUID

from unora_common.database import Database, Tx
from unora_common.failed_rows import row_failed
from unora_common.logs import Log
from unora_common.transient import is_transient

T = TypeVar("T")


class Batches(Generic[T]):
    """The batches of one job in one process.

    `lock(tx, limit, left_out, only)` locks rows that are due with SKIP LOCKED, at most `limit`, none of those in
    `left_out`, and if `only` is not None, only that one; it returns them by id. `work(tx, rows)` decides, stores and
    emits, and returns how much it did.
    """

    def __init__(
        self,
        database: Database,
        log: Log,
        failure: str,
        lock: Callable[[Tx, int, Sequence[UUID], UUID | None], Awaitable[Mapping[UUID, T]]],
        work: Callable[[Tx, Mapping[UUID, T]], Awaitable[int]],
    ) -> None:
        self._database = database
        self._log = log
        self._failure = failure
        self._lock = lock
        self._work = work
        self._left_out: set[UUID] = set()
        self._halvings = 0
        """How often the size of the next batch is halved: more after each transient error, less after each success."""

    async def step(self, limit: int) -> int:
        """One batch of at most `limit` rows. If Postgres is away or gave up the transaction, it raises that: no row is
        at fault, unless it was alone. Then it is left out like one that failed, so that it holds up no other.
        """
        size = max(limit >> self._halvings, 1)
        try:
            done = await self._batch(size)
            if done is None and self._left_out:
                self._left_out.clear()
                done = await self._batch(size)
        except Exception as error:
            if is_transient(error):
                self._halvings = min(self._halvings + 1, limit.bit_length())
            raise
        self._halvings = max(self._halvings - 1, 0)
        return done or 0

    async def _batch(self, limit: int) -> int | None:
        """None if no row is due."""
        locked: list[UUID] = []
        try:
            async with self._database.transaction() as tx:
                rows = await self._lock(tx, limit, list(self._left_out), None)
                locked = list(rows)
                return await self._work(tx, rows) if rows else None
        except Exception as error:
            if is_transient(error) and len(locked) == 1:
                self._left_out.update(locked)
                row_failed()
            if is_transient(error) or not locked:
                raise
        return sum([await self._alone(row) for row in locked])

    async def _alone(self, row: UUID) -> int:
        try:
            async with self._database.transaction() as tx:
                rows = await self._lock(tx, 1, [], row)
                return await self._work(tx, rows) if rows else 0
        except Exception as error:
            self._left_out.add(row)
            row_failed()
            if is_transient(error):
                raise
            self._log.error(self._failure, aggregate_id=str(row), failure=error)
            return 0


async def purge_each(database: Database, log: Log, *purges: Callable[[Tx], Awaitable[int]]) -> int:
    """Deletes a batch by each of these, in a transaction of its own, so that one that fails holds up no other. Returns
    the number of rows. If none was deleted, raises what was transient.
    """
    done, interruption = 0, None
    for purge in purges:
        try:
            async with database.transaction() as tx:
                done += await purge(tx)
        except Exception as error:
            if is_transient(error):
                interruption = error
            else:
                row_failed()
                log.error("old rows cannot be deleted", failure=error)
    if interruption and not done:
        raise interruption
    return done
