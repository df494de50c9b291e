"""Members: the lock that guards all that identity keeps of one, and the whole of one, read at once.

What hangs on a member is read by a statement after the one that takes the lock: a statement that waits for a lock still
sees the rows beside it as they were when it began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from unora_common.database import Row, Session, Tx
from unora_common.messages import to_timestamp

from unora_identity.domain.hobbies import Hobby
from unora_identity.domain.onboarding import Member
from unora_identity.domain.photos import Photo
from unora_identity.domain.profiles import Gender, Profile

LOCK = """
    WITH u AS MATERIALIZED (
        SELECT id, version, suspended_at IS NOT NULL AS suspended
        FROM identity.users WHERE id = ANY($1) AND deleted_at IS NULL ORDER BY id FOR UPDATE)
    SELECT u.*, clock.now() AS now FROM u"""
SAVE_VERSIONS = """
    UPDATE identity.users SET version = new.version
    FROM unnest($1::uuid[], $2::bigint[]) AS new (id, version) WHERE users.id = new.id"""
READ = """
    SELECT u.id, u.version, u.created_at, u.streak_completed_at IS NOT NULL AS streak_completed, clock.now() AS now,
           u.suspended_at IS NOT NULL AS suspended, u.tier, u.active_connection_count, u.connection_limit,
           u.last_global_refresh_at, u.refresh_available_at,
           p.name, p.date_of_birth, p.gender, p.city, p.bio, p.occupation, p.time_zone,
           EXISTS (SELECT FROM identity.verification_signals
                   WHERE user_id = u.id AND signal_type = 'gov_id' AND outcome = 'verified' AND deleted_at IS NULL)
               AS gov_id_verified,
           ARRAY(SELECT role FROM identity.roles WHERE user_id = u.id ORDER BY role) AS roles,
           ARRAY(SELECT ROW(id, has_face, quality_passed, width, height, object_key) FROM identity.photos
                 WHERE user_id = u.id AND deleted_at IS NULL ORDER BY position) AS photos,
           ARRAY(SELECT ROW(h.hobby_option_id, h.micro_description, o.name) FROM identity.hobbies h
                 JOIN identity.hobby_options o ON o.id = h.hobby_option_id
                 WHERE h.user_id = u.id AND h.deleted_at IS NULL ORDER BY h.position) AS hobbies
    FROM identity.users u JOIN identity.profiles p ON p.user_id = u.id
    WHERE u.id = ANY($1) AND u.deleted_at IS NULL ORDER BY u.id"""
TIME_ZONES = """
    SELECT p.user_id, p.time_zone FROM identity.profiles p JOIN identity.users u ON u.id = p.user_id
    WHERE p.user_id = ANY($1) AND p.time_zone <> '' AND u.deleted_at IS NULL"""
COMPLETED_A_STREAK = """
    UPDATE identity.users SET streak_completed_at = $2 WHERE id = ANY($1) AND streak_completed_at IS NULL"""


@dataclass(slots=True)
class Locked:
    """A member whose row this transaction holds; `version` counts on with each event."""

    id: UUID
    version: int
    suspended: bool = False

    def tell(self, tx: Tx, event: Callable[..., Message], **fields: object) -> None:
        """Tells an event of this member, now."""
        self.version += 1
        tx.emit(event(user_id=str(self.id), version=self.version, occurred_at=to_timestamp(tx.now), **fields))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What a member has across all servers, as matching and discovery last told it. They decide, nothing here does."""

    tier: str
    active_connection_count: int
    connection_limit: int | None
    """None until matching has told of a first slot taken."""
    last_global_refresh_at: datetime | None
    refresh_available_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A member as identity keeps them at one moment of the rule clock."""

    id: UUID
    version: int
    created_at: datetime
    now: datetime
    roles: tuple[str, ...]
    suspended: bool
    member: Member
    hobby_names: dict[str, str]
    inventory: Inventory


async def lock(tx: Tx, *users: UUID) -> dict[UUID, Locked]:
    """Locks the members that there are, in the order of their ids, and reads the clock."""
    rows = await tx.lock(LOCK, list(users))
    return {row["id"]: Locked(row["id"], row["version"], row["suspended"]) for row in rows}


async def save_versions(tx: Tx, members: Iterable[Locked]) -> None:
    """Keeps how far the members' events have counted."""
    changed = list(members)
    await tx.run(SAVE_VERSIONS, [member.id for member in changed], [member.version for member in changed])


async def read(session: Session, *users: UUID) -> dict[UUID, Kept]:
    """The members that there are."""
    return {row["id"]: _kept(row) for row in await session.rows(READ, list(users))}


async def time_zones(session: Session, users: Sequence[UUID]) -> dict[UUID, str]:
    """IANA names by member; who has told none is left out."""
    return {row["user_id"]: row["time_zone"] for row in await session.rows(TIME_ZONES, list(users))}


async def completed_a_streak(tx: Tx, users: Sequence[UUID]) -> None:
    """ID-04: from now on these have completed a streak."""
    await tx.run(COMPLETED_A_STREAK, list(users), tx.now)


def _kept(row: Row) -> Kept:
    return Kept(
        id=row["id"],
        version=row["version"],
        created_at=row["created_at"],
        now=row["now"],
        roles=tuple(row["roles"]),
        suspended=row["suspended"],
        member=Member(
            profile=_profile(row),
            photos=tuple(_photo(*photo) for photo in row["photos"]),
            hobbies=tuple(Hobby(option, words) for option, words, _ in row["hobbies"]),
            streak_completed=row["streak_completed"],
            gov_id_verified=row["gov_id_verified"],
        ),
        hobby_names={option: name for option, _, name in row["hobbies"]},
        inventory=Inventory(
            tier=row["tier"],
            active_connection_count=row["active_connection_count"],
            connection_limit=row["connection_limit"],
            last_global_refresh_at=row["last_global_refresh_at"],
            refresh_available_at=row["refresh_available_at"],
        ),
    )


def _profile(row: Any) -> Profile:
    born: date | None = row["date_of_birth"]
    return Profile(
        name=row["name"],
        date_of_birth=born,
        gender=Gender(row["gender"]) if row["gender"] else None,
        city=row["city"],
        time_zone=row["time_zone"],
        bio=row["bio"],
        occupation=row["occupation"],
    )


def _photo(key: UUID, face: bool, quality_passed: bool, width: int, height: int, object_key: str) -> Photo:
    return Photo(id=key, face=face, quality_passed=quality_passed, width=width, height=height, object_key=object_key)
