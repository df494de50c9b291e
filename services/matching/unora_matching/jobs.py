"""Scheduled jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.due import Due
from unora_common.erasing import Erasing, Erasure, receipt_of
from unora_common.handlers import every
from unora_common.job_batches import Batches
from unora_common.runtime import Runtime

from unora_matching.config import MatchingConfig
from unora_matching.domain.events import MemberErasedFromMatching
from unora_matching.messages import to_message
from unora_matching.store import interests, inventories
from unora_matching.use_cases.expiry import expire_interests_of

PURGE_BATCH: Final = 5000


class InterestJobs:
    """Interests expire, and are forgotten."""

    def __init__(self, runtime: Runtime[MatchingConfig, None]) -> None:
        self.runtime = runtime
        self._lifetime = runtime.config.policy.lifetime
        self._batches = Batches(
            runtime.database, runtime.log, "interests of a member cannot expire", self._lock, self._expire
        )

    async def _count_due(self, db: Session) -> Due:
        return await inventories.count_due_interests(db, self._lifetime)

    @every(seconds=30, due=_count_due)
    async def expire(self) -> int:
        """MA-11: one batch. A due interest never matches, even if this job is late: a match looks at the time.

        A member whose interests cannot expire is logged and left out until no other is due.
        """
        return await self._batches.step(self.runtime.config.expiry_batch)

    async def _lock(self, tx: Tx, limit: int, left_out: Sequence[UUID], only: UUID | None) -> dict[UUID, None]:
        return dict.fromkeys(await inventories.lock_senders_of_due_interests(tx, self._lifetime, limit, left_out, only))

    async def _expire(self, tx: Tx, senders: Mapping[UUID, None]) -> int:
        return await expire_interests_of(tx, senders, self._lifetime)

    @every(seconds=300)
    async def purge_interests(self) -> int:
        """Deletes interests that came to nothing and were closed long ago, by the machine's clock: moving the rule
        clock deletes nothing. What somebody once wished is private.
        """
        async with self.runtime.database.transaction() as tx:
            return await interests.purge(tx, self.runtime.config.closed_interest_days, PURGE_BATCH)


class ErasureJobs(Erasing):
    """ID-09: erases members."""

    async def receipt(self, tx: Tx, erasure: Erasure) -> None:
        """The receipt, which identity waits for."""
        tx.emit(to_message(receipt_of(MemberErasedFromMatching, erasure, tx)))
