"""ID-09, ID-13: who holds the number of an account, and accounts that lose their number or open again.

All of it changes only under the lock of the member's row.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Tx
from unora_common.rows import from_row

from unora_identity.domain.number_proof import Holder, WrongBirthDate
from unora_identity.domain.recovery import Reopening
from unora_identity.store.devices import KNOWS

# The time of last use is kept at most once a day. Who has none has had no token since it is kept: their tokens tell.
GET = f"""
    SELECT {KNOWS} AS device_known,
        coalesce(u.last_used_at > $3::timestamptz - interval '1 day', EXISTS (
            SELECT FROM identity.sessions s JOIN identity.refresh_tokens t ON t.session_id = s.id
            WHERE s.user_id = u.id AND t.issued_at > $3)) AS in_use,
        p.date_of_birth, u.closed_at, u.erase_after,
        EXISTS (SELECT FROM identity.second_factors f JOIN identity.roles r ON r.user_id = f.user_id
                WHERE f.user_id = u.id AND r.role = 'admin') AS has_second_factor,
        ARRAY(SELECT ROW(w.request_id, w.tried_at) FROM identity.wrong_birth_dates w WHERE w.user_id = u.id) AS wrong
    FROM identity.users u JOIN identity.profiles p ON p.user_id = u.id WHERE u.id = $1"""
ADD_WRONG = "INSERT INTO identity.wrong_birth_dates (user_id, request_id, tried_at) VALUES ($1, $2, $3)"
DELETE_WRONG_BIRTH_DATES = "DELETE FROM identity.wrong_birth_dates WHERE user_id = $1"
PURGE = """
    DELETE FROM identity.wrong_birth_dates WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM identity.wrong_birth_dates WHERE created_at < $1
        ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED))"""
HIDE = """
    UPDATE identity.users
    SET phone_hash = NULL, phone_sealed = NULL, hidden_at = $2, erase_after = coalesce(erase_after, $3) WHERE id = $1"""
REOPEN = """
    UPDATE identity.users SET closed_at = NULL, hidden_at = NULL, erase_after = NULL,
        phone_hash = coalesce($2, phone_hash), phone_sealed = coalesce($3, phone_sealed) WHERE id = $1"""
REOPENING = """
    SELECT hidden_at IS NOT NULL AS hidden, erase_after FROM identity.users WHERE id = $1"""


async def get(tx: Tx, user: UUID, device: bytes | None, used_since: datetime) -> Holder:
    """What decides whether a code opens the account. `used_since` is by the machine's clock."""
    row = await tx.row(GET, user, device, used_since)
    assert row is not None
    wrong = tuple(WrongBirthDate(request_id=request, tried_at=at) for request, at in row["wrong"])
    return from_row(Holder, row, wrong=wrong)


async def add_wrong(tx: Tx, user: UUID, request_id: UUID) -> None:
    """Stores a wrong birth date. The caller must commit before it refuses."""
    await tx.run(ADD_WRONG, user, request_id, tx.now)


async def delete_wrong_birth_dates(tx: Tx, user: UUID) -> None:
    """Deletes the wrong birth dates of an account."""
    await tx.run(DELETE_WRONG_BIRTH_DATES, user)


async def purge(tx: Tx, created_before: datetime, limit: int) -> int:
    """Deletes wrong birth dates that no longer count, by the machine's clock."""
    return await tx.run(PURGE, created_before, limit)


async def hide(tx: Tx, user: UUID, erase_after: datetime) -> None:
    """ID-13: takes the number from an account. One that was closed before is erased when that says."""
    await tx.run(HIDE, user, tx.now, erase_after)


async def find_reopening(tx: Tx, user: UUID) -> Reopening:
    """How an account that is hidden or closed could be opened again."""
    row = await tx.row(REOPENING, user)
    assert row is not None
    return from_row(Reopening, row)


async def reopen(tx: Tx, user: UUID, phone_hash: bytes | None = None, phone_sealed: bytes | None = None) -> None:
    """ID-09, ID-13: opens an account again, with its number or another one."""
    await tx.run(REOPEN, user, phone_hash, phone_sealed)
