"""ID-17: the devices that push messages go to.

A member's devices change under the lock of the member's row. A token moves from one member to another without the
other's lock: its row is locked before it is changed, and rows are locked by their tokens' hashes. Whatever ends a
session deletes its device (sessions.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from unora_common.database import Row, Session, Tx
from unora_common.rows import Columns, from_row

from unora_identity.domain.notifications import Category, PushDevice

_DEVICE = Columns("id", "session_id", "platform", "locale", "registered_at")
_STORED = _DEVICE + Columns("token_hash", "token_sealed")

LOCK = """
    SELECT id, session_id FROM identity.push_devices WHERE session_id = $1 OR token_hash = $2
    ORDER BY token_hash FOR UPDATE"""
REPLACE = "DELETE FROM identity.push_devices WHERE session_id = $1 AND token_hash <> $2"
PUT = f"""
    INSERT INTO identity.push_devices ({_STORED.names()}) VALUES ({_STORED.parameters()})
    ON CONFLICT (token_hash) DO UPDATE SET id = excluded.id, session_id = excluded.session_id,
        platform = excluded.platform, locale = excluded.locale, registered_at = excluded.registered_at,
        token_sealed = excluded.token_sealed"""
BOUND = """
    DELETE FROM identity.push_devices WHERE id IN (
        SELECT d.id FROM identity.push_devices d JOIN identity.sessions s ON s.id = d.session_id
        WHERE s.user_id = $1 ORDER BY d.registered_at DESC, d.id DESC OFFSET $2)"""
REMOVE = """
    DELETE FROM identity.push_devices d USING identity.sessions s
    WHERE d.id = $1 AND s.id = d.session_id AND s.user_id = $2"""
REMOVE_TOKENS = """
    WITH dead AS MATERIALIZED (
        SELECT token_hash FROM identity.push_devices WHERE token_hash = ANY($1) ORDER BY token_hash FOR UPDATE)
    DELETE FROM identity.push_devices d USING dead WHERE d.token_hash = dead.token_hash"""
OWN = f"""
    SELECT {_DEVICE.names("d")} FROM identity.push_devices d JOIN identity.sessions s ON s.id = d.session_id
    WHERE s.user_id = $1 AND s.revoked_at IS NULL ORDER BY d.registered_at DESC, d.id DESC LIMIT $2"""
# A session that can no longer be refreshed is over, although its rows are stored for some days more.
RECIPIENTS = f"""
    SELECT u.id AS user_id, u.data_key, p.time_zone, n.quiet_from, n.quiet_until, n.locale AS preferred,
           {_DEVICE.names("d")}, d.token_sealed, clock.now() AS now
    FROM identity.users u
    JOIN identity.profiles p ON p.user_id = u.id
    JOIN identity.sessions s ON s.user_id = u.id AND s.revoked_at IS NULL
    JOIN identity.push_devices d ON d.session_id = s.id
    JOIN identity.refresh_tokens t ON t.session_id = s.id AND t.used_at IS NULL AND t.expires_at > $3
    LEFT JOIN identity.notification_settings n ON n.user_id = u.id
    WHERE u.id = ANY($1) AND u.deleted_at IS NULL AND u.suspended_at IS NULL
        AND $2 <> ALL (coalesce(n.muted, '{{}}'))
    ORDER BY u.id, d.registered_at DESC, d.id DESC"""


async def register(
    tx: Tx, user: UUID, device: PushDevice, token_hash: bytes, token_sealed: bytes, most: int
) -> PushDevice:
    """Stores the device of a session, with its id if the session had one already; its token leaves every other session.
    Of more than `most` devices of the member, those that were registered first go.
    """
    for row in await tx.rows(LOCK, device.session_id, token_hash):
        if row["session_id"] == device.session_id:
            device = replace(device, id=row["id"])
    await tx.run(REPLACE, device.session_id, token_hash)
    await tx.run(PUT, *_STORED.values_of(device, token_hash=token_hash, token_sealed=token_sealed))
    await tx.run(BOUND, user, most)
    return device


async def remove(tx: Tx, device: UUID) -> None:
    """Deletes a device of the caller."""
    await tx.run(REMOVE, device, tx.user)


async def remove_tokens(tx: Tx, token_hashes: Sequence[bytes]) -> int:
    """Deletes the devices with these tokens, whoever has them; returns how many there were."""
    return await tx.run(REMOVE_TOKENS, list(token_hashes))


async def list_own(db: Session, most: int) -> list[PushDevice]:
    """The caller's devices, those registered last first."""
    return [from_row(PushDevice, row) for row in await db.rows(OWN, db.user, most)]


async def list_recipients(db: Session, users: Sequence[UUID], category: Category, now: datetime) -> list[Row]:
    """A row for each device of those of the members who may be told something of a category; by member, their devices
    as `list_own` has them. `now` is the machine's clock.
    """
    return await db.rows(RECIPIENTS, list(users), category, now)


def device_of(row: Row) -> PushDevice:
    """The device of a row of `list_recipients`."""
    return from_row(PushDevice, row)
