"""What the planes are loaded from, and how a process finds what changed since it last looked (DI-17).

A cursor is a snapshot of Postgres, as text: all that is not visible in it has changed since. Each row of the pool names
the transaction that changed it last, so a transaction that commits late is found too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from unora_common.database import Session, Tx

from unora_discovery.domain.bits import Slots
from unora_discovery.domain.planes import AGE_BAND, GENDER, REDUCED, SAME_CITY, SERVER, SHOWN, Facts
from unora_discovery.domain.pool import AgeBand, Gender

START: Final = "1:1:"
"""The cursor of a process that has read nothing yet."""

# What a snapshot does not see: the transactions that began after it, and those that were open then. So a transaction
# that stays open for long, such as a backup, does not make a process read later changes twice. The order, and a range
# instead of an equality, keep Postgres at the index. The limit is one more than the caller takes.
CHANGES: Final = """
    SELECT pg_current_snapshot()::text AS snapshot, coalesce(string_agg(int4send(slot), ''), '') AS changed
    FROM (
        (SELECT slot FROM discovery.pool
            WHERE changed >= pg_snapshot_xmax({cursor}::text::pg_snapshot)::text::bigint
            ORDER BY changed LIMIT {limit})
        UNION ALL
        SELECT of_one.slot FROM pg_snapshot_xip({cursor}::text::pg_snapshot) AS open CROSS JOIN LATERAL (
            SELECT slot FROM discovery.pool
            WHERE changed >= open::text::bigint AND changed <= open::text::bigint
            ORDER BY changed LIMIT {limit}) AS of_one
        LIMIT {limit}) AS since"""
LIST_CHANGED: Final = CHANGES.format(cursor="$1", limit="$2")


def _joined(server: str, bit: int) -> str:
    return f"WHEN '{server}' THEN {1 << bit}"


def _rejected(server: str, first: int) -> str:
    """The bits of those whom the filters of a member in this server do not name; an empty list names everyone."""
    genders = " + ".join(
        f"CASE WHEN '{each}' = ANY (genders) THEN 0 ELSE {1 << n + 1} END" for n, each in _each(Gender)
    )
    bands = " + ".join(
        f"CASE WHEN '{each}' = ANY (age_bands) THEN 0 ELSE {1 << n + 4} END" for n, each in _each(AgeBand)
    )
    return f"""
        WHEN '{server}' THEN (CASE WHEN genders = '{{}}' THEN 0 ELSE {genders} END
            + CASE WHEN age_bands = '{{}}' THEN 0 ELSE {bands} END
            + CASE WHEN same_city_only THEN {1 << SAME_CITY} ELSE 0 END)::bigint << {first}"""


def _each(kind: type[Gender] | type[AgeBand]) -> list[tuple[int, str]]:
    return [(number, each.value) for number, each in enumerate(kind)]


# One statement for a start and for a change: each fact comes as the slots that have it, so a process need not look at
# rows. A member who is in no table any more has no facts.
FACTS: Final = f"""
    WITH members AS MATERIALIZED (
        SELECT p.slot, nullif(c.place_id, '') AS place_id, c.hobby_option_ids,
            CASE WHEN c.discovery_ready AND c.active_connection_count < c.connection_limit
                AND NOT c.restricted AND NOT c.suspended THEN {1 << SHOWN} ELSE 0 END
            | CASE WHEN c.reduced_visibility THEN {1 << REDUCED} ELSE 0 END
            | CASE c.gender {" ".join(f"WHEN '{each}' THEN {1 << bit}" for each, bit in GENDER.items())} ELSE 0 END
            | CASE c.age_band {" ".join(f"WHEN '{each}' THEN {1 << bit}" for each, bit in AGE_BAND.items())} ELSE 0 END
            | coalesce((SELECT bit_or(CASE m.server_type
                    {" ".join(_joined(server, bit) for server, bit in SERVER.items())} END)
                FROM discovery.server_memberships m WHERE m.user_id = p.user_id AND m.left_at IS NULL), 0)
            | coalesce((SELECT bit_or(CASE f.server_type
                    {" ".join(_rejected(server, bit) for server, bit in SERVER.items())} END)
                FROM discovery.filters f WHERE f.user_id = p.user_id AND f.deleted_at IS NULL), 0) AS facts
        FROM discovery.pool p LEFT JOIN discovery.candidates c ON c.user_id = p.user_id
        WHERE p.slot = ANY ($1::int[]))
    SELECT 'facts' AS kind, '' AS name, string_agg(int4send(slot), '') AS slots,
        string_agg(int8send(facts), '') AS facts
    FROM (SELECT slot, facts FROM members ORDER BY slot) AS ordered
    UNION ALL
    SELECT 'place', place_id, string_agg(int4send(slot), ''), NULL
    FROM members WHERE place_id IS NOT NULL GROUP BY place_id
    UNION ALL
    SELECT 'hobby', hobby, string_agg(int4send(slot), ''), NULL
    FROM members CROSS JOIN unnest(hobby_option_ids) AS hobby GROUP BY hobby"""

# After a restore into another cluster, rows name transactions that have not happened there yet.
RESTAMP: Final = """
    UPDATE discovery.pool SET changed = pg_current_xact_id()::text::bigint
    WHERE user_id = ANY (ARRAY(SELECT user_id FROM discovery.pool
        WHERE changed >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint
            AND changed <> pg_current_xact_id()::text::bigint
        LIMIT $1 FOR UPDATE SKIP LOCKED))"""


# Another server, or another database on it, may have other rows under the same numbers of transactions: after a
# failover to a replica that had not got the last of them, or after a restore.
HISTORY: Final = """
    SELECT pg_postmaster_start_time()::text || ' ' || oid FROM pg_database WHERE datname = current_database()"""


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since a cursor."""

    slots: Slots
    snapshot: str
    """The cursor for the next time, once all of these were applied."""


async def list_changed(session: Session, cursor: str, limit: int | None) -> Changes:
    """The members who changed since the cursor; at most `limit`, or all of them."""
    row = await session.row(LIST_CHANGED, cursor, limit)
    assert row is not None
    return Changes(to_slots(row["changed"]), row["snapshot"])


async def get_facts(session: Session, slots: Slots) -> Facts:
    """The facts of these members as they are now."""
    rows = await session.rows(FACTS, slots.tolist())
    facts = next(row for row in rows if row["kind"] == "facts")
    return Facts(
        to_slots(facts["slots"] or b""),
        np.frombuffer(facts["facts"] or b"", ">u8").astype(np.uint64),
        {row["name"]: to_slots(row["slots"]) for row in rows if row["kind"] == "place"},
        {row["name"]: to_slots(row["slots"]) for row in rows if row["kind"] == "hobby"},
    )


async def restamp(tx: Tx, limit: int) -> int:
    """Heals rows whose transaction is not of this cluster, as after a restore of a dump; returns their number."""
    return await tx.run(RESTAMP, limit)


async def get_history(session: Session) -> str:
    """Which database the session leads to, since which start of its server. A cursor counts only within one."""
    found: str = await session.value(HISTORY)
    return found


def is_older(snapshot: str, cursor: str) -> bool:
    """Whether a snapshot that was taken later is older than the cursor: then the database is another one."""
    return _end(snapshot) < _end(cursor)


def to_slots(sent: bytes) -> Slots:
    """Slots as `int4send` writes them."""
    return np.frombuffer(sent, ">i4").astype(np.int64)


def _end(snapshot: str) -> int:
    return int(snapshot.split(":")[1])
