"""Protections of recoveries (BI-05)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.due import Due, due_sql, find_due
from unora_common.rows import Columns, from_row

from unora_billing.domain.protections import Protection

FACTS = Columns("id", "payment_id", "payer_id", "partner_id", "connection_id", "opened_at", "expires_at")
STATE = Columns("status", "closed_at", "version")
COLUMNS = FACTS + STATE

INSERT = f"INSERT INTO billing.credit_protections ({COLUMNS.names()}) VALUES ({COLUMNS.parameters()})"

UPDATE = f"UPDATE billing.credit_protections SET {STATE.assignments(2)} WHERE id = $1"

SAVE_ALL = """
    UPDATE billing.credit_protections AS p SET status = s.status, closed_at = s.closed_at, version = s.version
    FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bigint[]) AS s (id, status, closed_at, version)
    WHERE p.id = s.id"""

LIST_CONVERTIBLE = f"""
    SELECT {COLUMNS.names()} FROM billing.credit_protections
    WHERE connection_id = $1 AND status <> 'converted' ORDER BY payer_id, id"""

LOCK = f"""
    WITH p AS MATERIALIZED (SELECT * FROM billing.credit_protections WHERE id = $1 FOR UPDATE)
    SELECT {COLUMNS.names("p")}, clock.now() AS now FROM p"""

LOCK_EXPIRED = f"""
    WITH p AS MATERIALIZED (
        SELECT * FROM billing.credit_protections
        WHERE status = 'open' AND expires_at <= (SELECT clock.now()) AND id <> ALL ($2)
            AND ($3::uuid IS NULL OR id = $3)
        ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
    SELECT {COLUMNS.names("p")}, clock.now() AS now FROM p"""

DUE = due_sql("billing.credit_protections WHERE status = 'open'", "expires_at")


async def insert(tx: Tx, protection: Protection) -> None:
    """Stores a new protection."""
    await tx.run(INSERT, *COLUMNS.values_of(protection))


async def save(tx: Tx, protection: Protection) -> None:
    """Stores what has changed."""
    await tx.run(UPDATE, protection.id, *STATE.values_of(protection))


async def save_all(tx: Tx, changed: Sequence[Protection]) -> None:
    """Stores what has changed in many."""
    values = zip(*((each.id, *STATE.values_of(each)) for each in changed), strict=True)
    await tx.run(SAVE_ALL, *map(list, values))


async def list_convertible(tx: Tx, connection_id: UUID) -> list[Protection]:
    """The protections that an ending of the connection may still convert, in the order in which the accounts of their
    payers are locked.
    """
    return [from_row(Protection, row) for row in await tx.rows(LIST_CONVERTIBLE, connection_id)]


async def lock(tx: Tx, protection_id: UUID) -> Protection:
    """Locks a protection."""
    (row,) = await tx.lock(LOCK, protection_id)
    return from_row(Protection, row)


async def lock_expired(
    tx: Tx, limit: int, left_out: Sequence[UUID] = (), only: UUID | None = None
) -> dict[UUID, Protection]:
    """Locks open protections whose time is over, and sets tx.now if there are any; skips those that are locked, and
    those in `left_out`. With `only` it looks at this one.
    """
    rows = await tx.lock(LOCK_EXPIRED, limit, left_out, only)
    return {row["id"]: from_row(Protection, row) for row in rows}


async def count_due(session: Session) -> Due:
    """The open protections whose time is over."""
    return await find_due(session, DUE)
