"""What patterns are counted from, and who is to be looked at (SA-04, SA-09)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from unora_common.database import Session, Tx

from unora_safety.domain import Baseline, Pattern, Sighting

SEE = """
    INSERT INTO safety.sightings AS s (pattern, user_id, key, occurred_at)
    SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[])
    ON CONFLICT (pattern, user_id, key) DO UPDATE SET occurred_at = greatest(s.occurred_at, excluded.occurred_at)"""

# One who is being looked at just now is looked at again, since the detector may not have seen this.
MARK = """
    INSERT INTO safety.to_examine AS t (user_id, marks, taken_until)
    SELECT DISTINCT each, 1, '-infinity'::timestamptz FROM unnest($1::uuid[]) each ORDER BY each
    ON CONFLICT (user_id) DO UPDATE SET marks = t.marks + 1"""

ACT = """
    INSERT INTO safety.activity AS a (user_id, kind, day, count) VALUES ($1, $2, $3, 1)
    ON CONFLICT (user_id, kind, day) DO UPDATE SET count = a.count + 1"""

LOCK_DEVICE = "SELECT pg_advisory_xact_lock(hashtextextended('safety device ' || encode($1::bytea, 'hex'), 0))"

ON_DEVICE = """
    INSERT INTO safety.device_accounts AS d (device_digest, user_id, seen_at) VALUES ($1, $2, $3)
    ON CONFLICT (device_digest, user_id) DO UPDATE SET seen_at = greatest(d.seen_at, excluded.seen_at)"""

OTHERS = """
    SELECT user_id, seen_at FROM safety.device_accounts WHERE device_digest = $1 AND user_id <> $2
    ORDER BY seen_at DESC, user_id LIMIT $3"""

# A lease, by the machine's clock: what a replica took and did not finish is another's after a minute.
TAKE = """
    UPDATE safety.to_examine SET taken_until = clock_timestamp() + interval '1 minute'
    WHERE user_id IN (
        SELECT user_id FROM safety.to_examine WHERE taken_until < (SELECT clock_timestamp())
        ORDER BY taken_until, user_id LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING user_id, marks"""

DONE = """
    DELETE FROM safety.to_examine t USING unnest($1::uuid[], $2::bigint[]) AS seen (user_id, marks)
    WHERE t.user_id = seen.user_id AND t.marks = seen.marks"""

AGAIN = "UPDATE safety.to_examine SET taken_until = '-infinity' WHERE user_id = ANY($1)"

SEEN = "SELECT user_id, pattern, key, occurred_at FROM safety.sightings WHERE user_id = ANY($1)"

DONE_LATELY = """
    SELECT user_id, kind, sum(count)::bigint AS count FROM safety.activity
    WHERE user_id = ANY($1) AND day > $2 GROUP BY user_id, kind"""

BASELINES = "SELECT kind, members, median, deviation FROM safety.baselines"

# The deviation is the median of distances from the median, scaled to what it would be of a normal distribution.
MEASURE = """
    WITH totals AS (
        SELECT kind, ln(1 + sum(count)) AS amount FROM safety.activity
        WHERE day > ($1::timestamptz AT TIME ZONE 'UTC')::date GROUP BY kind, user_id),
    middle AS (
        SELECT kind, count(*) AS members, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS median
        FROM totals GROUP BY kind)
    INSERT INTO safety.baselines (kind, members, median, deviation, measured_at)
    SELECT kind, m.members, m.median,
           1.4826 * percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(t.amount - m.median)), $2
    FROM totals t JOIN middle m USING (kind) GROUP BY kind, m.members, m.median ORDER BY kind
    ON CONFLICT (kind) DO UPDATE SET members = excluded.members, median = excluded.median,
        deviation = excluded.deviation, measured_at = excluded.measured_at"""

MEASURED = "SELECT max(measured_at) FROM safety.baselines"

FORGET = (
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


class Mark(NamedTuple):
    """A member who is to be looked at, and how often something new was seen of them."""

    user_id: UUID
    marks: int


def see(tx: Tx, pattern: Pattern, seen: Sequence[tuple[UUID, Sighting]]) -> None:
    """Notes what was seen of members, each thing once, and that the detector is to look at them."""
    users = [user for user, _ in seen]
    tx.defer(SEE, pattern, users, [each.key for _, each in seen], [each.at for _, each in seen])
    mark(tx, users)


def mark(tx: Tx, users: Sequence[UUID]) -> None:
    """Notes that the detector is to look at these members."""
    tx.defer(MARK, list(users))


def act(tx: Tx, user_id: UUID, kind: str, day: date) -> None:
    """Counts something that a member did, on its day (UTC)."""
    tx.defer(ACT, user_id, kind, day)


async def on_device(tx: Tx, digest: bytes, user_id: UUID, at: datetime, most: int) -> list[Sighting]:
    """Notes an account on a device; returns the others there, the latest first, at most so many.

    One at a time for a device: two who come at once would not see each other.
    """
    await tx.run(LOCK_DEVICE, digest)
    await tx.run(ON_DEVICE, digest, user_id, at)
    return [Sighting(row["seen_at"], row["user_id"]) for row in await tx.rows(OTHERS, digest, user_id, most)]


async def take(tx: Tx, most: int) -> list[Mark]:
    """Takes members to look at, for a minute."""
    return [Mark(row["user_id"], row["marks"]) for row in await tx.rows(TAKE, most)]


async def done(tx: Tx, marks: Sequence[Mark]) -> None:
    """They were looked at. Of whom something new was seen meanwhile is looked at again."""
    users = [each.user_id for each in marks]
    await tx.run(DONE, users, [each.marks for each in marks])
    await tx.run(AGAIN, users)


async def seen(db: Session, users: Sequence[UUID]) -> dict[UUID, dict[Pattern, list[Sighting]]]:
    """What was seen of these members."""
    found: dict[UUID, dict[Pattern, list[Sighting]]] = {user: {} for user in users}
    for row in await db.rows(SEEN, list(users)):
        patterns = found[row["user_id"]]
        patterns.setdefault(Pattern(row["pattern"]), []).append(Sighting(row["occurred_at"], row["key"]))
    return found


async def activity(db: Session, users: Sequence[UUID], since: date) -> dict[UUID, dict[str, int]]:
    """What these members did after this day, by kind."""
    found: dict[UUID, dict[str, int]] = {user: {} for user in users}
    for row in await db.rows(DONE_LATELY, list(users), since):
        found[row["user_id"]][row["kind"]] = row["count"]
    return found


async def baselines(db: Session) -> dict[str, Baseline]:
    """What is usual, by kind of activity."""
    return {row["kind"]: Baseline(row["members"], row["median"], row["deviation"]) for row in await db.rows(BASELINES)}


async def measure(tx: Tx, window: timedelta, every: timedelta) -> int:
    """Measures what is usual, if it was not for so long; returns of how many kinds."""
    now = await tx.read_clock()
    before: datetime | None = await tx.value(MEASURED)
    if before is not None and now - before < every:
        return 0
    return await tx.run(MEASURE, now - window, now)


async def forget(tx: Tx, late_hours: int, most: int) -> int:
    """Forgets what no window reaches any more, a batch of each; returns how much."""
    return sum([await tx.run(sql, late_hours, most) for sql in FORGET])
