"""Streaks to measure on, put straight into the streak schema: the services would need hours to make as many.

Ids follow from a number, in Python and in SQL alike, so that pgbench can name them too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

MEMBERS: Final = 1000
"""Members whose tokens the calls carry; each has many streaks, so that first verifications do not weigh."""
SLOTS: Final = 4
"""Streaks of a member whose dashboard is read: as many as the highest tier allows."""

INSERT: Final = """
    INSERT INTO streak.streaks (
        id, connection_id, user_a_id, user_b_id, server_type, streak_state, cycle, completed_days, current_day, zone,
        check_in_date, closes_at, here, started_at, next_due_at, version)
    SELECT id, connection, a, b, 'partner', 'active', 1, 3, 4, 'UTC', (clock.now() AT TIME ZONE 'UTC')::date + 1,
        clock.now() + interval '20 hours', '{}', clock.now(), clock.now() + interval '20 hours', 1
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) AS made (id, connection, a, b)"""


@dataclass(frozen=True)
class Kind:
    """A kind of id: its first 80 bits, as in the text of a UUID."""

    prefix: str

    def id(self, number: int) -> UUID:
        """The id with this number."""
        return UUID(f"{self.prefix}{number:012x}")

    def sql(self, number: str) -> str:
        """The same in SQL, for an expression of a number."""
        return f"('{self.prefix}' || lpad(to_hex({number}), 12, '0'))::uuid"


STREAK: Final = Kind("00000000-0000-7000-8000-")
CONNECTION: Final = Kind("00000000-0000-7000-9000-")
MEMBER: Final = Kind("00000000-0000-7000-a000-")
READER: Final = Kind("00000000-0000-7000-b000-")
PARTNER: Final = Kind("ffffffff-ffff-7fff-bfff-")


async def make(dsn: str, count: int) -> None:
    """Makes `count` streaks, the n-th of member n modulo MEMBERS, and SLOTS more of each reader."""
    numbers = range(count + MEMBERS * SLOTS)
    people = [MEMBER.id(n % MEMBERS) if n < count else READER.id(n % MEMBERS) for n in numbers]
    columns = ([STREAK.id(n) for n in numbers], [CONNECTION.id(n) for n in numbers], people)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SET session_replication_role = replica")  # they begin in the middle of a cycle
        await connection.execute(INSERT, *columns, [PARTNER.id(n) for n in numbers])
        await connection.execute("ANALYZE streak.streaks")
    finally:
        await connection.close()
