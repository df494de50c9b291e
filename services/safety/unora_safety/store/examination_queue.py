"""The queue of members for the detector, in Postgres (SA-04)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora_common.common_metrics import COUNT_LIMIT
from unora_common.database import Session, Tx
from unora_common.due import Due

from unora_safety.domain.examinations import QueuedMember

# A member whose examination is running is examined again, since the detector may not have seen this sighting.
ADD = """
    INSERT INTO safety.to_examine AS t (user_id, marks, taken_until)
    SELECT DISTINCT each, 1, '-infinity'::timestamptz FROM unnest($1::uuid[]) each ORDER BY each
    ON CONFLICT (user_id) DO UPDATE SET marks = t.marks + 1"""

# A lease, by the machine's clock: after a minute another replica may claim what a replica did not finish.
CLAIM = """
    UPDATE safety.to_examine SET taken_until = clock_timestamp() + interval '1 minute'
    WHERE user_id IN (
        SELECT user_id FROM safety.to_examine WHERE taken_until < (SELECT clock_timestamp())
        ORDER BY taken_until, user_id LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING user_id, marks"""

# In the order in which members are queued: else this and what queues two of them could wait for each other.
LOCK = "SELECT FROM safety.to_examine WHERE user_id = ANY($1) ORDER BY user_id FOR UPDATE"

REMOVE = """
    DELETE FROM safety.to_examine t USING unnest($1::uuid[], $2::bigint[]) AS seen (user_id, marks)
    WHERE t.user_id = seen.user_id AND t.marks = seen.marks"""

RELEASE = "UPDATE safety.to_examine SET taken_until = '-infinity' WHERE user_id = ANY($1)"

COUNT_WAITING = f"""
    SELECT count(*) FROM (
        SELECT FROM safety.to_examine WHERE taken_until < (SELECT clock_timestamp()) LIMIT {COUNT_LIMIT}) AS waiting"""


def add(tx: Tx, users: Sequence[UUID]) -> None:
    """Queues these members for an examination."""
    tx.defer(ADD, list(users))


async def claim(tx: Tx, limit: int) -> list[QueuedMember]:
    """Claims members to examine, at most `limit`, for a minute."""
    return [QueuedMember(row["user_id"], row["marks"]) for row in await tx.rows(CLAIM, limit)]


async def finish(tx: Tx, members: Sequence[QueuedMember]) -> None:
    """Removes members who were examined; those with a new sighting since the claim stay, and can be claimed again."""
    users = [each.user_id for each in members]
    await tx.run(LOCK, users)
    await tx.run(REMOVE, users, [each.marks for each in members])
    await tx.run(RELEASE, users)


async def count_waiting(db: Session) -> Due:
    """The members who wait for an examination; since when is not stored."""
    return Due(await db.value(COUNT_WAITING), None)
