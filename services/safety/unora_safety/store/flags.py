"""Flags and their rules in Postgres (SA-04)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from unora_common.common_metrics import COUNT_LIMIT
from unora_common.database import Row, Session, Tx
from unora_common.pages import Place
from unora_common.rows import Columns

from unora_safety.domain.flags import Flag, FlagState
from unora_safety.domain.patterns import Finding, Pattern, Rule

RULES = "SELECT pattern, threshold, window_hours, enabled FROM safety.flag_rules ORDER BY pattern"

COLUMNS = Columns("id", "user_id", "pattern", "score", "evidence", "case_id", "raised_at", "closed_at")

INSERT = """
    INSERT INTO safety.safety_flags (id, user_id, pattern, score, evidence, case_id, raised_at, flag_status, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', 1)"""

CLOSE = """
    UPDATE safety.safety_flags SET flag_status = 'closed', closed_at = $2, version = version + 1
    WHERE user_id = $1 AND flag_status = 'open' AND deleted_at IS NULL"""

STATES = """
    SELECT user_id, pattern, bool_or(flag_status = 'open') AS flagged, max(closed_at) AS decided_at
    FROM safety.safety_flags WHERE user_id = ANY($1) AND deleted_at IS NULL GROUP BY user_id, pattern"""

LIST = f"""
    SELECT {COLUMNS.names()} FROM safety.safety_flags
    WHERE deleted_at IS NULL AND ($4::text IS NULL OR pattern = $4) AND user_id <> $5 AND {{status}}
        (raised_at, id) < (coalesce($1, 'infinity'::timestamptz),
                           coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid))
    ORDER BY raised_at DESC, id DESC LIMIT $3"""
ALL = LIST.format(status="")
OPEN = LIST.format(status="flag_status = 'open' AND")

COUNT_OPEN = f"""
    SELECT count(*) FROM (
        SELECT FROM safety.safety_flags WHERE flag_status = 'open' AND deleted_at IS NULL LIMIT {COUNT_LIMIT}
    ) AS open"""

BY_MEMBER = f"""
    SELECT {COLUMNS.names()} FROM safety.safety_flags
    WHERE user_id = $1 AND deleted_at IS NULL ORDER BY raised_at DESC, id DESC LIMIT $2"""


async def count_open(db: Session) -> int:
    """How many flags are open, up to COUNT_LIMIT."""
    found: int = await db.value(COUNT_OPEN)
    return found


async def list_rules(db: Session) -> list[Rule]:
    """All rules, also the disabled ones."""
    return [
        Rule(Pattern(row["pattern"]), row["threshold"], timedelta(hours=row["window_hours"]), row["enabled"])
        for row in await db.rows(RULES)
    ]


async def states_by_member(db: Session, users: Sequence[UUID]) -> dict[UUID, FlagState]:
    """The state of the flags of each of these members."""
    found = {user: (set[Pattern](), dict[Pattern, datetime]()) for user in users}
    for row in await db.rows(STATES, list(users)):
        flagged, decided = found[row["user_id"]]
        if row["flagged"]:
            flagged.add(Pattern(row["pattern"]))
        if row["decided_at"]:
            decided[Pattern(row["pattern"])] = row["decided_at"]
    return {user: FlagState(frozenset(flagged), decided) for user, (flagged, decided) in found.items()}


def add(tx: Tx, flag_id: UUID, user_id: UUID, finding: Finding, case_id: UUID) -> None:
    """Stores an open flag with its evidence."""
    evidence = json.dumps({"ids": [str(each) for each in finding.ids], "numbers": dict(finding.numbers)})
    tx.defer(INSERT, flag_id, user_id, finding.pattern, finding.score, evidence, case_id, tx.now)


def close_all(tx: Tx, user_id: UUID) -> None:
    """Closes all open flags of a member, when the member's case is decided."""
    tx.defer(CLOSE, user_id, tx.now)


async def list_all(
    db: Session, pattern: Pattern | None, after: Place | None, limit: int, *, closed: bool
) -> list[Flag]:
    """Flags, newest first, at most `limit`; without those about the moderator who asks (SA-02)."""
    arguments = (*(after or (None, None)), limit, pattern, db.user)
    return [_flag(row) for row in await db.rows(ALL if closed else OPEN, *arguments)]


async def list_by_member(db: Session, user_id: UUID, limit: int) -> list[Flag]:
    """A member's flags, newest first, at most `limit`."""
    return [_flag(row) for row in await db.rows(BY_MEMBER, user_id, limit)]


def _flag(row: Row) -> Flag:
    evidence = json.loads(row["evidence"])
    return Flag(
        id=row["id"],
        user_id=row["user_id"],
        finding=Finding(Pattern(row["pattern"]), row["score"], tuple(map(UUID, evidence["ids"])), evidence["numbers"]),
        case_id=row["case_id"],
        raised_at=row["raised_at"],
        closed_at=row["closed_at"],
    )
