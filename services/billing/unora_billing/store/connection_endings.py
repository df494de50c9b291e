"""The endings of connections, which decide on protections."""

from __future__ import annotations

from uuid import UUID

from unora_common.copies import Copy
from unora_common.database import Tx

from unora_billing.domain.protections import Ending

# A row without an ending is only a lock.
COPY = Copy(
    "billing.connection_endings",
    ["connection_id"],
    ["t.ended_by_id", "t.ended_at"],
    where="t.ended_at IS NOT NULL",
    forget="ended_by_id = NULL, ended_at = NULL",
    vanish="ended_by_id = NULL, ended_at = NULL",
)

INSERT = "INSERT INTO billing.connection_endings (connection_id) VALUES ($1) ON CONFLICT DO NOTHING"

LOCK = """
    WITH c AS MATERIALIZED (SELECT * FROM billing.connection_endings WHERE connection_id = $1 FOR UPDATE)
    SELECT c.ended_by_id, c.ended_at, clock.now() AS now FROM c"""

SET_ENDING = """
    UPDATE billing.connection_endings SET ended_by_id = $2, ended_at = $3
    WHERE connection_id = $1 AND ended_at IS NULL"""


async def lock_or_create(tx: Tx, connection_id: UUID) -> Ending | None:
    """Locks a connection's row, which is created at the first use, and returns the ending if it is known.

    The opening of a protection and the ending of its connection both take this lock, so that neither misses the other:
    under READ COMMITTED both could otherwise read before either has written.
    """
    await tx.run(INSERT, connection_id)
    (row,) = await tx.lock(LOCK, connection_id)
    return Ending(row["ended_by_id"], row["ended_at"]) if row["ended_at"] else None


async def set_ending(tx: Tx, connection_id: UUID, ending: Ending) -> None:
    """Stores the ending, for a recovery whose event comes later."""
    await tx.run(SET_ENDING, connection_id, ending.ended_by_id, ending.ended_at)
