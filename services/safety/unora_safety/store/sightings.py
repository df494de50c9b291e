"""What patterns are counted from, in Postgres: sightings, accounts of devices, activity (SA-04, SA-09)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from unora_common.database import Session, Tx

from unora_safety.domain.patterns import HAPPEN_ONCE, Pattern, Sighting

ADD = """
    INSERT INTO safety.sightings AS s (pattern, user_id, key, occurred_at)
    SELECT $1, user_id, key, CASE WHEN $5 THEN min(occurred_at) ELSE max(occurred_at) END
    FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[]) AS given (user_id, key, occurred_at)
    GROUP BY user_id, key ORDER BY user_id, key
    ON CONFLICT (pattern, user_id, key) DO UPDATE SET occurred_at = CASE WHEN $5
        THEN least(s.occurred_at, excluded.occurred_at) ELSE greatest(s.occurred_at, excluded.occurred_at) END"""

COUNT = """
    INSERT INTO safety.activity AS a (user_id, kind, day, count)
    SELECT user_id, $2, day, count(*) FROM unnest($1::uuid[], $3::date[]) AS given (user_id, day)
    GROUP BY user_id, day ORDER BY user_id, day
    ON CONFLICT (user_id, kind, day) DO UPDATE SET count = a.count + excluded.count"""

LOCK_DEVICE = "SELECT pg_advisory_xact_lock(hashtextextended('safety device ' || encode($1::bytea, 'hex'), 0))"

ADD_ACCOUNT = """
    INSERT INTO safety.device_accounts AS d (device_digest, user_id, seen_at) VALUES ($1, $2, $3)
    ON CONFLICT (device_digest, user_id) DO UPDATE SET seen_at = greatest(d.seen_at, excluded.seen_at)"""

OTHER_ACCOUNTS = """
    SELECT user_id, seen_at FROM safety.device_accounts WHERE device_digest = $1 AND user_id <> $2
    ORDER BY seen_at DESC, user_id LIMIT $3"""

BY_MEMBERS = "SELECT user_id, pattern, key, occurred_at FROM safety.sightings WHERE user_id = ANY($1)"

ACTIVITY = """
    SELECT user_id, kind, sum(count)::bigint AS count FROM safety.activity
    WHERE user_id = ANY($1) AND day > $2 GROUP BY user_id, kind"""

DELETE_EXPIRED = (
    """DELETE FROM safety.sightings WHERE (pattern, user_id, key) IN (
        SELECT s.pattern, s.user_id, s.key FROM safety.flag_rules r CROSS JOIN LATERAL (
            SELECT * FROM safety.sightings s WHERE s.pattern = r.pattern
                AND s.occurred_at < (SELECT clock.now()) - make_interval(hours => r.window_hours + $1)
            ORDER BY s.occurred_at LIMIT $2 FOR UPDATE SKIP LOCKED) s)""",
    """DELETE FROM safety.device_accounts WHERE (device_digest, user_id) IN (
        SELECT d.device_digest, d.user_id FROM safety.device_accounts d
        WHERE d.seen_at < (SELECT clock.now() - make_interval(hours => window_hours + $1)
                           FROM safety.flag_rules WHERE pattern = 'shared_device')
        ORDER BY d.seen_at LIMIT $2 FOR UPDATE SKIP LOCKED)""",
    """DELETE FROM safety.activity WHERE (user_id, kind, day) IN (
        SELECT a.user_id, a.kind, a.day FROM safety.activity a
        WHERE a.day < (SELECT (clock.now() AT TIME ZONE 'UTC')::date - (window_hours + $1) / 24
                       FROM safety.flag_rules WHERE pattern = 'outlier')
        ORDER BY a.day LIMIT $2 FOR UPDATE SKIP LOCKED)""",
)


def add(tx: Tx, pattern: Pattern, seen: Sequence[tuple[UUID, Sighting]]) -> None:
    """Stores sightings of members, each distinct one once."""
    users, keys = [user for user, _ in seen], [each.key for _, each in seen]
    tx.defer(ADD, pattern, users, keys, [each.seen_at for _, each in seen], pattern in HAPPEN_ONCE)


def count_activity(tx: Tx, kind: str, done: Sequence[tuple[UUID, date]]) -> None:
    """Adds to the counts of what members did, on their days (UTC)."""
    tx.defer(COUNT, [user for user, _ in done], kind, [day for _, day in done])


async def add_device_account(tx: Tx, digest: bytes, user_id: UUID, seen_at: datetime, limit: int) -> list[Sighting]:
    """Stores an account of a device; returns its other accounts, the latest first, at most `limit`.

    Locks the device: of two accounts at the same time, neither would see the other.
    """
    await tx.run(LOCK_DEVICE, digest)
    await tx.run(ADD_ACCOUNT, digest, user_id, seen_at)
    return [Sighting(row["seen_at"], row["user_id"]) for row in await tx.rows(OTHER_ACCOUNTS, digest, user_id, limit)]


async def list_by_members(db: Session, users: Sequence[UUID]) -> dict[UUID, dict[Pattern, list[Sighting]]]:
    """The sightings of these members, by pattern."""
    found: dict[UUID, dict[Pattern, list[Sighting]]] = {user: {} for user in users}
    for row in await db.rows(BY_MEMBERS, list(users)):
        patterns = found[row["user_id"]]
        patterns.setdefault(Pattern(row["pattern"]), []).append(Sighting(row["occurred_at"], row["key"]))
    return found


async def sum_activity(db: Session, users: Sequence[UUID], after: date) -> dict[UUID, dict[str, int]]:
    """How much these members did after this day (UTC), by kind."""
    found: dict[UUID, dict[str, int]] = {user: {} for user in users}
    for row in await db.rows(ACTIVITY, list(users), after):
        found[row["user_id"]][row["kind"]] = row["count"]
    return found


async def delete_expired(tx: Tx, late_hours: int, limit: int) -> int:
    """Deletes what is older than its rule's window and `late_hours`, at most `limit` rows of each table; returns how
    many rows.
    """
    return sum([await tx.run(sql, late_hours, limit) for sql in DELETE_EXPIRED])
