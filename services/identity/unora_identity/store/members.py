"""Members: the lock that guards everything that identity stores of a member, and an account read as a whole.

The rows that belong to a member are read by a statement after the one that takes the lock: a statement that waits for a
lock still sees other rows as they were when it began.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from unora_common.copies import Copy
from unora_common.database import Row, Session, Tx
from unora_common.rows import Columns, from_row

from unora_identity.domain.accounts import Account, Inventory, LockedMember
from unora_identity.domain.hobbies import Hobby
from unora_identity.domain.onboarding import Member
from unora_identity.domain.profiles import Profile
from unora_identity.store.photos import PHOTO_COLUMNS, photo_of
from unora_identity.store.profiles import PROFILE_COLUMNS

_ACCOUNT = Columns("id", "version", "texts_version", "created_at")
_INVENTORY = Columns(
    "tier", "active_connection_count", "connection_limit", "last_global_refresh_at", "refresh_available_at"
)

LOCK = """
    WITH u AS MATERIALIZED (
        SELECT id, version, suspended_at IS NOT NULL AS suspended, paused_at, erase_after
        FROM identity.users WHERE id = ANY($1) AND deleted_at IS NULL ORDER BY id FOR UPDATE)
    SELECT u.*, clock.now() AS now FROM u"""
SAVE_VERSIONS = """
    UPDATE identity.users
    SET version = new.version, texts_version = coalesce(new.texts_version, users.texts_version)
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS new (id, version, texts_version) WHERE users.id = new.id"""
_READ = f"""
    SELECT {_ACCOUNT.names("u")}, clock.now() AS now, u.suspended_at IS NOT NULL AS suspended, u.paused_at,
           u.paused_at IS NOT NULL OR u.erase_after IS NOT NULL AS away,
           u.streak_completed_at IS NOT NULL AS streak_completed,
           {_INVENTORY.names("u")},
           {PROFILE_COLUMNS.names("p")}, p.birth_date_refused_at IS NOT NULL AS birth_date_refused,
           EXISTS (SELECT FROM identity.verification_signals
                   WHERE user_id = u.id AND signal_type = 'gov_id' AND outcome = 'verified' AND deleted_at IS NULL)
               AS gov_id_verified,
           ARRAY(SELECT role FROM identity.roles WHERE user_id = u.id ORDER BY role) AS roles,
           ARRAY(SELECT ROW({PHOTO_COLUMNS.names()}) FROM identity.photos
                 WHERE user_id = u.id AND deleted_at IS NULL ORDER BY position) AS photos,
           ARRAY(SELECT ROW(h.hobby_option_id, h.micro_description, h.hidden, o.name) FROM identity.hobbies h
                 JOIN identity.hobby_options o ON o.id = h.hobby_option_id
                 WHERE h.user_id = u.id AND h.deleted_at IS NULL ORDER BY h.position) AS hobbies
    FROM identity.users u JOIN identity.profiles p ON p.user_id = u.id"""
# For one member a statement of its own: of a list Postgres expects ten, so it would plan anew for each list of one.
READ = f"{_READ} WHERE u.id = $1 AND u.deleted_at IS NULL"
READ_ALL = f"{_READ} WHERE u.id = ANY($1) AND u.deleted_at IS NULL ORDER BY u.id"
# Both tables begin after $1: a merge join would else read the profiles from the first one on for each page.
READ_PAGE = f"{_READ} WHERE u.id > $1 AND p.user_id > $1 AND u.deleted_at IS NULL ORDER BY u.id LIMIT $2"
TIME_ZONES = """
    SELECT p.user_id, p.time_zone FROM identity.profiles p JOIN identity.users u ON u.id = p.user_id
    WHERE p.user_id = ANY($1) AND p.time_zone <> '' AND u.deleted_at IS NULL"""
COMPLETIONS = Copy(
    "identity.users",
    ["id"],
    [],
    where="t.streak_completed_at IS NOT NULL",
    vanish="streak_completed_at = NULL",
)
MARK_STREAK_COMPLETED = """
    UPDATE identity.users SET streak_completed_at = $2 WHERE id = ANY($1) AND streak_completed_at IS NULL"""


async def lock(tx: Tx, user: UUID) -> LockedMember | None:
    """Locks a member and reads the clock."""
    return (await lock_all(tx, [user])).get(user)


async def lock_all(tx: Tx, users: Sequence[UUID]) -> dict[UUID, LockedMember]:
    """Locks those of the members that exist, by ascending id, and reads the clock."""
    return {row["id"]: from_row(LockedMember, row) for row in await tx.lock(LOCK, list(users))}


async def save_versions(tx: Tx, versions: Mapping[UUID, int], texts: Mapping[UUID, int]) -> None:
    """Stores the versions of the members' latest events, and of those of them that told of texts judged anew."""
    await tx.run(SAVE_VERSIONS, list(versions), list(versions.values()), [texts.get(user) for user in versions])


async def find(session: Session, user: UUID) -> Account | None:
    """A member's account."""
    row = await session.row(READ, user)
    return _account(row) if row else None


async def list_by_id(session: Session, users: Sequence[UUID]) -> dict[UUID, Account]:
    """The accounts of those of the members that exist."""
    return {row["id"]: _account(row) for row in await session.rows(READ_ALL, list(users))}


async def list_after(session: Session, user: UUID, limit: int) -> list[Account]:
    """A page of all accounts, by id, from the one after this member's on."""
    return [_account(row) for row in await session.rows(READ_PAGE, user, limit)]


async def list_time_zones(session: Session, users: Sequence[UUID]) -> dict[UUID, str]:
    """IANA names by member, without the members whose profile has no time zone."""
    return {row["user_id"]: row["time_zone"] for row in await session.rows(TIME_ZONES, list(users))}


async def mark_streak_completed(tx: Tx, users: Sequence[UUID]) -> None:
    """ID-04: stores that these members have completed a streak."""
    await tx.run(MARK_STREAK_COMPLETED, list(users), tx.now)


def _account(row: Row) -> Account:
    return Account(
        id=row["id"],
        version=row["version"],
        texts_version=row["texts_version"],
        created_at=row["created_at"],
        now=row["now"],
        roles=tuple(row["roles"]),
        suspended=row["suspended"],
        paused_at=row["paused_at"],
        member=Member(
            profile=from_row(Profile, row),
            photos=tuple(photo_of(photo) for photo in row["photos"]),
            hobbies=tuple(Hobby(option, words, hidden) for option, words, hidden, _ in row["hobbies"]),
            streak_completed=row["streak_completed"],
            gov_id_verified=row["gov_id_verified"],
            birth_date_refused=row["birth_date_refused"],
            away=row["away"],
        ),
        hobby_names={option: name for option, _, _, name in row["hobbies"]},
        inventory=from_row(Inventory, row),
    )
