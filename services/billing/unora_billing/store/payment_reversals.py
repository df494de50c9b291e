"""Refunds, disputes and warnings beside payments (BI-10). Rows are never changed."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.rows import Columns, from_row

from unora_billing.domain.reversals import Reversal, Totals, totals

COLUMNS = Columns(
    "id",
    "payment_id",
    "provider_id",
    "kind",
    "amount",
    "reversed",
    "credits",
    "uncollected",
    "entry_id",
    "recorded_at",
)

INSERT = f"INSERT INTO billing.payment_reversals ({COLUMNS.names()}) VALUES ({COLUMNS.parameters()})"

LIST_BY_PAYMENT = f"""
    SELECT {COLUMNS.names()} FROM billing.payment_reversals WHERE payment_id = ANY ($1) ORDER BY recorded_at, id"""


async def insert(tx: Tx, reversal: Reversal) -> None:
    """Adds a row. The database refuses a second one of the same kind, and more than was paid."""
    await tx.run(INSERT, *COLUMNS.values_of(reversal))


async def list_by_payment(session: Session, payment_id: UUID) -> list[Reversal]:
    """The rows beside a payment. To decide by them, hold the lock of the payment."""
    return [from_row(Reversal, row) for row in await session.rows(LIST_BY_PAYMENT, [payment_id])]


async def totals_of(session: Session, payment_ids: Sequence[UUID]) -> dict[UUID, Totals]:
    """How much of each payment is reversed; payments without rows are left out."""
    rows = [from_row(Reversal, row) for row in await session.rows(LIST_BY_PAYMENT, list(payment_ids))]
    found = {row.payment_id for row in rows}
    return {each: totals([row for row in rows if row.payment_id == each]) for each in found}
