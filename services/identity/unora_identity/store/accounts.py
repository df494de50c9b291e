"""Accounts, their roles (ID-01), and the columns of `users` that other contexts decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from unora_common.copies import Copy
from unora_common.database import Row, Session, Tx
from unora_common.rows import as_arrays, from_row

from unora_identity.domain.accounts import LockedMember, NewAccount

# Forms of one number may have several accounts, and each may have to give way: so all are locked, by ascending id. The
# clock is read when all are.
LOCK_BY_PHONE = """
    WITH u AS MATERIALIZED (
        SELECT id, version, suspended_at IS NOT NULL AS suspended, paused_at, erase_after, phone_hash
        FROM identity.users WHERE phone_hash = ANY($1) ORDER BY id FOR UPDATE)
    SELECT first.*, clock.now() AS now FROM (
        SELECT id, version, suspended, paused_at, erase_after FROM u ORDER BY array_position($1, phone_hash) LIMIT 1
    ) AS first"""
LOCK_OVER = """
    WITH u AS MATERIALIZED (
        SELECT id, version, suspended_at IS NOT NULL AS suspended, paused_at, erase_after
        FROM identity.users WHERE phone_hash = ANY($1) AND erase_after <= (SELECT clock.now()) ORDER BY id FOR UPDATE)
    SELECT u.*, clock.now() AS now FROM u"""
LIST_OWNERS = "SELECT id FROM identity.users WHERE phone_hash = ANY($1)"
LIST_OVER = f"{LIST_OWNERS} AND erase_after <= clock.now()"
HAS_ACCOUNT = "SELECT EXISTS (SELECT FROM identity.users WHERE phone_hash = ANY($1))"
# If another sign-in of the same number is creating the account, this statement waits for it and then inserts nothing.
CREATE = """
    WITH u AS (
        INSERT INTO identity.users (id, phone_hash, phone_sealed, data_key, created_at, version, texts_version)
        VALUES ($1, $2, $3, $4, $5, 0, 0) ON CONFLICT (phone_hash) DO NOTHING RETURNING id)
    INSERT INTO identity.profiles (user_id) SELECT id FROM u"""
HAS_PHONE = "SELECT FROM identity.users WHERE id = $1 AND phone_hash = ANY($2)"
OWNER = "SELECT id FROM identity.users WHERE phone_hash = ANY($1) ORDER BY array_position($1, phone_hash) LIMIT 1"
DATA_KEY = "SELECT data_key FROM identity.users WHERE id = $1"
CHANGE_PHONE = "UPDATE identity.users SET phone_hash = $2, phone_sealed = $3 WHERE id = $1"
PHONE_HASH = "SELECT phone_hash FROM identity.users WHERE id = $1"
PAUSE = "UPDATE identity.users SET paused_at = $2 WHERE id = $1"
CLOSE = "UPDATE identity.users SET closed_at = $2, erase_after = $3 WHERE id = $1"
# An account that was closed before its number went to another was told to be closed only. Those that are being erased
# count as well.
LIST_STATES = """
    SELECT id, version, closed_at, CASE WHEN closed_at IS NULL THEN hidden_at END AS hidden_at,
        CASE WHEN erase_after IS NULL THEN paused_at END AS paused_at
    FROM identity.users WHERE id > $1 ORDER BY id LIMIT $2"""
ROLES = "SELECT role FROM identity.roles WHERE user_id = $1 ORDER BY role"
GRANT = "INSERT INTO identity.roles (user_id, role, granted_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
REVOKE_ROLE = "DELETE FROM identity.roles WHERE user_id = $1 AND role = $2"


TIERS = Copy(
    "identity.users",
    ["id"],
    ["t.tier"],
    version="tier_version",
    forget="tier_version = -1",
    vanish="tier = 'free', tier_version = 0",
)
INVENTORIES = Copy(
    "identity.users",
    ["id"],
    ["t.active_connection_count", "t.connection_limit"],
    version="inventory_version",
    forget="inventory_version = -1",
    vanish="active_connection_count = 0, connection_limit = NULL, inventory_version = 0",
)
REFRESHES = Copy(
    "identity.users",
    ["id"],
    ["t.last_global_refresh_at", "t.refresh_available_at"],
    version="refresh_version",
    forget="refresh_version = -1",
    vanish="last_global_refresh_at = NULL, refresh_available_at = NULL, refresh_version = 0",
)
STANDINGS = Copy(
    "identity.users",
    ["id"],
    ["t.suspended_at IS NOT NULL"],
    version="standing_version",
    forget="standing_version = -1",
    vanish="suspended_at = NULL, standing_version = 0",
)


def _project(version: str, columns: dict[str, str]) -> str:
    """Updates these columns, given with their types, of many members, as one array for each column; of each member the
    newest version counts. Rows are locked in one order.
    """
    names = ", ".join(["id", version, *columns])
    types = ["uuid", "bigint", *columns.values()]
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, start=1))
    return f"""
    WITH given AS MATERIALIZED (
        SELECT DISTINCT ON (id) * FROM unnest({arrays}) AS each ({names}) ORDER BY id, {version} DESC),
    locked AS MATERIALIZED (
        SELECT u.id FROM identity.users u JOIN given ON u.id = given.id ORDER BY u.id FOR NO KEY UPDATE OF u)
    UPDATE identity.users u SET {version} = given.{version}, {", ".join(f"{name} = given.{name}" for name in columns)}
    FROM given JOIN locked ON given.id = locked.id WHERE u.id = given.id AND u.{version} < given.{version}"""


PROJECT_TIERS = _project("tier_version", {"tier": "text"})
PROJECT_SUSPENSION = """
    UPDATE identity.users
    SET suspended_at = CASE WHEN $3 THEN coalesce(suspended_at, $4) END, standing_version = $2
    WHERE id = $1 AND standing_version < $2"""
PROJECT_INVENTORIES = _project(
    "inventory_version", {"active_connection_count": "integer", "connection_limit": "integer"}
)
PROJECT_REFRESHES = _project(
    "refresh_version", {"last_global_refresh_at": "timestamptz", "refresh_available_at": "timestamptz"}
)


async def lock_or_create(
    tx: Tx, phone_hashes: Sequence[bytes], phone_hash: bytes, new: NewAccount
) -> tuple[LockedMember, bool]:
    """ID-01: locks the one account of a number, by the first of its forms that has one, or creates it under
    `phone_hash`. Returns also whether it was created.
    """
    found = await lock_by_phone(tx, phone_hashes)
    if found:
        return found, False
    while True:
        values = (new.user_id, phone_hash, new.phone_sealed, new.data_key, tx.now)
        if await tx.run(CREATE, *values):
            return LockedMember(id=new.user_id, version=0), True
        found = await lock_by_phone(tx, phone_hashes)
        if found:  # if not, the account has changed to another number meanwhile (ID-14)
            return found, False


async def has_phone(tx: Tx, user: UUID, phone_hashes: Sequence[bytes]) -> bool:
    """ID-14: whether it is the number of the account at this moment, in any of its forms. To be read under the member's
    lock.
    """
    return await tx.row(HAS_PHONE, user, list(phone_hashes)) is not None


async def find_owner(tx: Tx, phone_hashes: Sequence[bytes]) -> UUID | None:
    """ID-01: the member whose number it is at this moment, in any of its forms, if any."""
    user: UUID | None = await tx.value(OWNER, list(phone_hashes))
    return user


async def get_data_key(tx: Tx, user: UUID) -> bytes:
    """ID-09: the wrapped key that seals what is stored of a member."""
    key: bytes = await tx.value(DATA_KEY, user)
    return key


async def change_phone(tx: Tx, user: UUID, phone_hash: bytes, phone_sealed: bytes) -> None:
    """ID-14: stores another number. A number of another account violates uq_users_phone_hash."""
    await tx.run(CHANGE_PHONE, user, phone_hash, phone_sealed)


async def get_phone_hash(tx: Tx, user: UUID) -> bytes:
    """ID-01: the hash of the number of an account that has one."""
    phone_hash: bytes = await tx.value(PHONE_HASH, user)
    return phone_hash


async def set_pause(tx: Tx, user: UUID, paused_at: datetime | None) -> None:
    """ID-16: stores since when a member has paused, or that there is no pause."""
    await tx.run(PAUSE, user, paused_at)


async def close(tx: Tx, user: UUID, erase_after: datetime) -> None:
    """ID-09: stores that an account is closed, and until when it can be reopened."""
    await tx.run(CLOSE, user, tx.now, erase_after)


async def list_states_after(session: Session, user: UUID, limit: int) -> list[Row]:
    """A page of all accounts, from the one after this member on: since when each is away (UTC), for a projection."""
    return await session.rows(LIST_STATES, user, limit)


async def lock_by_phone(tx: Tx, phone_hashes: Sequence[bytes]) -> LockedMember | None:
    """ID-01: locks the account of a number, by the first of its forms that has one; those of its other forms too."""
    rows = await tx.lock(LOCK_BY_PHONE, list(phone_hashes))
    return from_row(LockedMember, rows[0]) if rows else None


async def list_owners(tx: Tx, phone_hashes: Sequence[bytes]) -> list[UUID]:
    """The members whose number it is at this moment, in any of its forms, for who locks them together with others."""
    return [row["id"] for row in await tx.rows(LIST_OWNERS, list(phone_hashes))]


async def list_over(tx: Tx, phone_hashes: Sequence[bytes]) -> list[UUID]:
    """ID-09: those of them whose account is closed and can no longer be opened again."""
    return [row["id"] for row in await tx.rows(LIST_OVER, list(phone_hashes))]


async def lock_over(tx: Tx, phone_hashes: Sequence[bytes]) -> list[LockedMember]:
    """ID-09: locks the closed accounts of a number, in any of its forms, that can no longer be opened again."""
    return [from_row(LockedMember, row) for row in await tx.lock(LOCK_OVER, list(phone_hashes))]


async def has_account(tx: Tx, phone_hashes: Sequence[bytes]) -> bool:
    """Whether a number has an account. Never for an answer (ID-02)."""
    found: bool = await tx.value(HAS_ACCOUNT, list(phone_hashes))
    return found


async def list_roles(tx: Tx, user: UUID) -> list[str]:
    """The roles that a member was granted."""
    return [row["role"] for row in await tx.rows(ROLES, user)]


async def grant(tx: Tx, user: UUID, role: str) -> bool:
    """Grants a role. Returns False if the member has it already."""
    return await tx.run(GRANT, user, role, tx.now) == 1


async def revoke_role(tx: Tx, user: UUID, role: str) -> bool:
    """Takes a role away. Returns False if the member does not have it."""
    return await tx.run(REVOKE_ROLE, user, role) == 1


async def project_tiers(tx: Tx, tiers: Iterable[tuple[UUID, int, str]]) -> None:
    """Stores members' tiers, with their versions, as billing published them, unless a newer one is stored."""
    await tx.run(PROJECT_TIERS, *as_arrays(tiers))


async def project_suspension(tx: Tx, user: UUID, version: int, suspended: bool) -> bool:
    """Stores whether safety suspended a member. Returns False if a newer version is stored."""
    return await tx.run(PROJECT_SUSPENSION, user, version, suspended, tx.now) == 1


async def project_inventories(tx: Tx, inventories: Iterable[tuple[UUID, int, int, int]]) -> None:
    """Stores members' slots, with their versions, taken and in all, as matching published them, unless a newer one is
    stored.
    """
    await tx.run(PROJECT_INVENTORIES, *as_arrays(inventories))


async def project_refreshes(tx: Tx, timers: Iterable[tuple[UUID, int, datetime | None, datetime | None]]) -> None:
    """Stores members' refresh timers, with their versions, as discovery published them, unless a newer one is stored.
    Times are UTC: of the last refresh, and of the next that is possible.
    """
    await tx.run(PROJECT_REFRESHES, *as_arrays(timers))
