"""Money that does not match its payment (BI-10). The payment's lock guards its rows."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.rows import Columns, from_row

from unora_billing.domain.mismatches import Mismatch

FACTS = Columns("provider_payment_id", "payment_id", "received", "currency", "noted_at")
STATE = Columns("resolution", "decided_at", "settled_at")
COLUMNS = FACTS + STATE

INSERT = f"""
    INSERT INTO billing.payment_mismatches ({COLUMNS.names()}) VALUES ({COLUMNS.parameters()})
    ON CONFLICT (provider_payment_id) DO NOTHING"""

UPDATE = f"UPDATE billing.payment_mismatches SET {STATE.assignments(2)} WHERE provider_payment_id = $1"

FIND = f"SELECT {COLUMNS.names()} FROM billing.payment_mismatches WHERE provider_payment_id = $1"

LIST_BY_PAYMENT = f"""
    SELECT {COLUMNS.names()} FROM billing.payment_mismatches WHERE payment_id = $1
    ORDER BY noted_at, provider_payment_id"""


async def insert(tx: Tx, mismatch: Mismatch) -> bool:
    """Notes a mismatch. False if it is noted already."""
    return await tx.run(INSERT, *COLUMNS.values_of(mismatch)) == 1


async def save(tx: Tx, mismatch: Mismatch) -> None:
    """Stores what was decided, and when it was settled."""
    await tx.run(UPDATE, mismatch.provider_payment_id, *STATE.values_of(mismatch))


async def find(session: Session, provider_payment_id: str) -> Mismatch | None:
    """The mismatch of a charge, if it has one."""
    row = await session.row(FIND, provider_payment_id)
    return from_row(Mismatch, row) if row else None


async def list_by_payment(session: Session, payment_id: UUID) -> list[Mismatch]:
    """All mismatches of a payment, the oldest first."""
    return [from_row(Mismatch, row) for row in await session.rows(LIST_BY_PAYMENT, payment_id)]
