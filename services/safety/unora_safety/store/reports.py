"""Reports in Postgres (SA-07)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.pages import Place
from unora_common.rows import Columns, from_row

from unora_safety.domain.blocks import Target, TargetKind
from unora_safety.domain.explanations import BlockAndReportCounts
from unora_safety.domain.own_reports import OwnReport
from unora_safety.domain.reports import Report
from unora_safety.store.purging import purge_statement

COLUMNS = Columns("id", "reporter_id", "category", "note", "case_id", "reported_at")

INSERT = f"""
    INSERT INTO safety.reports ({COLUMNS.names()}, reported_id, target_kind, target_id)
    VALUES ({COLUMNS.parameters()}, $7, $8, $9)"""

LOCK_REPORTER = "SELECT pg_advisory_xact_lock(hashtextextended('safety reports by ' || $1::uuid::text, 0))"

TIMES = "SELECT reported_at FROM safety.reports WHERE reporter_id = $1 AND reported_at > $2 ORDER BY reported_at"

INSERT_NOTE = "INSERT INTO safety.own_notes (report_id, reporter_id, note, reported_at) VALUES ($1, $2, $3, $4)"

PURGE_NOTES = purge_statement("safety.own_notes", "reported_at")

BY_REPORTED = f"""
    SELECT {COLUMNS.names()} FROM safety.reports
    WHERE reported_id = $1 AND deleted_at IS NULL ORDER BY reported_at DESC, id DESC LIMIT $2"""

BY_REPORTER = """
    SELECT r.id, r.target_kind, r.target_id, r.category, coalesce(n.note, '') AS note, r.reported_at,
        clock.now() AS now
    FROM safety.reports r LEFT JOIN safety.own_notes n ON n.report_id = r.id
    WHERE r.reporter_id = $1 AND r.deleted_at IS NULL
        AND (r.reported_at, r.id) < (coalesce($2, 'infinity'::timestamptz), coalesce($3::uuid, $1))
    ORDER BY r.reported_at DESC, r.id DESC LIMIT $4"""

# Blocks and reports of the moderator who asks do not count: the numbers would show that there are any (SA-07).
COUNTS = """
    SELECT (SELECT count(DISTINCT blocked_id) FROM safety.blocks
            WHERE blocker_id = $1 AND blocked_id <> $2 AND deleted_at IS NULL) AS blocks_made,
           (SELECT count(DISTINCT blocker_id) FROM safety.blocks WHERE blocked_id = $1 AND deleted_at IS NULL)
               AS blocks_received,
           (SELECT count(*) FROM safety.reports WHERE reporter_id = $1 AND reported_id <> $2) AS reports_made"""


async def lock_reporter(tx: Tx, reporter_id: UUID) -> None:
    """One report at a time of each member. Taken before the lock of the reported member, so that two members who report
    each other do not deadlock.
    """
    await tx.run(LOCK_REPORTER, reporter_id)


async def list_times(tx: Tx, reporter_id: UUID, period: timedelta) -> list[datetime]:
    """The times (UTC) of the member's reports within this period up to now, oldest first."""
    return [row["reported_at"] for row in await tx.rows(TIMES, reporter_id, tx.now - period)]


def add(tx: Tx, report: Report, reported_id: UUID, target: Target) -> None:
    """Stores a report, with the target through which the member was reported."""
    tx.defer(INSERT, *COLUMNS.values_of(report), reported_id, target.kind, target.id)


def add_own_note(tx: Tx, report: Report) -> None:
    """Stores the note of a report for its author."""
    tx.defer(INSERT_NOTE, report.id, report.reporter_id, report.note, report.reported_at)


async def purge_own_notes(tx: Tx, closed_after: timedelta, limit: int) -> int:
    """Deletes the authors' notes of reports that are closed, by the rule clock. Returns the number."""
    return await tx.run(PURGE_NOTES, closed_after, limit)


async def list_by_reported(db: Session, user_id: UUID, limit: int) -> list[Report]:
    """Reports about a member, newest first, at most `limit`."""
    return [from_row(Report, row) for row in await db.rows(BY_REPORTED, user_id, limit)]


async def list_by_reporter(
    db: Session, reporter_id: UUID, after: Place | None, limit: int
) -> list[tuple[OwnReport, datetime]]:
    """A page of a member's own reports, newest first, each with the time of the rule clock (UTC)."""
    rows = await db.rows(BY_REPORTER, reporter_id, *(after or (None, None)), limit)
    return [
        (from_row(OwnReport, row, target=Target(TargetKind(row["target_kind"]), row["target_id"])), row["now"])
        for row in rows
    ]


async def count_blocks_and_reports(db: Session, user_id: UUID) -> BlockAndReportCounts:
    """How many blocks and reports there are by and about a member, without those of the moderator who asks."""
    row = await db.row(COUNTS, user_id, db.user)
    assert row is not None
    return from_row(BlockAndReportCounts, row)
