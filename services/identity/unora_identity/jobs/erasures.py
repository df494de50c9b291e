"""Erasures of accounts, and what is counted of them for the metrics."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.erasing import Erasing, Erasure
from unora_common.failed_rows import row_failed
from unora_common.gauges import Counts
from unora_common.handlers import counts, every
from unora_common.job_batches import Batches
from unora_common.runtime import Runtime
from unora_common.transient import log_failure

from unora_identity.config import IdentityConfig
from unora_identity.domain.erasures import SOURCES
from unora_identity.metrics import ERASURES_OVERDUE
from unora_identity.resources import Resources
from unora_identity.store import (
    erasures,
)
from unora_identity.use_cases.erasures import begin, erase_objects, lock_due, record_receipt

ERASURE_BATCH: Final = 20


class ErasureJobs(Erasing):
    """ID-09: erases accounts."""

    # The rows say which objects there are, so the objects go first. The record of a photo that is being sized stays
    # until that is over; if its process has died, remove_orphans ends it. delete_archives ends the exports.
    waits = """EXISTS (SELECT FROM identity.erasures r WHERE r.id = e.erasure_id AND 'objects' = ANY (r.receipts))
        AND NOT EXISTS (SELECT FROM identity.photo_uploads o WHERE o.user_id = e.user_id)
        AND NOT EXISTS (SELECT FROM identity.exports x WHERE x.user_id = e.user_id)"""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        super().__init__(runtime)
        self._due = Batches(runtime.database, runtime.log, "erasure cannot begin", lock_due, begin)
        self._failed: list[UUID] = []
        """Erasures whose objects could not be deleted since all were tried: each once, so no more than there are. After
        a restart all are tried anew.
        """

    @every(seconds=10, due=lambda _, db: erasures.count_due(db))
    async def begin_erasures(self) -> int:
        """ID-09: begins to erase accounts whose time to be opened again is over, by the rule clock."""
        return await self._due.step(ERASURE_BATCH)

    @every(seconds=5)
    async def erase_objects(self) -> int:
        """ID-09: deletes the objects of members; one whose objects cannot be deleted waits for all others."""
        async with self.runtime.database.session() as session:
            waiting = await erasures.list_with_objects(session, ERASURE_BATCH, self._failed)
        if len(waiting) < ERASURE_BATCH:
            self._failed.clear()
        done = 0
        for each in waiting:
            try:
                await erase_objects(self.runtime, each)
            except Exception as error:
                log_failure(self.runtime.log, "objects cannot be deleted", error, aggregate_id=str(each.id))
                row_failed()
                self._failed.append(each.id)
            else:
                done += 1
        return done

    @every(seconds=600)
    async def watch_erasures(self) -> int:
        """ID-09: says who has owed a receipt for too long, by the machine's clock."""
        async with self.runtime.database.session() as session:
            overdue = await erasures.count_overdue(session, self.runtime.resources.policy.erasure_overdue)
        for source, count in overdue.items():
            self.runtime.log.error("erasures lack a receipt", source=source, count=count)
        return 0

    async def receipt(self, tx: Tx, erasure: Erasure) -> None:
        """Identity's own receipt."""
        await record_receipt(tx, erasure.id, self.runtime.context)


class ErasureGauges:
    """What is counted for the metrics."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime

    @counts
    async def count_overdue(self, db: Session) -> Counts:
        """ID-09: the erasures that lack a receipt for too long, by who owes it."""
        overdue = await erasures.count_overdue(db, self.runtime.resources.policy.erasure_overdue)
        return {ERASURES_OVERDUE: {(source,): overdue.get(source, 0) for source in SOURCES}}
