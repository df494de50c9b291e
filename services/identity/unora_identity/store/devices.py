"""ID-02, ID-12: the devices that an account knows: those of its sessions, and for some time those of deleted ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from unora_common.database import Tx

from unora_identity.domain.sessions import THROWN_OUT

_THROWN_OUT = ", ".join(f"'{cause}'" for cause in THROWN_OUT)
# A device is known by its latest session there, or if that was deleted long ago, as a past device. Signing out and
# being suspended make no device unknown.
KNOWS = f"""
    coalesce(
        (SELECT coalesce(s.revocation NOT IN ({_THROWN_OUT}), true) FROM identity.sessions s
         WHERE s.user_id = u.id AND s.device_digest = $2 ORDER BY s.started_at DESC, s.id DESC LIMIT 1),
        EXISTS (SELECT FROM identity.past_devices d WHERE d.user_id = u.id AND d.device_digest = $2))"""
# One statement for all numbers, with and without an account.
IS_KNOWN = f"SELECT EXISTS (SELECT FROM identity.users u WHERE u.phone_hash = ANY($1) AND {KNOWS})"
IS_KNOWN_TO = f"SELECT {KNOWS} FROM identity.users u WHERE u.id = $1"
PURGE = """
    DELETE FROM identity.past_devices WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM identity.past_devices WHERE seen_at < $1
        ORDER BY seen_at LIMIT $2 FOR UPDATE SKIP LOCKED))"""


async def is_known(tx: Tx, phone_hashes: Sequence[bytes], device: bytes) -> bool:
    """ID-02: whether the account of a number, in any of its forms, knows a device."""
    known: bool = await tx.value(IS_KNOWN, list(phone_hashes), device)
    return known


async def is_known_to(tx: Tx, user: UUID, device: bytes | None) -> bool:
    """ID-12: whether an account knows a device. A device that the app does not name is unknown."""
    return device is not None and bool(await tx.value(IS_KNOWN_TO, user, device))


async def purge(tx: Tx, seen_before: datetime, limit: int) -> int:
    """Forgets devices whose last session was deleted long ago, by the machine's clock."""
    return await tx.run(PURGE, seen_before, limit)
