"""What members said: reports and appeals (SA-06, SA-07)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from unora_common.database import Row, Session, Tx

from unora_safety.domain import Category, Target

REPORT = """
    INSERT INTO safety.reports (
        id, reporter_id, reported_id, target_kind, target_id, category, note, case_id, reported_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""

APPEAL = "INSERT INTO safety.appeals (id, user_id, case_id, text, submitted_at) VALUES ($1, $2, $3, $4, $5)"

LATELY = "SELECT submitted_at FROM safety.appeals WHERE user_id = $1 AND submitted_at > $2 ORDER BY submitted_at"

LOCK_REPORTER = "SELECT pg_advisory_xact_lock(hashtextextended('safety reports by ' || $1::uuid::text, 0))"

REPORTED_LATELY = """
    SELECT reported_at FROM safety.reports WHERE reporter_id = $1 AND reported_at > $2 ORDER BY reported_at"""

REPORTS = """
    SELECT id, reporter_id, category, note, case_id, reported_at FROM safety.reports
    WHERE reported_id = $1 AND deleted_at IS NULL ORDER BY reported_at DESC, id DESC LIMIT $2"""

APPEALS = """
    SELECT id, text, case_id, submitted_at FROM safety.appeals
    WHERE user_id = $1 AND deleted_at IS NULL ORDER BY submitted_at DESC, id DESC LIMIT $2"""

# What was done to the moderator who asks does not count: else one would stand where none should (SA-07).
COUNTS = """
    SELECT (SELECT count(DISTINCT blocked_id) FROM safety.blocks
            WHERE blocker_id = $1 AND blocked_id <> $2 AND deleted_at IS NULL) AS blocks_made,
           (SELECT count(DISTINCT blocker_id) FROM safety.blocks WHERE blocked_id = $1 AND deleted_at IS NULL)
               AS blocks_received,
           (SELECT count(*) FROM safety.reports WHERE reporter_id = $1 AND reported_id <> $2) AS reports_made"""


def add_report(
    tx: Tx, report_id: UUID, pair: tuple[UUID, UUID], target: Target, category: Category, note: str, case_id: UUID
) -> None:
    """Stores a report; the pair is who reports, and whom."""
    tx.defer(REPORT, report_id, *pair, target.kind, target.id, category, note, case_id, tx.now)


def add_appeal(tx: Tx, appeal_id: UUID, user_id: UUID, case_id: UUID, text: str) -> None:
    """Stores an appeal."""
    tx.defer(APPEAL, appeal_id, user_id, case_id, text, tx.now)


async def appeals_within(tx: Tx, user_id: UUID, time: timedelta) -> list[datetime]:
    """When the member appealed within this time, oldest first."""
    return [row["submitted_at"] for row in await tx.rows(LATELY, user_id, tx.now - time)]


async def lock_reporter(tx: Tx, reporter_id: UUID) -> None:
    """One report at a time of each member; taken before the lock of whom it is about, so that no two wait in a ring."""
    await tx.run(LOCK_REPORTER, reporter_id)


async def reports_within(tx: Tx, reporter_id: UUID, time: timedelta) -> list[datetime]:
    """When the member reported within this time, oldest first."""
    return [row["reported_at"] for row in await tx.rows(REPORTED_LATELY, reporter_id, tx.now - time)]


async def reports_of(db: Session, user_id: UUID, count: int) -> list[Row]:
    """What was reported of a member, newest first."""
    return await db.rows(REPORTS, user_id, count)


async def appeals_of(db: Session, user_id: UUID, count: int) -> list[Row]:
    """What a member appealed, newest first."""
    return await db.rows(APPEALS, user_id, count)


async def counts_of(db: Session, user_id: UUID) -> Row:
    """How many block the member, and how many the member blocks and reported, but for the moderator who asks."""
    row = await db.row(COUNTS, user_id, db.user)
    assert row is not None
    return row
