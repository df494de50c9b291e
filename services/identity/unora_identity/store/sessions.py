"""Sessions and their families of refresh tokens (ID-03). A family changes only under the lock of its member's row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from unora_common.database import Row, Tx
from unora_common.database import Session as Reads
from unora_common.pages import Place

from unora_identity.domain.sessions import RefreshToken, Revocation, Session

OPEN = "INSERT INTO identity.sessions (id, user_id, started_at, device_digest) VALUES ($1, $2, $3, $4)"
OWNER_BY_HASH = """
    SELECT s.user_id FROM identity.refresh_tokens t JOIN identity.sessions s ON s.id = t.session_id WHERE t.hash = $1"""
OWNER_BY_ID = "SELECT user_id FROM identity.sessions WHERE id = $1"
BY_HASH = """
    SELECT s.id, s.user_id, s.started_at, s.revoked_at, s.revocation
    FROM identity.refresh_tokens t JOIN identity.sessions s ON s.id = t.session_id WHERE t.hash = $1"""
BY_ID = "SELECT id, user_id, started_at, revoked_at, revocation FROM identity.sessions WHERE id = $1"
# A token and the one that it gave.
TOKENS = """
    SELECT hash, session_id, issued_at, expires_at, used_at, used_by, successor FROM identity.refresh_tokens
    WHERE hash = $1 OR hash = (SELECT successor FROM identity.refresh_tokens WHERE hash = $1)"""
FAMILY = """
    SELECT hash, session_id, issued_at, expires_at, used_at, used_by, successor
    FROM identity.refresh_tokens WHERE session_id = $1"""
SPEND = """
    UPDATE identity.refresh_tokens t SET used_at = u.used_at, used_by = u.used_by, successor = u.successor
    FROM unnest($1::bytea[], $2::timestamptz[], $3::uuid[], $4::bytea[]) AS u (hash, used_at, used_by, successor)
    WHERE t.hash = u.hash"""
ADD = "INSERT INTO identity.refresh_tokens (hash, session_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)"
# With the session comes the word of it that every process follows (SA-06).
REVOKE = """
    WITH s AS (
        UPDATE identity.sessions SET revoked_at = $3, revocation = $4
        WHERE user_id = $1 AND (id = $2 OR $2 IS NULL) AND revoked_at IS NULL RETURNING id)
    INSERT INTO identity.revocations (session_id) SELECT id FROM s RETURNING session_id"""
OWN = "SELECT FROM identity.sessions WHERE id = $1 AND user_id = $2"
# A session goes on as long as its one unused token lives.
LIVING = """
    SELECT s.id, s.started_at, t.issued_at AS refreshed_at
    FROM identity.sessions s JOIN identity.refresh_tokens t ON t.session_id = s.id AND t.used_at IS NULL
    WHERE s.user_id = $1 AND s.revoked_at IS NULL AND t.expires_at > $2
        AND ($3::timestamptz IS NULL OR (s.started_at, s.id) < ($3, $4))
    ORDER BY s.started_at DESC, s.id DESC LIMIT $5"""
PURGE = """
    DELETE FROM identity.refresh_tokens WHERE hash IN (
        SELECT hash FROM identity.refresh_tokens WHERE expires_at < $1
        ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING session_id"""
# When two replicas delete the last tokens of one session, the second to hold the session sees that none is left.
HOLD = "SELECT FROM identity.sessions WHERE id = ANY($1) ORDER BY id FOR UPDATE"
PURGE_EMPTY = """
    DELETE FROM identity.sessions s
    WHERE s.id = ANY($1) AND NOT EXISTS (SELECT FROM identity.refresh_tokens t WHERE t.session_id = s.id)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """A session that goes on."""

    id: UUID
    started_at: datetime
    refreshed_at: datetime


async def open_session(tx: Tx, session: Session, token: RefreshToken, device: bytes | None) -> None:
    """A new session with its first token, and the digest of its device if the app told one (SA-04)."""
    await tx.run(OPEN, session.id, session.user_id, session.started_at, device)
    await add(tx, token)


async def owner_by_hash(tx: Tx, token: bytes) -> UUID | None:
    """Whose token it is; this never changes, so it can be read before the lock."""
    user: UUID | None = await tx.value(OWNER_BY_HASH, token)
    return user


async def owner_by_id(tx: Tx, session: UUID) -> UUID:
    """Whose session it is; this never changes, so it can be read before the lock."""
    user: UUID = await tx.value(OWNER_BY_ID, session)
    return user


async def by_hash(tx: Tx, token: bytes) -> tuple[Session, RefreshToken, RefreshToken | None]:
    """The session of a token, the token, and its successor if it has one; read them under the lock."""
    session = await tx.row(BY_HASH, token)
    tokens = {row["hash"]: _token(row) for row in await tx.rows(TOKENS, token)}
    presented = tokens[token]
    return _session(session), presented, tokens.get(presented.successor or b"")


async def family(tx: Tx, session: UUID) -> tuple[Session, list[RefreshToken]]:
    """A session and all its tokens; read them under the lock."""
    return _session(await tx.row(BY_ID, session)), [_token(row) for row in await tx.rows(FAMILY, session)]


async def spend(tx: Tx, tokens: Sequence[RefreshToken]) -> None:
    """Saves tokens that are used or voided."""
    await tx.run(
        SPEND,
        [token.hash for token in tokens],
        [token.used_at for token in tokens],
        [token.used_by for token in tokens],
        [token.successor for token in tokens],
    )


async def add(tx: Tx, token: RefreshToken) -> None:
    """Saves a fresh token."""
    await tx.run(ADD, token.hash, token.session_id, token.issued_at, token.expires_at)


async def revoke(tx: Tx, user: UUID, session: UUID | None, at: datetime, cause: Revocation) -> list[UUID]:
    """Revokes a session of a member, or all of them, under the member's lock; returns those that had not been."""
    return [row["session_id"] for row in await tx.rows(REVOKE, user, session, at, cause)]


async def is_own(tx: Tx, session: UUID) -> bool:
    """Whether it is a session of the caller's."""
    return await tx.row(OWN, session, tx.user) is not None


async def living(db: Reads, now: datetime, after: Place | None, limit: int) -> list[Living]:
    """The caller's sessions that go on, newest first."""
    place = (after.at, after.id) if after else (None, None)
    return [Living(**row) for row in await db.rows(LIVING, db.user, now, *place, limit)]


async def purge(tx: Tx, expired_before: datetime, limit: int) -> int:
    """Deletes tokens that are long dead, by the machine's clock, and sessions that have no other; returns how many
    tokens.
    """
    purged = await tx.rows(PURGE, expired_before, limit)
    ended = list({row["session_id"] for row in purged})
    await tx.rows(HOLD, ended)
    await tx.run(PURGE_EMPTY, ended)
    return len(purged)


def _session(row: Row | None) -> Session:
    assert row is not None
    revocation = Revocation(row["revocation"]) if row["revocation"] else None
    return Session(
        id=row["id"],
        user_id=row["user_id"],
        started_at=row["started_at"],
        revoked_at=row["revoked_at"],
        revocation=revocation,
    )


def _token(row: Row) -> RefreshToken:
    return RefreshToken(**row)
