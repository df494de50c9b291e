"""ID-15: the second factors of admins. A row changes only under the lock of its member's row."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Tx
from unora_common.rows import Columns, from_row

from unora_identity.domain.second_factor import SecondFactor

_FACTOR = Columns("user_id", "secret_sealed", "last_step", "wrong_at")

FIND = f"SELECT {_FACTOR.names()} FROM identity.second_factors WHERE user_id = $1"
PUT = f"""
    INSERT INTO identity.second_factors ({_FACTOR.names()}) VALUES ({_FACTOR.parameters()})
    ON CONFLICT (user_id) DO UPDATE SET secret_sealed = excluded.secret_sealed, last_step = excluded.last_step,
        wrong_at = excluded.wrong_at"""
REMOVE = "DELETE FROM identity.second_factors WHERE user_id = $1"


async def find(tx: Tx, user: UUID) -> SecondFactor | None:
    """The second factor of a member, if there is one."""
    row = await tx.row(FIND, user)
    return from_row(SecondFactor, row, wrong_at=tuple(row["wrong_at"])) if row else None


async def put(tx: Tx, factor: SecondFactor) -> None:
    """Stores a second factor, or what a try has made of it. The caller must commit before it refuses a try."""
    await tx.run(PUT, *_FACTOR.values_of(factor))


async def remove(tx: Tx, user: UUID) -> None:
    """Deletes the second factor of a member."""
    await tx.run(REMOVE, user)
