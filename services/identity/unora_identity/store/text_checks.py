"""PR-10: which version of the guard has judged the texts of each member. Triggers set it to 0 whenever a text, a name
or a birth date is written, whoever writes it; whoever has judged the texts sets it after that.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora_common.database import Tx
from unora_common.rows import from_row

from unora_identity.domain.accounts import LockedMember

# A member who is locked by another transaction is skipped, and found by the next run.
LOCK_DUE = """
    WITH due AS MATERIALIZED (
        SELECT u.id, u.version FROM identity.text_checks t JOIN identity.users u ON u.id = t.user_id
        WHERE t.guard_version < $1 AND u.deleted_at IS NULL
            AND u.id <> ALL ($3::uuid[]) AND ($4::uuid IS NULL OR u.id = $4)
        ORDER BY t.guard_version, t.user_id LIMIT $2 FOR UPDATE OF u SKIP LOCKED)
    SELECT due.*, clock.now() AS now FROM due"""
# Texts that were due when they were found may not be due any more: the transaction that held the lock may have judged
# them.
MARK = """
    UPDATE identity.text_checks SET guard_version = $2
    WHERE user_id = ANY ($1) AND guard_version < $2 RETURNING user_id"""


async def lock_due(
    tx: Tx, guard_version: int, limit: int, left_out: Sequence[UUID], only: UUID | None
) -> dict[UUID, LockedMember]:
    """Locks members with texts that only an older guard, or none, has judged, and reads the clock; skips those in
    `left_out`. With `only` it looks at this one.
    """
    rows = await tx.lock(LOCK_DUE, guard_version, limit, left_out, only)
    return {row["id"]: from_row(LockedMember, row) for row in rows}


async def mark_checked(tx: Tx, users: Sequence[UUID], guard_version: int) -> list[UUID]:
    """Stores that the guard has judged the texts of these members, who are locked. Returns those whose texts it had not
    judged before.
    """
    return [row["user_id"] for row in await tx.rows(MARK, list(users), guard_version)]
