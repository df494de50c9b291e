"""Standings and cases in Postgres (SA-03, SA-05). A member's standing is the lock of all that concerns them."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Row, Session, Tx
from unora_common.pages import Place

from unora_safety.domain import Case, CaseNotFound, CaseStatus, Decision, Origin, Standing

# Nothing changes in a row that is there already: it is written to be locked.
LOCK = """
    WITH s AS (
        INSERT INTO safety.restrictions AS s (user_id) VALUES ($1)
        ON CONFLICT (user_id) DO UPDATE SET version = s.version
        RETURNING s.version, s.reduced_visibility, s.restricted, s.suspended)
    SELECT s.*, clock.now() AS now FROM s"""

STANDING = "SELECT version, reduced_visibility, restricted, suspended FROM safety.restrictions WHERE user_id = $1"

SAVE_STANDING = """
    UPDATE safety.restrictions
    SET version = $2, reduced_visibility = $3, restricted = $4, suspended = $5, changed_at = $6 WHERE user_id = $1"""

COLUMNS = """
    id, user_id, origin, case_status, appealed, opened_at, version, moderator_id, decision, note, assigned_at,
    decided_at"""

UNDECIDED = f"SELECT {COLUMNS} FROM safety.cases WHERE user_id = $1 AND case_status <> 'decided'"
ABOUT = "SELECT user_id FROM safety.cases WHERE id = $1"
BY_ID = f"SELECT {COLUMNS} FROM safety.cases WHERE id = $1"

INSERT = f"""
    INSERT INTO safety.cases ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"""

UPDATE = """
    UPDATE safety.cases SET case_status = $2, appealed = $3, version = $4, moderator_id = $5, decision = $6, note = $7,
        assigned_at = $8, decided_at = $9 WHERE id = $1"""

QUEUE = """
    SELECT {columns} FROM safety.cases
    WHERE {status} user_id <> $4 AND (opened_at, id) > (coalesce($1, '-infinity'::timestamptz), coalesce($2, uuid_nil))
    ORDER BY opened_at, id LIMIT $3"""
NIL = "'00000000-0000-0000-0000-000000000000'::uuid"
ALL = QUEUE.format(columns=COLUMNS, status="").replace("uuid_nil", NIL)
IN_STATUS = QUEUE.format(columns=COLUMNS, status="case_status = $5 AND").replace("uuid_nil", NIL)

OF_MEMBER = f"SELECT {COLUMNS} FROM safety.cases WHERE user_id = $1 ORDER BY opened_at DESC, id DESC LIMIT $2"


async def lock_subject(tx: Tx, user_id: UUID) -> Standing:
    """Locks all that concerns a member, and sets tx.now."""
    (row,) = await tx.lock(LOCK, user_id)
    return _standing(user_id, row)


async def standing(db: Session, user_id: UUID) -> Standing:
    """A member's standing; of somebody nobody heard of, the usual one."""
    row = await db.row(STANDING, user_id)
    return _standing(user_id, row) if row else Standing(user_id)


def save_standing(tx: Tx, before: Standing, after: Standing) -> None:
    """Stores a standing that changed."""
    if after != before:
        tx.defer(SAVE_STANDING, after.user_id, after.version, *after.measures, tx.now)


async def undecided(tx: Tx, user_id: UUID) -> Case | None:
    """The one undecided case of a member who is locked."""
    row = await tx.row(UNDECIDED, user_id)
    return _case(row) if row else None


async def lock(tx: Tx, case_id: UUID) -> tuple[Case, Standing]:
    """A case, with all that concerns its member locked. Raises CaseNotFound."""
    user_id: UUID | None = await tx.value(ABOUT, case_id)
    if user_id is None:
        raise CaseNotFound
    before = await lock_subject(tx, user_id)
    row = await tx.row(BY_ID, case_id)  # anew, since another may have had the lock
    assert row is not None
    return _case(row), before


def save(tx: Tx, before: Case | None, after: Case) -> None:
    """Stores a case that is new or changed."""
    c = after
    if before is None:
        started = (c.id, c.user_id, c.origin, c.status, c.appealed, c.opened_at, c.version)
        tx.defer(INSERT, *started, c.moderator_id, c.decision, c.note, c.assigned_at, c.decided_at)
    elif after != before:
        changed = (c.id, c.status, c.appealed, c.version, c.moderator_id, c.decision, c.note)
        tx.defer(UPDATE, *changed, c.assigned_at, c.decided_at)


async def queue(db: Session, status: CaseStatus | None, after: Place | None, count: int) -> list[Case]:
    """Cases, oldest first; not those about the moderator who asks (SA-02)."""
    asked = (*(after or (None, None)), count, db.user)
    rows = await (db.rows(ALL, *asked) if status is None else db.rows(IN_STATUS, *asked, status))
    return [_case(row) for row in rows]


async def of_member(db: Session, user_id: UUID, count: int) -> list[Case]:
    """A member's cases, newest first."""
    return [_case(row) for row in await db.rows(OF_MEMBER, user_id, count)]


def _standing(user_id: UUID, row: Row) -> Standing:
    return Standing(user_id, row["version"], row["reduced_visibility"], row["restricted"], row["suspended"])


def _case(row: Row) -> Case:
    return Case(
        id=row["id"],
        user_id=row["user_id"],
        origin=Origin(row["origin"]),
        status=CaseStatus(row["case_status"]),
        appealed=row["appealed"],
        opened_at=row["opened_at"],
        version=row["version"],
        moderator_id=row["moderator_id"],
        decision=Decision(row["decision"]) if row["decision"] else None,
        note=row["note"],
        assigned_at=row["assigned_at"],
        decided_at=row["decided_at"],
    )
