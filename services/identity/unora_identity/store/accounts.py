"""Accounts and roles (ID-01)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Tx

from unora_identity.store.challenges import Newcomer
from unora_identity.store.members import Locked

LOCK_BY_PHONE = """
    WITH u AS MATERIALIZED (
        SELECT id, version, suspended_at IS NOT NULL AS suspended
        FROM identity.users WHERE phone_hash = $1 FOR UPDATE)
    SELECT u.*, clock.now() AS now FROM u"""
# Another sign-in of the same number may be creating the account just now: then this one waits, and finds it.
CREATE = """
    WITH u AS (
        INSERT INTO identity.users (id, phone_hash, phone_sealed, data_key, created_at, version)
        VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT (phone_hash) DO NOTHING RETURNING id)
    INSERT INTO identity.profiles (user_id) SELECT id FROM u"""
ROLES = "SELECT role FROM identity.roles WHERE user_id = $1 ORDER BY role"
GRANT = "INSERT INTO identity.roles (user_id, role, granted_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
PROJECT_TIER = """
    UPDATE identity.users SET tier = $3, tier_version = $2 WHERE id = $1 AND tier_version < $2"""
PROJECT_STANDING = """
    UPDATE identity.users
    SET suspended_at = CASE WHEN $3 THEN coalesce(suspended_at, $4) END, standing_version = $2
    WHERE id = $1 AND standing_version < $2"""
PROJECT_INVENTORY = """
    UPDATE identity.users SET active_connection_count = $3, connection_limit = $4, inventory_version = $2
    WHERE id = $1 AND inventory_version < $2"""
PROJECT_REFRESH = """
    UPDATE identity.users SET last_global_refresh_at = $3, refresh_available_at = $4, refresh_version = $2
    WHERE id = $1 AND refresh_version < $2"""


async def claim(tx: Tx, phone_hash: bytes, newcomer: Newcomer) -> tuple[Locked, bool]:
    """ID-01: locks the one account of a number, creating it if it is the first success; tells whether it did."""
    found = await _by_phone(tx, phone_hash)
    if found:
        return found, False
    made = (newcomer.user_id, phone_hash, newcomer.phone_sealed, newcomer.data_key, tx.now)
    if await tx.run(CREATE, *made):
        return Locked(newcomer.user_id, 0), True
    found = await _by_phone(tx, phone_hash)
    assert found is not None
    return found, False


async def roles(tx: Tx, user: UUID) -> list[str]:
    """Roles beyond membership."""
    return [row["role"] for row in await tx.rows(ROLES, user)]


async def grant(tx: Tx, user: UUID, role: str) -> bool:
    """Grants a role; False if the member has it."""
    return await tx.run(GRANT, user, role, tx.now) == 1


async def project_tier(tx: Tx, user: UUID, version: int, tier: str) -> None:
    """What billing says of a member's tier, unless something newer is known."""
    await tx.run(PROJECT_TIER, user, version, tier)


async def project_standing(tx: Tx, user: UUID, version: int, suspended: bool) -> bool:
    """What safety says of a member; False if something newer is known."""
    return await tx.run(PROJECT_STANDING, user, version, suspended, tx.now) == 1


async def project_inventory(tx: Tx, user: UUID, version: int, slots_taken: int, slots: int) -> None:
    """What matching says of a member's slots, unless something newer is known."""
    await tx.run(PROJECT_INVENTORY, user, version, slots_taken, slots)


async def project_refresh(
    tx: Tx, user: UUID, version: int, last_at: datetime | None, available_at: datetime | None
) -> None:
    """What discovery says of a member's timer, unless something newer is known."""
    await tx.run(PROJECT_REFRESH, user, version, last_at, available_at)


async def _by_phone(tx: Tx, phone_hash: bytes) -> Locked | None:
    rows = await tx.lock(LOCK_BY_PHONE, phone_hash)
    return Locked(rows[0]["id"], rows[0]["version"], rows[0]["suspended"]) if rows else None
