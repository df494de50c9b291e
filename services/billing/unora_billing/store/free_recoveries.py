"""The free recoveries that members have used, per connection (BI-06)."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Session, Tx

USE = """
    INSERT INTO billing.free_recovery_allowances AS f (connection_id, user_id, used) VALUES ($1, $2, 1)
    ON CONFLICT (connection_id, user_id) DO UPDATE SET used = f.used + 1 WHERE f.used < $3 RETURNING used"""

GIVE_BACK = """
    UPDATE billing.free_recovery_allowances SET used = used - 1 WHERE connection_id = $1 AND user_id = $2"""


COUNT_USED = "SELECT used FROM billing.free_recovery_allowances WHERE connection_id = $1 AND user_id = $2"


async def count_left(session: Session, connection_id: UUID, user_id: UUID, allowance: int) -> int:
    """BI-06: how many of a member's free recoveries of a connection are left; none after a tier fell."""
    if allowance == 0:
        return 0
    used: int | None = await session.value(COUNT_USED, connection_id, user_id)
    return max(0, allowance - (used or 0))


async def use(tx: Tx, connection_id: UUID, user_id: UUID, allowance: int) -> bool:
    """BI-06: uses one free recovery of the connection. False if the member has used the whole allowance."""
    if allowance == 0:
        return False
    return await tx.value(USE, connection_id, user_id, allowance) is not None


async def give_back(tx: Tx, connection_id: UUID, user_id: UUID) -> None:
    """Returns a free recovery that could not be delivered."""
    await tx.run(GIVE_BACK, connection_id, user_id)
