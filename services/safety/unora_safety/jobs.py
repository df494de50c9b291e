"""The scheduled jobs of safety."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.erasing import Erasing, Erasure, receipt_of
from unora_common.failed_rows import row_failed
from unora_common.gauges import Counts
from unora_common.handlers import counts, every
from unora_common.job_batches import purge_each
from unora_common.runtime import Runtime
from unora_common.transient import is_transient, log_failure

from unora_safety.config import SafetyConfig
from unora_safety.domain.cases import CaseOrigin
from unora_safety.domain.events import MemberErasedFromSafety
from unora_safety.domain.patterns import History
from unora_safety.messages.events import to_message
from unora_safety.metrics import CASES_OPEN, FLAGS_OPEN
from unora_safety.resources import Resources
from unora_safety.store import audit_index, cases, examination_queue, flags, reports, sightings, traces
from unora_safety.use_cases.audit_exports import export_today, write_exports
from unora_safety.use_cases.audit_log import index_entries
from unora_safety.use_cases.detection import load_histories, measure_baselines, raise_flags


class AuditIndexJobs:
    """SA-01: makes the audit log searchable."""

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime

    @every(seconds=1, due=lambda _, db: audit_index.count_missing(db))
    async def index_audit(self) -> int:
        """Indexes one batch of each chain that no other replica has locked, also rows older than the index."""
        async with self.runtime.database.transaction() as tx:
            return await index_entries(tx, self.runtime.config.audit_index_batch)


class AuditExportJobs:
    """SA-11: exports the heads of the audit chains once a day (UTC)."""

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime

    @every(seconds=60)
    async def export_audit_heads(self) -> int:
        """Exports the heads if the day has no export yet. Any number of replicas may run it."""
        async with self.runtime.database.transaction() as tx:
            return int(await export_today(tx, self.runtime.resources.head_signer))

    @every(seconds=60)
    async def write_audit_exports(self) -> int:
        """Writes the exports of the last days that the folder does not have; does nothing without a folder."""
        folder = self.runtime.config.audit_export_dir
        if not folder:
            return 0
        return await write_exports(self.runtime.database, Path(folder))


class DetectionJobs:
    """SA-04, SA-09: looks for patterns, and deletes what is no longer needed for it."""

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime

    @every(seconds=1, due=lambda _, db: examination_queue.count_waiting(db))
    async def examine(self) -> int:
        """Examines members with new sightings. If the process dies, another replica claims them within a minute.

        No transaction is open while the detector works; the database ensures that a flag is raised once. If the
        examination of a member fails, the failure is logged, and the member stays claimed for that minute, so that the
        other members do not have to wait.
        """
        async with self.runtime.database.transaction() as tx:
            claimed = await examination_queue.claim(tx, self.runtime.config.examine_batch)
        if not claimed:
            return 0
        examined = set()
        for history in await self._histories([each.user_id for each in claimed]):
            try:
                await self._examine(history)
            except Exception as error:
                self._report(history.user_id, error)
            else:
                examined.add(history.user_id)
        async with self.runtime.database.transaction() as tx:
            await examination_queue.finish(tx, [each for each in claimed if each.user_id in examined])
        return len(examined)

    async def _histories(self, users: Sequence[UUID]) -> list[History]:
        """Of all at once; if that fails, of each by itself, without those whose history cannot be read."""
        try:
            async with self.runtime.database.session() as db:
                return await load_histories(db, users)
        except Exception as error:
            if is_transient(error):
                raise
            if len(users) == 1:
                self._report(users[0], error)
                return []
        return [history for user in users for history in await self._histories([user])]

    def _report(self, user: UUID, error: Exception) -> None:
        row_failed()
        log_failure(self.runtime.log, "member cannot be examined", error, aggregate_id=str(user))

    async def _examine(self, history: History) -> None:
        findings = await self.runtime.resources.detector.examine(history)
        if findings:
            async with self.runtime.database.transaction() as tx:
                await raise_flags(tx, history, findings)

    @every(seconds=60)
    async def measure(self) -> int:
        """SA-09: measures how much activity is usual."""
        interval = timedelta(minutes=self.runtime.config.baseline_minutes)
        return await measure_baselines(self.runtime.database, interval)

    @every(seconds=600)
    async def forget(self) -> int:
        """Deletes what is older than the windows of all rules, with a margin for events that arrive late; old traces of
        closed accounts, with what is kept for late events about them (ID-09); and authors' notes on reports that are
        closed (SA-10).
        """
        config = self.runtime.config
        purges = sightings.delete_expired(config.late_hours, config.forget_batch)
        unsuspended, late = timedelta(days=config.closed_trace_days), timedelta(hours=config.late_hours)
        return await purge_each(
            self.runtime.database,
            self.runtime.log,
            *purges,
            lambda tx: traces.purge(tx, config.suspension_trace, unsuspended, config.forget_batch),
            lambda tx: traces.purge_reopenings(tx, unsuspended, config.forget_batch),
            lambda tx: traces.purge_created(tx, late, config.forget_batch),
            lambda tx: reports.purge_own_notes(tx, config.report_closed_after, config.forget_batch),
        )


class ModerationGauges:
    """What is counted for the metrics."""

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime

    @counts
    async def count_undecided(self, db: Session) -> Counts:
        """Cases and flags that wait for a moderator (SA-04, SA-05)."""
        found = await cases.count_open(db)
        return {
            CASES_OPEN: {(origin,): found.get(origin, 0) for origin in CaseOrigin},
            FLAGS_OPEN: {(): await flags.count_open(db)},
        }


class ErasureJobs(Erasing):
    """ID-09: erases members."""

    async def receipt(self, tx: Tx, erasure: Erasure) -> None:
        """The receipt, which identity waits for."""
        tx.emit(to_message(receipt_of(MemberErasedFromSafety, erasure, tx)))
