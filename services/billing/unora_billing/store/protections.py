"""Protections, and the endings of connections that decide on them."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Row, Tx

from unora_billing.domain.protections import Ending, Protection, ProtectionStatus

COLUMNS = """
    p.id, p.payment_id, p.payer_id, p.partner_id, p.connection_id, p.status, p.opened_at, p.expires_at, p.closed_at,
    p.version"""

ADD_CONNECTION = "INSERT INTO billing.connection_endings (connection_id) VALUES ($1) ON CONFLICT DO NOTHING"
LOCK_CONNECTION = """
    WITH c AS MATERIALIZED (SELECT * FROM billing.connection_endings WHERE connection_id = $1 FOR UPDATE)
    SELECT c.ended_by_id, c.ended_at, clock.now() AS now FROM c"""
END_CONNECTION = """
    UPDATE billing.connection_endings SET ended_by_id = $2, ended_at = $3
    WHERE connection_id = $1 AND ended_at IS NULL"""

INSERT = """
    INSERT INTO billing.credit_protections
        (id, payment_id, payer_id, partner_id, connection_id, status, opened_at, expires_at, closed_at, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"""

OF_CONNECTION = f"""
    SELECT {COLUMNS} FROM billing.credit_protections p
    WHERE connection_id = $1 AND status <> 'converted' ORDER BY payer_id, id"""

LOCK_EXPIRED = f"""
    WITH p AS MATERIALIZED (
        SELECT * FROM billing.credit_protections WHERE status = 'open' AND expires_at <= (SELECT clock.now())
        ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
    SELECT {COLUMNS}, clock.now() AS now FROM p"""

LOCK = f"""
    WITH p AS MATERIALIZED (SELECT * FROM billing.credit_protections WHERE id = $1 FOR UPDATE)
    SELECT {COLUMNS}, clock.now() AS now FROM p"""

SAVE = "UPDATE billing.credit_protections SET status = $2, closed_at = $3, version = $4 WHERE id = $1"


async def lock_connection(tx: Tx, connection_id: UUID) -> Ending | None:
    """Takes the lock that a protection's opening and the connection's ending share, so that neither misses the other
    (READ COMMITTED would let both look before either is there); returns the ending if it is known.
    """
    await tx.run(ADD_CONNECTION, connection_id)
    (row,) = await tx.lock(LOCK_CONNECTION, connection_id)
    return Ending(row["ended_by_id"], row["ended_at"]) if row["ended_at"] else None


async def end_connection(tx: Tx, connection_id: UUID, ending: Ending) -> None:
    """Remembers the ending, for a recovery that is told later."""
    await tx.run(END_CONNECTION, connection_id, ending.ended_by_id, ending.ended_at)


async def insert(tx: Tx, protection: Protection) -> None:
    """Stores a new protection."""
    of_whom = (protection.payment_id, protection.payer_id, protection.partner_id, protection.connection_id)
    window = (protection.opened_at, protection.expires_at, protection.closed_at)
    await tx.run(INSERT, protection.id, *of_whom, protection.status, *window, protection.version)


async def of_connection(tx: Tx, connection_id: UUID) -> list[Protection]:
    """Those that an ending may still convert, in the order in which their payers' accounts are locked."""
    return [_protection(row) for row in await tx.rows(OF_CONNECTION, connection_id)]


async def lock(tx: Tx, protection_id: UUID) -> Protection:
    """Locks a protection."""
    (row,) = await tx.lock(LOCK, protection_id)
    return _protection(row)


async def lock_expired(tx: Tx, limit: int) -> list[Protection]:
    """Open ones whose time is over."""
    return [_protection(row) for row in await tx.lock(LOCK_EXPIRED, limit)]


async def save(tx: Tx, protection: Protection) -> None:
    """Stores what moved."""
    await tx.run(SAVE, protection.id, protection.status, protection.closed_at, protection.version)


def _protection(row: Row) -> Protection:
    return Protection(
        id=row["id"],
        payment_id=row["payment_id"],
        payer_id=row["payer_id"],
        partner_id=row["partner_id"],
        connection_id=row["connection_id"],
        status=ProtectionStatus(row["status"]),
        opened_at=row["opened_at"],
        expires_at=row["expires_at"],
        closed_at=row["closed_at"],
        version=row["version"],
    )
