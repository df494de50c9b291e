"""Cases in Postgres (SA-05). They change only under the lock of their member, see `restrictions`."""

from __future__ import annotations

from uuid import UUID

from unora_common.common_metrics import COUNT_LIMIT
from unora_common.database import Row, Session, Tx
from unora_common.pages import Place
from unora_common.rows import Columns, from_row

from unora_safety.domain.cases import Case, CaseStatus
from unora_safety.domain.errors import CaseNotFound
from unora_safety.domain.restrictions import Restriction
from unora_safety.store import restrictions

CHANGING = Columns(
    "case_status", "appealed", "version", "moderator_id", "decision", "note", "assigned_at", "decided_at"
)
COLUMNS = Columns("id", "user_id", "origin", "opened_at") + CHANGING

UNDECIDED = f"SELECT {COLUMNS.names()} FROM safety.cases WHERE user_id = $1 AND case_status <> 'decided'"
MEMBER_OF = "SELECT user_id FROM safety.cases WHERE id = $1"
BY_ID = f"SELECT {COLUMNS.names()} FROM safety.cases WHERE id = $1"

COUNT_OPEN = f"""
    SELECT origin, count(*) AS cases FROM (
        SELECT origin FROM safety.cases WHERE case_status IN ('open', 'assigned') LIMIT {COUNT_LIMIT}) AS undecided
    GROUP BY origin"""

INSERT = f"INSERT INTO safety.cases ({COLUMNS.names()}) VALUES ({COLUMNS.parameters()})"
UPDATE = f"UPDATE safety.cases SET {CHANGING.assignments(2)} WHERE id = $1"

QUEUE = f"""
    SELECT {COLUMNS.names()} FROM safety.cases
    WHERE {{in_status}} user_id <> $4
        AND (opened_at, id) > (coalesce($1, '-infinity'::timestamptz),
                               coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid))
    ORDER BY opened_at, id LIMIT $3"""
ALL = QUEUE.format(in_status="")
IN_STATUS = QUEUE.format(in_status="case_status = $5 AND")

BY_MEMBER = f"""
    SELECT {COLUMNS.names()} FROM safety.cases WHERE user_id = $1 ORDER BY opened_at DESC, id DESC LIMIT $2"""


async def count_open(db: Session) -> dict[str, int]:
    """How many cases are not decided, up to COUNT_LIMIT of all, by what opened them."""
    return {row["origin"]: row["cases"] for row in await db.rows(COUNT_OPEN)}


async def find_undecided(tx: Tx, user_id: UUID) -> Case | None:
    """The one undecided case of a member who is locked."""
    row = await tx.row(UNDECIDED, user_id)
    return _case(row) if row else None


async def lock(tx: Tx, case_id: UUID) -> tuple[Case, Restriction]:
    """Locks the member of a case, and sets tx.now; the case, and the member's restriction. Raises CaseNotFound."""
    user_id: UUID | None = await tx.value(MEMBER_OF, case_id)
    if user_id is None:
        raise CaseNotFound
    restriction = await restrictions.lock_or_create(tx, user_id)
    row = await tx.row(BY_ID, case_id)  # after the lock, since another transaction may have changed it
    assert row is not None
    return _case(row), restriction


def save(tx: Tx, before: Case | None, after: Case) -> None:
    """Stores a case that is new or changed."""
    if before is None:
        tx.defer(INSERT, *COLUMNS.values_of(after, case_status=after.status))
    elif after != before:
        tx.defer(UPDATE, after.id, *CHANGING.values_of(after, case_status=after.status))


async def list_queue(db: Session, status: CaseStatus | None, after: Place | None, limit: int) -> list[Case]:
    """Cases, oldest first, at most `limit`; without those about the moderator who asks (SA-02)."""
    arguments = (*(after or (None, None)), limit, db.user)
    rows = await (db.rows(ALL, *arguments) if status is None else db.rows(IN_STATUS, *arguments, status))
    return [_case(row) for row in rows]


async def list_by_member(db: Session, user_id: UUID, limit: int) -> list[Case]:
    """A member's cases, newest first, at most `limit`."""
    return [_case(row) for row in await db.rows(BY_MEMBER, user_id, limit)]


def _case(row: Row) -> Case:
    return from_row(Case, row, status=row["case_status"])
