"""Flags and their rules in Postgres (SA-04)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from unora_common.database import Row, Session, Tx
from unora_common.pages import Place

from unora_safety.domain import Finding, Flag, Pattern, Rule

RULES = "SELECT pattern, threshold, window_hours, enabled FROM safety.flag_rules ORDER BY pattern"

COLUMNS = "id, user_id, pattern, flag_status, score, evidence, case_id, raised_at, closed_at"

INSERT = """
    INSERT INTO safety.safety_flags (
        id, user_id, pattern, flag_status, score, evidence, case_id, raised_at, version)
    VALUES ($1, $2, $3, 'open', $4, $5, $6, $7, 1)"""

CLOSE = """
    UPDATE safety.safety_flags SET flag_status = 'closed', closed_at = $2, version = version + 1
    WHERE user_id = $1 AND flag_status = 'open' AND deleted_at IS NULL"""

STATES = """
    SELECT user_id, pattern, bool_or(flag_status = 'open') AS flagged, max(closed_at) AS decided_at
    FROM safety.safety_flags WHERE user_id = ANY($1) AND deleted_at IS NULL GROUP BY user_id, pattern"""

LIST = f"""
    SELECT {COLUMNS} FROM safety.safety_flags
    WHERE deleted_at IS NULL AND ($4::text IS NULL OR pattern = $4) AND user_id <> $5 AND {{status}}
        (raised_at, id) < (coalesce($1, 'infinity'::timestamptz),
                           coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid))
    ORDER BY raised_at DESC, id DESC LIMIT $3"""
ALL = LIST.format(status="")
OPEN = LIST.format(status="flag_status = 'open' AND")

OF_MEMBER = f"""
    SELECT {COLUMNS} FROM safety.safety_flags
    WHERE user_id = $1 AND deleted_at IS NULL ORDER BY raised_at DESC, id DESC LIMIT $2"""


class State(NamedTuple):
    """What is flagged of a member, and what was decided."""

    flagged: frozenset[Pattern]
    decided: dict[Pattern, datetime]
    """When a flag of the pattern was closed last."""


async def rules(db: Session) -> list[Rule]:
    """All rules, also those that are off."""
    return [
        Rule(Pattern(row["pattern"]), row["threshold"], timedelta(hours=row["window_hours"]), row["enabled"])
        for row in await db.rows(RULES)
    ]


async def states(db: Session, users: Sequence[UUID]) -> dict[UUID, State]:
    """What is flagged and decided of each of these members."""
    found = {user: (set[Pattern](), dict[Pattern, datetime]()) for user in users}
    for row in await db.rows(STATES, list(users)):
        flagged, decided = found[row["user_id"]]
        if row["flagged"]:
            flagged.add(Pattern(row["pattern"]))
        if row["decided_at"]:
            decided[Pattern(row["pattern"])] = row["decided_at"]
    return {user: State(frozenset(flagged), decided) for user, (flagged, decided) in found.items()}


def add(tx: Tx, flag_id: UUID, user_id: UUID, found: Finding, case_id: UUID) -> None:
    """Stores a flag with its evidence."""
    evidence = json.dumps({"ids": [str(each) for each in found.ids], "numbers": dict(found.numbers)})
    tx.defer(INSERT, flag_id, user_id, found.pattern, found.score, evidence, case_id, tx.now)


def close(tx: Tx, user_id: UUID) -> None:
    """Closes all open flags of a member whose case is decided."""
    tx.defer(CLOSE, user_id, tx.now)


async def page(db: Session, pattern: Pattern | None, after: Place | None, count: int, *, closed: bool) -> list[Flag]:
    """Flags, newest first; not those of the moderator who asks (SA-02)."""
    asked = (*(after or (None, None)), count, pattern, db.user)
    return [_flag(row) for row in await db.rows(ALL if closed else OPEN, *asked)]


async def of_member(db: Session, user_id: UUID, count: int) -> list[Flag]:
    """A member's flags, newest first."""
    return [_flag(row) for row in await db.rows(OF_MEMBER, user_id, count)]


def _flag(row: Row) -> Flag:
    evidence = json.loads(row["evidence"])
    return Flag(
        id=row["id"],
        user_id=row["user_id"],
        found=Finding(Pattern(row["pattern"]), row["score"], tuple(map(UUID, evidence["ids"])), evidence["numbers"]),
        case_id=row["case_id"],
        raised_at=row["raised_at"],
        closed_at=row["closed_at"],
    )
