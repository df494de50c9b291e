"""ID-13: checks of a Gov ID by which the owner of a number wants a hidden account back.

They are begun under the lock of the tries for the number (challenges.lock).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from unora_common.database import Tx
from unora_common.rows import Columns, from_row

from unora_identity.domain.recovery import RecoveryCheck
from unora_identity.domain.signals import Outcome

_CHECK = Columns("id", "request_id", "started_at", "outcome", "opaque_token")
_NEW = Columns("id", "request_id", "started_at")

ADD = f"""
    INSERT INTO identity.recovery_checks (phone_hash, provider, {_NEW.names()}) VALUES ($1, $2, {_NEW.parameters(3)})"""
BY_NUMBER = f"SELECT {_CHECK.names()} FROM identity.recovery_checks WHERE phone_hash = $1 AND provider = $2"
# A verification is final, in whatever order results come.
DECIDE = """
    UPDATE identity.recovery_checks
    SET outcome = CASE WHEN outcome = 'verified' THEN outcome ELSE $3 END,
        opaque_token = CASE WHEN outcome = 'verified' THEN opaque_token WHEN $3 = 'verified' THEN $4 ELSE '' END
    WHERE id = $1 AND provider = $2"""
PURGE = """
    DELETE FROM identity.recovery_checks WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM identity.recovery_checks WHERE created_at < $1
        ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED))"""


async def add(tx: Tx, phone_hash: bytes, provider: str, check: RecoveryCheck) -> None:
    """Stores a check that begins."""
    await tx.run(ADD, phone_hash, provider, *_NEW.values_of(check))


async def list_by_number(tx: Tx, phone_hash: bytes, provider: str) -> Sequence[RecoveryCheck]:
    """The checks of a number that are stored."""
    return [from_row(RecoveryCheck, row) for row in await tx.rows(BY_NUMBER, phone_hash, provider)]


async def decide(tx: Tx, check: UUID, provider: str, outcome: Outcome, token: str) -> bool:
    """Stores a result. Returns False if there is no such check."""
    return await tx.run(DECIDE, check, provider, outcome, token) == 1


async def purge(tx: Tx, created_before: datetime, limit: int) -> int:
    """Deletes checks that no longer count, by the machine's clock."""
    return await tx.run(PURGE, created_before, limit)
