"""The codes sent to phones (ID-02)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from unora_common.database import Tx

from unora_identity.domain.phone_codes import Challenge, Issued

# Asks for one number are taken in turn, else more codes than allowed could be sent at once. There is no row to lock.
LOCK_PHONE = """
    WITH l AS MATERIALIZED (SELECT pg_advisory_xact_lock(1769104741, $1)) SELECT clock.now() AS now FROM l"""
ISSUED = "SELECT id, request_id, issued_at, expires_at, sent_at FROM identity.phone_challenges WHERE phone_hash = $1"
ADD = """
    INSERT INTO identity.phone_challenges
        (id, request_id, phone_hash, code_hash, issued_at, expires_at, new_user_id, phone_sealed, data_key)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
# In the time of the same clock as the code was issued; who gave the code back meanwhile has been sent it.
NOTE_SENT = "UPDATE identity.phone_challenges SET sent_at = clock.now() WHERE id = $1 AND sent_at IS NULL"
FORGET = "DELETE FROM identity.phone_challenges WHERE id = $1 AND used_at IS NULL"
LOCK = """
    WITH c AS MATERIALIZED (
        SELECT id, phone_hash, code_hash, issued_at, expires_at, wrong_tries, used_at, used_by, session_id,
               created_account, new_user_id, phone_sealed, data_key
        FROM identity.phone_challenges WHERE id = $1 FOR UPDATE)
    SELECT c.*, clock.now() AS now FROM c"""
COUNT_TRY = "UPDATE identity.phone_challenges SET wrong_tries = $2 WHERE id = $1"
USE = """
    UPDATE identity.phone_challenges
    SET used_at = $2, used_by = $3, session_id = $4, created_account = $5, sent_at = coalesce(sent_at, $2)
    WHERE id = $1"""
PURGE = """
    DELETE FROM identity.phone_challenges WHERE id IN (
        SELECT id FROM identity.phone_challenges WHERE created_at < $1
        ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """All that the account needs that a challenge may create, made before anyone knows whether there is one already."""

    user_id: UUID
    phone_sealed: bytes
    data_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A challenge as it stands, and what it would make or has made."""

    challenge: Challenge
    newcomer: Newcomer
    session_id: UUID | None
    created_account: bool


async def lock_phone(tx: Tx, phone_hash: bytes) -> list[Issued]:
    """Takes the number's turn and reads the clock; returns the codes issued to it, as long as they are kept."""
    number = zlib.crc32(phone_hash) - 2**31
    await tx.lock(LOCK_PHONE, number)
    return [Issued(**row) for row in await tx.rows(ISSUED, phone_hash)]


async def add(tx: Tx, challenge: Challenge, request_id: UUID, newcomer: Newcomer) -> None:
    """Keeps a new challenge."""
    await tx.run(
        ADD,
        challenge.id,
        request_id,
        challenge.phone_hash,
        challenge.code_hash,
        challenge.issued_at,
        challenge.expires_at,
        newcomer.user_id,
        newcomer.phone_sealed,
        newcomer.data_key,
    )


async def note_sent(tx: Tx, challenge: UUID) -> None:
    """The code is on its way."""
    await tx.run(NOTE_SENT, challenge)


async def forget(tx: Tx, challenge: UUID) -> bool:
    """The code was never sent: the challenge counts for nothing. False if it was used, and so it was sent."""
    return await tx.run(FORGET, challenge) == 1


async def lock(tx: Tx, challenge: UUID) -> Opened | None:
    """Locks a challenge and reads the clock."""
    rows = await tx.lock(LOCK, challenge)
    if not rows:
        return None
    row = rows[0]
    fields = ("id", "phone_hash", "code_hash", "issued_at", "expires_at", "wrong_tries", "used_at", "used_by")
    return Opened(
        challenge=Challenge(**{field: row[field] for field in fields}),
        newcomer=Newcomer(user_id=row["new_user_id"], phone_sealed=row["phone_sealed"], data_key=row["data_key"]),
        session_id=row["session_id"],
        created_account=row["created_account"],
    )


async def count_try(tx: Tx, challenge: Challenge) -> None:
    """ID-02: a wrong try is counted; the caller must commit before it refuses."""
    await tx.run(COUNT_TRY, challenge.id, challenge.wrong_tries)


async def use(tx: Tx, challenge: Challenge, session: UUID, created_account: bool) -> None:
    """The code was right; a repeat of the call finds its session here."""
    await tx.run(USE, challenge.id, challenge.used_at, challenge.used_by, session, created_account)


async def purge(tx: Tx, made_before: datetime, limit: int) -> int:
    """Deletes challenges that nobody can answer any more, by the machine's clock."""
    return await tx.run(PURGE, made_before, limit)
