"""ID-02: the devices that an account knows: those of its sessions, and for some time those of its deleted sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from unora_common.database import Tx

# One statement for all numbers, with and without an account. Revoked sessions count: signing out is the usual reason
# for signing in again, and what a known device gains is no more than a budget of its own.
IS_KNOWN = """
    SELECT EXISTS (
        SELECT FROM identity.users u WHERE u.phone_hash = ANY($1) AND (
            EXISTS (SELECT FROM identity.sessions s WHERE s.user_id = u.id AND s.device_digest = $2)
            OR EXISTS (SELECT FROM identity.past_devices d WHERE d.user_id = u.id AND d.device_digest = $2)))"""
PURGE = """
    DELETE FROM identity.past_devices WHERE (user_id, device_digest) IN (
        SELECT user_id, device_digest FROM identity.past_devices WHERE seen_at < $1
        ORDER BY seen_at LIMIT $2 FOR UPDATE SKIP LOCKED)"""


async def is_known(tx: Tx, phone_hashes: Sequence[bytes], device: bytes) -> bool:
    """Whether the account of a number, in any of its forms, has been signed in to from a device."""
    known: bool = await tx.value(IS_KNOWN, list(phone_hashes), device)
    return known


async def purge(tx: Tx, seen_before: datetime, limit: int) -> int:
    """Forgets devices whose last session was deleted long ago, by the machine's clock."""
    return await tx.run(PURGE, seen_before, limit)
