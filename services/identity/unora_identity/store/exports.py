"""Exports of members' own data, and the claims under which their archives are made (ID-10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.due import MACHINE_CLOCK, Due, due_sql, find_due
from unora_common.rows import Columns, from_row

from unora_identity.domain.exports import Export

EXPORT = Columns(
    *("id", "user_id", "session_id", "state", "steps_done", "size"), *("requested_at", "ready_at", "kept_until")
)
_NEWEST = f"""
    SELECT {EXPORT.names()} FROM identity.exports
    WHERE user_id = $1 AND kept_until > clock_timestamp() ORDER BY requested_at DESC LIMIT 1"""
ADD = f"""
    INSERT INTO identity.exports (id, user_id, session_id, kept_until) VALUES ($1, $2, $3, clock_timestamp() + $4)
    RETURNING {EXPORT.names()}"""
# A claim is renewed with each step, so a process that has it and takes no step for five minutes is gone. Whose time is
# over is not made any more, however far it is: what deletes it may have passed already.
CLAIM = """
    WITH next AS (
        SELECT id FROM identity.exports
        WHERE state = 'making' AND (claimed_until IS NULL OR claimed_until <= (SELECT clock_timestamp()))
            AND kept_until > (SELECT clock_timestamp())
        ORDER BY requested_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    UPDATE identity.exports e
    SET claimed_until = clock_timestamp() + interval '5 minutes', tries = e.tries + 1, steps_done = 0
    FROM next WHERE e.id = next.id
    RETURNING e.id, e.user_id, e.tries, e.claimed_until"""
RENEW = """
    UPDATE identity.exports SET claimed_until = clock_timestamp() + interval '5 minutes', steps_done = $3
    WHERE id = $1 AND claimed_until = $2 AND state = 'making' AND kept_until > clock_timestamp()
    RETURNING claimed_until"""
# The clock is read once, so that an archive is kept for exactly as long as it says.
FINISH = """
    WITH c AS MATERIALIZED (SELECT clock_timestamp() AS now)
    UPDATE identity.exports
    SET state = 'ready', size = $3, ready_at = c.now, kept_until = c.now + $4, claimed_until = NULL
    FROM c WHERE id = $1 AND claimed_until = $2 AND state = 'making' AND kept_until > c.now"""
# An export in the making may outlive its time while the object store cannot be reached, as what deletes it waits too.
FAIL_OVER = """
    UPDATE identity.exports SET state = 'failed', claimed_until = NULL
    WHERE user_id = $1 AND state = 'making' AND kept_until <= clock_timestamp()"""
FAIL = """
    UPDATE identity.exports SET state = 'failed', claimed_until = NULL
    WHERE id = $1 AND claimed_until = $2 AND state = 'making'"""
RELEASE = """
    UPDATE identity.exports SET claimed_until = clock_timestamp() + $3, tries = tries - $4::int
    WHERE id = $1 AND claimed_until = $2 AND state = 'making'"""
IS_KEPT = "SELECT EXISTS (SELECT FROM identity.exports WHERE id = $1 AND kept_until > clock_timestamp())"
LIST_OVER = """
    SELECT id, user_id FROM identity.exports WHERE kept_until < $1 ORDER BY kept_until LIMIT $2"""
END_OF = """
    UPDATE identity.exports SET kept_until = clock_timestamp()
    WHERE user_id = ANY($1::uuid[]) AND kept_until > clock_timestamp()"""
PURGE = "DELETE FROM identity.exports WHERE id = ANY($1) AND kept_until < $2"
WAITING = due_sql(
    "identity.exports WHERE state = 'making' AND kept_until > (SELECT clock_timestamp())",
    "requested_at",
    now=MACHINE_CLOCK,
)
PHOTOS = """
    SELECT id, object_key FROM identity.photos WHERE user_id = $1 AND deleted_at IS NULL ORDER BY position"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to make an archive, until `claimed_until` unless it is renewed."""

    id: UUID
    user_id: UUID
    tries: int
    """How often it was claimed, this time included, without those that ended by a fault that passes by itself."""
    claimed_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoObject:
    """A photo in full size."""

    id: UUID
    object_key: str


async def end_of(tx: Tx, users: Sequence[UUID]) -> None:
    """ID-09: the exports of members who are to be erased are over; the job delete_archives removes them."""
    await tx.run(END_OF, list(users))


async def find_newest(session: Session) -> Export | None:
    """The caller's newest export whose archive is not deleted."""
    row = await session.row(_NEWEST, session.user)
    return from_row(Export, row) if row else None


async def add(tx: Tx, export: UUID, session: UUID, kept: timedelta) -> Export:
    """Stores a request of the caller, under the member's lock. One that was not made in its time has failed: at most
    one is in the making.
    """
    await tx.run(FAIL_OVER, tx.user)
    row = await tx.row(ADD, export, tx.user, session, kept)
    assert row is not None
    return from_row(Export, row)


async def claim(tx: Tx) -> Claim | None:
    """Takes the oldest archive that is to be made and that no other replica is at."""
    row = await tx.row(CLAIM)
    return from_row(Claim, row) if row else None


async def renew(tx: Tx, claim: Claim, steps_done: int) -> datetime | None:
    """Renews the claim, and stores how far the archive is. None if the claim is lost."""
    until: datetime | None = await tx.value(RENEW, claim.id, claim.claimed_until, steps_done)
    return until


async def finish(tx: Tx, claim: Claim, size: int, kept: timedelta) -> bool:
    """The archive is stored. False if the claim is lost."""
    return await tx.run(FINISH, claim.id, claim.claimed_until, size, kept) == 1


async def fail(tx: Tx, claim: Claim) -> None:
    """The archive cannot be made."""
    await tx.run(FAIL, claim.id, claim.claimed_until)


async def release(tx: Tx, claim: Claim, wait: timedelta, *, count: bool) -> None:
    """Gives the claim back; the next one is possible after `wait`. `count` says whether it counts as a try."""
    await tx.run(RELEASE, claim.id, claim.claimed_until, wait, 0 if count else 1)


async def is_kept(session: Session, export: UUID) -> bool:
    """Whether the export is there, and its time is not over."""
    found: bool = await session.value(IS_KEPT, export)
    return found


async def list_over(session: Session, now: datetime, limit: int) -> dict[UUID, UUID]:
    """Exports whose archives are to be deleted, with their members."""
    return {row["id"]: row["user_id"] for row in await session.rows(LIST_OVER, now, limit)}


async def purge(tx: Tx, exports: Sequence[UUID], now: datetime) -> int:
    """Deletes exports whose archives are deleted."""
    return await tx.run(PURGE, list(exports), now)


async def list_photos(session: Session, user: UUID) -> list[PhotoObject]:
    """The photos of a member, by position."""
    return [from_row(PhotoObject, row) for row in await session.rows(PHOTOS, user)]


async def count_waiting(session: Session) -> Due:
    """The exports that are asked for and not ready."""
    return await find_due(session, WAITING)
