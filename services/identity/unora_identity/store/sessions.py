"""ID-03: sessions and their families of refresh tokens. A family changes only under the lock of its member's row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from unora_common.database import Session as DatabaseSession
from unora_common.database import Tx
from unora_common.pages import Place
from unora_common.rows import Columns, from_row

from unora_identity.domain.sessions import THROWN_OUT, ActiveSession, RefreshToken, Revocation, Session

_NEW_SESSION = Columns("id", "user_id", "started_at", "admin_until")
_SESSION = _NEW_SESSION + Columns("revoked_at", "revocation")
_NEW_TOKEN = Columns("hash", "session_id", "issued_at", "expires_at")
_TOKEN = _NEW_TOKEN + Columns("used_at", "used_by", "successor")

_OPENED = _NEW_SESSION + Columns("device_digest")

OPEN = f"INSERT INTO identity.sessions ({_OPENED.names()}) VALUES ({_OPENED.parameters()})"
OWNER_BY_HASH = """
    SELECT s.user_id FROM identity.refresh_tokens t JOIN identity.sessions s ON s.id = t.session_id WHERE t.hash = $1"""
OWNER_BY_ID = "SELECT user_id FROM identity.sessions WHERE id = $1"
BY_HASH = f"""
    SELECT {_SESSION.names("s")}
    FROM identity.refresh_tokens t JOIN identity.sessions s ON s.id = t.session_id WHERE t.hash = $1"""
BY_ID = f"SELECT {_SESSION.names()} FROM identity.sessions WHERE id = $1"
# A token and its successor.
TOKENS = f"""
    SELECT {_TOKEN.names()} FROM identity.refresh_tokens
    WHERE hash = $1 OR hash = (SELECT successor FROM identity.refresh_tokens WHERE hash = $1)"""
FAMILY = f"SELECT {_TOKEN.names()} FROM identity.refresh_tokens WHERE session_id = $1"
SPEND = """
    UPDATE identity.refresh_tokens t SET used_at = u.used_at, used_by = u.used_by, successor = u.successor
    FROM unnest($1::bytea[], $2::timestamptz[], $3::uuid[], $4::bytea[]) AS u (hash, used_at, used_by, successor)
    WHERE t.hash = u.hash"""
# With a token goes the time at which the account was used last, once a day: tokens are not kept as long (ID-13).
ADD = f"""
    WITH t AS (
        INSERT INTO identity.refresh_tokens ({_NEW_TOKEN.names()}) VALUES ({_NEW_TOKEN.parameters()})
        RETURNING session_id, issued_at)
    UPDATE identity.users u SET last_used_at = t.issued_at FROM t JOIN identity.sessions s ON s.id = t.session_id
    WHERE u.id = s.user_id AND (u.last_used_at IS NULL OR u.last_used_at < t.issued_at - interval '1 day')"""
# The same statement writes the row of the list that every process fetches (SA-06), and deletes the device (ID-17).
REVOKE = """
    WITH s AS (
        UPDATE identity.sessions SET revoked_at = $2, revocation = $3
        WHERE user_id = $1 AND revoked_at IS NULL AND (id = $4 OR $4 IS NULL) AND (id <> $5 OR $5 IS NULL)
            AND (admin_until > $2 OR NOT $6)
        RETURNING id),
    d AS (DELETE FROM identity.push_devices USING s WHERE push_devices.session_id = s.id)
    INSERT INTO identity.revocations (session_id) SELECT id FROM s RETURNING session_id"""
DEVICE = "SELECT device_digest FROM identity.sessions WHERE id = $1"
OWN = f"SELECT {_SESSION.names()} FROM identity.sessions WHERE id = $1 AND user_id = $2"
# A session is active as long as its one unused token lives.
ACTIVE = """
    SELECT s.id, s.started_at, t.issued_at AS refreshed_at
    FROM identity.sessions s JOIN identity.refresh_tokens t ON t.session_id = s.id AND t.used_at IS NULL
    WHERE s.user_id = $1 AND s.revoked_at IS NULL AND t.expires_at > $2
        AND ($3::timestamptz IS NULL OR (s.started_at, s.id) < ($3, $4))
    ORDER BY s.started_at DESC, s.id DESC LIMIT $5"""
PURGE = """
    DELETE FROM identity.refresh_tokens WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM identity.refresh_tokens WHERE expires_at < $1
        ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING session_id"""
# When two replicas delete the last tokens of one session, the second to lock the session sees that no token is left.
LOCK_SESSIONS = "SELECT FROM identity.sessions WHERE id = ANY($1) ORDER BY id FOR UPDATE"
PURGE_EMPTY = """
    WITH gone AS (
        DELETE FROM identity.sessions s
        WHERE s.id = ANY($1) AND NOT EXISTS (SELECT FROM identity.refresh_tokens t WHERE t.session_id = s.id)
        RETURNING s.user_id, s.device_digest, s.revocation, s.started_at, s.id),
    latest AS (
        SELECT DISTINCT ON (user_id, device_digest)
            user_id, device_digest, coalesce(revocation = ANY($3::text[]), false) AS thrown_out
        FROM gone WHERE device_digest IS NOT NULL ORDER BY user_id, device_digest, started_at DESC, id DESC),
    forgotten AS (
        DELETE FROM identity.past_devices d USING latest l
        WHERE d.user_id = l.user_id AND d.device_digest = l.device_digest AND l.thrown_out)
    INSERT INTO identity.past_devices (user_id, device_digest, seen_at)
    SELECT user_id, device_digest, $2::timestamptz FROM latest WHERE NOT thrown_out
    ORDER BY user_id, device_digest
    ON CONFLICT (user_id, device_digest) DO UPDATE SET seen_at = greatest(past_devices.seen_at, excluded.seen_at)"""


async def open_session(tx: Tx, session: Session, token: RefreshToken, device_digest: bytes | None) -> None:
    """Stores a new session with its first token, and the digest of its device if the app named one (SA-04)."""
    await tx.run(OPEN, *_OPENED.values_of(session, device_digest=device_digest))
    await add_token(tx, token)


async def find_owner(tx: Tx, token_hash: bytes) -> UUID | None:
    """The member whose token it is. This never changes, so it can be read before the lock."""
    user: UUID | None = await tx.value(OWNER_BY_HASH, token_hash)
    return user


async def get_owner(tx: Tx, session: UUID) -> UUID:
    """The member whose session it is. This never changes, so it can be read before the lock."""
    user: UUID = await tx.value(OWNER_BY_ID, session)
    return user


async def get_with_token(tx: Tx, token_hash: bytes) -> tuple[Session, RefreshToken, RefreshToken | None]:
    """The session of a token, the token, and its successor if it has one. To be read under the lock."""
    row = await tx.row(BY_HASH, token_hash)
    assert row is not None
    tokens = {row["hash"]: from_row(RefreshToken, row) for row in await tx.rows(TOKENS, token_hash)}
    presented = tokens[token_hash]
    return from_row(Session, row), presented, tokens.get(presented.successor or b"")


async def get_with_family(tx: Tx, session: UUID) -> tuple[Session, list[RefreshToken]]:
    """A session and all its tokens. To be read under the lock."""
    row = await tx.row(BY_ID, session)
    assert row is not None
    return from_row(Session, row), [from_row(RefreshToken, token) for token in await tx.rows(FAMILY, session)]


async def save_spent(tx: Tx, tokens: Sequence[RefreshToken]) -> None:
    """Stores that tokens were used or voided."""
    await tx.run(
        SPEND,
        [token.hash for token in tokens],
        [token.used_at for token in tokens],
        [token.used_by for token in tokens],
        [token.successor for token in tokens],
    )


async def add_token(tx: Tx, token: RefreshToken) -> None:
    """Stores a fresh token, and that the account is in use. To be called under the member's lock."""
    await tx.run(ADD, *_NEW_TOKEN.values_of(token))


async def revoke(
    tx: Tx,
    user: UUID,
    revoked_at: datetime,
    cause: Revocation,
    *,
    only: UUID | None = None,
    but: UUID | None = None,
    admin: bool = False,
) -> list[UUID]:
    """Revokes the sessions of a member under the member's lock: all, or `only` one, or all `but` one, or those that
    carry the role `admin`. Returns those that were not revoked before.
    """
    return [row["session_id"] for row in await tx.rows(REVOKE, user, revoked_at, cause, only, but, admin)]


async def find_own(db: DatabaseSession, session: UUID) -> Session | None:
    """A session of the caller."""
    row = await db.row(OWN, session, db.user)
    return from_row(Session, row) if row else None


async def get_device(db: DatabaseSession, session: UUID) -> bytes | None:
    """SA-04: the digest of the device of a session, if the app named one."""
    device: bytes | None = await db.value(DEVICE, session)
    return device


async def list_active(db: DatabaseSession, now: datetime, after: Place | None, limit: int) -> list[ActiveSession]:
    """The caller's active sessions, newest first."""
    place = (after.at, after.id) if after else (None, None)
    return [from_row(ActiveSession, row) for row in await db.rows(ACTIVE, db.user, now, *place, limit)]


async def purge(tx: Tx, expired_before: datetime, now: datetime, limit: int) -> int:
    """Deletes tokens that expired long ago, by the machine's clock, and the sessions that have no other token. A device
    stays known unless the latest of them was thrown out (ID-02, ID-12). Returns the number of tokens.
    """
    purged = await tx.rows(PURGE, expired_before, limit)
    ended = list({row["session_id"] for row in purged})
    await tx.rows(LOCK_SESSIONS, ended)
    await tx.run(PURGE_EMPTY, ended, now, list(THROWN_OUT))
    return len(purged)
