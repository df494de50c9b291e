"""The ledger of credits (BI-03). Its trigger adds each entry to the balance of the account."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.pages import Place
from unora_common.rows import Columns, from_row

from unora_billing.domain.accounts import CreditEntry

COLUMNS = Columns("id", "kind", "amount", "payment_id", "created_at")

INSERT = f"INSERT INTO billing.credits (user_id, {COLUMNS.names()}) VALUES ($1, {COLUMNS.parameters(2)})"

TOTAL_UNTIL = """
    SELECT coalesce(sum(amount), 0)::bigint FROM billing.credits WHERE user_id = $1 AND created_at <= $2"""

LIST_BY_USER = f"""
    SELECT {COLUMNS.names()} FROM billing.credits
    WHERE user_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))
    ORDER BY created_at DESC, id DESC LIMIT $4"""


async def insert(tx: Tx, user_id: UUID, entry: CreditEntry) -> None:
    """Adds an entry to a member's ledger. The database refuses a balance below zero."""
    await tx.run(INSERT, user_id, *COLUMNS.values_of(entry))


async def total_until(tx: Tx, user_id: UUID, until: datetime) -> int:
    """The member's balance as it was at a moment (UTC)."""
    total: int = await tx.value(TOTAL_UNTIL, user_id, until)
    return total


async def list_by_user(session: Session, user_id: UUID, after: Place | None, limit: int) -> list[CreditEntry]:
    """A member's ledger, newest first."""
    created_at, entry_id = after or (None, None)
    rows = await session.rows(LIST_BY_USER, user_id, created_at, entry_id, limit)
    return [from_row(CreditEntry, row) for row in rows]
