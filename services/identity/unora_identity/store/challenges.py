"""ID-02: the codes that are sent to phones."""

from __future__ import annotations

import zlib
from datetime import datetime
from uuid import UUID

from unora_common.database import Tx
from unora_common.rows import Columns, from_row

from unora_identity.domain.accounts import NewAccount
from unora_identity.domain.phone_codes import Challenge, IssuedCode, StoredChallenge

_ISSUED = Columns("id", "request_id", "issued_at", "expires_at", "known_device", "account_only", "sent_at")
_NEW_ACCOUNT = Columns("phone_sealed", "data_key")
_OWN = Columns("phone_hash", "phone_hashes", "code_hash")
_INSERTED = _ISSUED + _OWN + Columns("new_user_id", "changes_user_id") + _NEW_ACCOUNT
_CHALLENGE = (
    Columns("id", "issued_at", "expires_at", "known_device", "account_only", "wrong_tries", "used_at", "used_by") + _OWN
)

# Requests for one number are taken in turn, or more codes than allowed could be sent at once. There is no row to lock.
LOCK_PHONE = """
    WITH l AS MATERIALIZED (SELECT pg_advisory_xact_lock(1769104741, $1)) SELECT clock.now() AS now FROM l"""
ISSUED = f"""
    SELECT {_ISSUED.names("c")},
        EXISTS (SELECT FROM identity.text_messages m WHERE m.challenge_id = c.id AND m.delivery = 'failed')
            AS undelivered
    FROM identity.phone_challenges c WHERE c.phone_hash = $1"""
ADD = f"INSERT INTO identity.phone_challenges ({_INSERTED.names()}) VALUES ({_INSERTED.parameters()})"
# By the same clock as `issued_at`. A used code is marked as sent already: who entered it was sent it.
MARK_SENT = "UPDATE identity.phone_challenges SET sent_at = clock.now() WHERE id = $1 AND sent_at IS NULL"
DELETE = "DELETE FROM identity.phone_challenges WHERE id = $1 AND used_at IS NULL"
# Tries for one number are judged in turn, over all its codes, or more of them could be wrong than allowed.
LOCK = f"""
    WITH c AS MATERIALIZED (
        SELECT {_CHALLENGE.names()}, session_id, created_account, changes_user_id, new_user_id,
               {_NEW_ACCOUNT.names()}
        FROM identity.phone_challenges WHERE id = $1 FOR UPDATE),
    l AS MATERIALIZED (
        SELECT c.*, pg_advisory_xact_lock(1769104742, hashtext(encode(c.phone_hash, 'hex'))) FROM c)
    SELECT l.*, clock.now() AS now FROM l"""
COUNT_TRY = "UPDATE identity.phone_challenges SET wrong_tries = $2 WHERE id = $1"
USE = """
    UPDATE identity.phone_challenges
    SET used_at = $2, used_by = $3, session_id = $4, created_account = $5, sent_at = coalesce(sent_at, $2)
    WHERE id = $1"""
PURGE = """
    DELETE FROM identity.phone_challenges WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM identity.phone_challenges WHERE created_at < $1
        ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED))"""


async def lock_phone(tx: Tx, phone_hash: bytes) -> list[IssuedCode]:
    """Waits for other requests of the same number and reads the clock. Returns the stored codes of the number."""
    number = zlib.crc32(phone_hash) - 2**31
    await tx.lock(LOCK_PHONE, number)
    return [from_row(IssuedCode, row) for row in await tx.rows(ISSUED, phone_hash)]


async def add(
    tx: Tx, challenge: Challenge, request_id: UUID, new: NewAccount, changes_user_id: UUID | None = None
) -> None:
    """Stores a new challenge, which opens a session, or changes the number of a member (ID-14). Whether a code was sent
    that may not be is not told either: it counts as sent (ID-11).
    """
    values = _INSERTED.values_of(
        challenge,
        request_id=request_id,
        sent_at=challenge.issued_at if challenge.account_only else None,
        new_user_id=new.user_id,
        changes_user_id=changes_user_id,
        phone_sealed=new.phone_sealed,
        data_key=new.data_key,
    )
    await tx.run(ADD, *values)


async def mark_sent(tx: Tx, challenge: UUID) -> None:
    """Stores that the code was sent."""
    await tx.run(MARK_SENT, challenge)


async def delete(tx: Tx, challenge: UUID) -> bool:
    """Deletes a challenge whose code was never sent. Returns False if it was used, so that its code had been sent."""
    return await tx.run(DELETE, challenge) == 1


async def lock(tx: Tx, challenge: UUID) -> StoredChallenge | None:
    """Locks a challenge and the tries for its number, and reads the clock."""
    rows = await tx.lock(LOCK, challenge)
    if not rows:
        return None
    row = rows[0]
    return StoredChallenge(
        challenge=from_row(Challenge, row),
        new_account=NewAccount(user_id=row["new_user_id"], phone_sealed=row["phone_sealed"], data_key=row["data_key"]),
        session_id=row["session_id"],
        created_account=row["created_account"],
        changes_user_id=row["changes_user_id"],
    )


async def count_try(tx: Tx, challenge: Challenge) -> None:
    """ID-02: stores the count of wrong tries. The caller must commit before it refuses."""
    await tx.run(COUNT_TRY, challenge.id, challenge.wrong_tries)


async def use(tx: Tx, challenge: Challenge, session: UUID, created_account: bool) -> None:
    """Stores that the code was used, with the session that it opened or that used it: a repeat finds it here."""
    await tx.run(USE, challenge.id, challenge.used_at, challenge.used_by, session, created_account)


async def purge(tx: Tx, created_before: datetime, limit: int) -> int:
    """Deletes challenges that can no longer be used, by the machine's clock."""
    return await tx.run(PURGE, created_before, limit)
