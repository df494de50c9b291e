"""How far the job has come that makes the sizes of photos which were uploaded before there were sizes (PR-09).

It goes through the photos by their ids, which grew with time until photos had sizes from the start; since then they are
random. One replica holds the claim at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.rows import from_row

CLAIM = """
    INSERT INTO identity.photo_sizing AS s (claimed_until) VALUES (clock_timestamp() + interval '5 minutes')
    ON CONFLICT (id) DO UPDATE SET claimed_until = excluded.claimed_until, tries = s.tries + 1
    WHERE s.claimed_until <= clock_timestamp()
    RETURNING passed_photo_id, tries, claimed_until"""
NEXT = """
    SELECT id, user_id, object_key FROM identity.photos p
    WHERE id > $1 AND id < $2 AND thumbnail_key IS NULL AND deleted_at IS NULL
        AND EXISTS (SELECT FROM identity.users u WHERE u.id = p.user_id AND u.deleted_at IS NULL)
    ORDER BY id LIMIT 1"""
RELEASE = """
    UPDATE identity.photo_sizing
    SET passed_photo_id = greatest(passed_photo_id, $2), tries = 0, claimed_until = clock_timestamp()
    WHERE claimed_until = $1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to make the sizes of the next photo."""

    passed_photo_id: UUID
    """No photo up to this one lacks its sizes."""
    tries: int
    """How often the claim was taken since it was last released: more than once if a replica died or failed."""
    claimed_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsized:
    """A photo that has only its full size."""

    id: UUID
    user_id: UUID
    object_key: str


async def claim(tx: Tx) -> Claim | None:
    """Takes the claim for 5 minutes. None while another replica has it."""
    row = await tx.row(CLAIM)
    return from_row(Claim, row) if row else None


async def find_next(session: Session, passed: UUID, end: UUID) -> Unsized | None:
    """The first photo after `passed` and before `end` that lacks its sizes, but none of an account that is being erased
    (ID-09).
    """
    row = await session.row(NEXT, passed, end)
    return from_row(Unsized, row) if row else None


async def release(tx: Tx, claim: Claim, passed: UUID) -> None:
    """Gives the claim back, unless another replica has it by now. No photo up to `passed` lacks its sizes."""
    await tx.run(RELEASE, claim.claimed_until, passed)
