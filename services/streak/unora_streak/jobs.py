"""Scheduled jobs of streaks."""

from __future__ import annotations

import time
from typing import Final
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.erasing import Erasing, Erasure, receipt_of
from unora_common.failed_rows import batch_failed, row_failed
from unora_common.gauges import Counts
from unora_common.handlers import counts, every
from unora_common.runtime import Runtime
from unora_common.transient import is_transient

from unora_streak.config import StreakConfig
from unora_streak.domain.events import MemberErasedFromStreak
from unora_streak.domain.state import TERMINAL, State, Streak
from unora_streak.messages import to_message
from unora_streak.metrics import STREAKS
from unora_streak.store import streak_counts
from unora_streak.use_cases.sweep import advance_due, lock_due

RETRY_AFTER: Final = 60.0
"""Seconds after which a streak that could not be advanced is tried again."""


class StreakJobs:
    """The sweep."""

    def __init__(self, runtime: Runtime[StreakConfig, None]) -> None:
        self.runtime = runtime
        self._limit = runtime.config.sweep_batch
        """The size of the next batch: smaller for a while after one that failed as a whole."""
        self._failed: dict[UUID, float] = {}
        """The streaks that could not be advanced, and when they are tried again (monotonic clock)."""

    @every(seconds=1, due=lambda _, db: streak_counts.count_due(db))
    async def close_days(self) -> int:
        """ST-16: advances one batch of due streaks. If the process dies, the batch rolls back and is retried.

        A streak that cannot be advanced is logged and left out for a while, so that it does not delay the others.
        """
        now = time.monotonic()
        self._failed = {streak_id: retry_at for streak_id, retry_at in self._failed.items() if retry_at > now}
        locked: list[UUID] = []
        try:
            async with self.runtime.database.transaction() as tx:
                due = await lock_due(tx, self._limit, self._failed)
                locked = [streak_id for each in due for streak_id in each.ids]
                await advance_due(tx, due, self.runtime.config.policy, self._on_error)
        except Exception as error:
            if is_transient(error):
                self._shrink(locked)
            if is_transient(error) or not locked:
                raise
            self._search(locked, error)
            return 0
        self._limit = min(2 * self._limit, self.runtime.config.sweep_batch)
        return sum(streak_id not in self._failed for streak_id in locked)

    def _shrink(self, locked: list[UUID]) -> None:
        """Postgres gave up a batch, perhaps because it took too long: half as many are tried next. One that was alone
        is left out, so that it does not delay the others.
        """
        if len(locked) == 1:
            self._failed[locked[0]] = time.monotonic() + RETRY_AFTER
            row_failed(goes_on=True)
        self._limit = max(1, self._limit // 2)

    def _search(self, locked: list[UUID], error: Exception) -> None:
        """A batch failed as a whole, as when a constraint refuses one of its rows. Half as many are tried next, and so
        on, until the others are done and the one that fails is alone.
        """
        if len(locked) == 1:
            self._leave_out(locked[0], error)
        else:
            self.runtime.log.warning("batch of streaks cannot be advanced", count=len(locked), failure=error)
            self._limit = max(1, len(locked) // 2)
            batch_failed()

    def _on_error(self, streak: Streak, error: Exception) -> None:
        self._leave_out(streak.id, error)

    def _leave_out(self, streak_id: UUID, error: Exception) -> None:
        self._failed[streak_id] = time.monotonic() + RETRY_AFTER
        row_failed(goes_on=True)
        self.runtime.log.error("streak cannot be advanced", aggregate_id=str(streak_id), failure=error)


class StreakGauges:
    """What is counted for the metrics."""

    def __init__(self, runtime: Runtime[StreakConfig, None]) -> None:
        self.runtime = runtime

    @counts
    async def count_streaks(self, db: Session) -> Counts:
        """The streaks that go on."""
        found = await streak_counts.count_by_state(db)
        return {STREAKS: {(state,): found.get(state, 0) for state in State if state not in TERMINAL}}


class ErasureJobs(Erasing):
    """ID-09: erases members."""

    async def receipt(self, tx: Tx, erasure: Erasure) -> None:
        """The receipt, which identity waits for."""
        tx.emit(to_message(receipt_of(MemberErasedFromStreak, erasure, tx)))
