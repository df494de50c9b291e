"""ID-02: wrong codes, by number, for as long as they count. Written under the number's lock (challenges.lock)."""

from __future__ import annotations

from datetime import datetime

from unora_common.database import Tx

from unora_identity.domain.phone_codes import Challenge

COUNT = """
    SELECT count(*) FROM identity.wrong_codes
    WHERE phone_hash = $1 AND known_device IS NOT DISTINCT FROM $2 AND tried_at > $3"""
ADD = """
    INSERT INTO identity.wrong_codes (challenge_id, wrong_try, phone_hash, known_device, tried_at)
    VALUES ($1, $2, $3, $4, $5)"""
PURGE = """
    DELETE FROM identity.wrong_codes WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM identity.wrong_codes WHERE created_at < $1
        ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED))"""


async def count(tx: Tx, phone_hash: bytes, known_device: bytes | None, since: datetime) -> int:
    """How many wrong codes came for a number since a moment of the rule clock: from a device that its account knows, or
    from all others.
    """
    counted: int = await tx.value(COUNT, phone_hash, known_device, since)
    return counted


async def add(tx: Tx, tried: Challenge, known_device: bytes | None) -> None:
    """Stores a wrong try. The caller must commit before it refuses."""
    await tx.run(ADD, tried.id, tried.wrong_tries, tried.phone_hash, known_device, tx.now)


async def purge(tx: Tx, created_before: datetime, limit: int) -> int:
    """Deletes tries that no longer count, by the machine's clock."""
    return await tx.run(PURGE, created_before, limit)
