"""One simulated database, and its days."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from unora_simulate import clock, events, sizes
from unora_simulate.assumptions import Assumptions
from unora_simulate.dealing import ENDS, INTERESTS, MATCHES, REFRESHES
from unora_simulate.joining import JOINING, NEWCOMERS, SESSIONS
from unora_simulate.retention import Retention
from unora_simulate.sizes import Size
from unora_simulate.statements import COUNT
from unora_simulate.streaks import DAYS, REVEALS, SUBSCRIPTIONS, WINDOWS

PORTION: Final = 50_000
"""Members whose refreshes are one transaction."""
VACUUM_DUE: Final = """
    SELECT s.relid::regclass::text FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
    WHERE s.n_dead_tup > 50 + 0.2 * greatest(c.reltuples, 0)
        OR s.n_mod_since_analyze > 50 + 0.1 * greatest(c.reltuples, 0)"""
"""What autovacuum would do by its default settings. It looks once a minute, which is many days here."""


@dataclass(frozen=True, slots=True)
class Step:
    """What stood there at the end of a day, and what it took since the step before."""

    day: int
    members: int
    events: int
    deleted: int
    wal: int
    """Bytes."""
    seconds: float
    tables: dict[str, Size]

    @property
    def bytes(self) -> int:
        """All tables together."""
        return sum(size.bytes for size in self.tables.values())


@dataclass(slots=True)
class Simulation:
    """A migrated database that belongs to this simulation alone, at its superuser's address."""

    dsn: str
    dsn_of: Callable[[str], str]
    """The address for the role of a context."""
    members: int
    """How many there are at the end."""
    assumptions: Assumptions
    steps: list[Step] = field(default_factory=list)
    retention: Retention = field(default_factory=Retention)
    _connection: asyncpg.Connection[asyncpg.Record] = field(init=False)

    async def run(self, days: int, measured: Sequence[int], report: Callable[[int], None]) -> None:
        """Plays the days, and keeps a step at the end of each one in `measured`; `report` hears of each day.

        May be stopped at any moment.
        """
        self._connection = await asyncpg.connect(self.dsn, command_timeout=3600)
        try:
            await clock.prepare(self._connection)
            await events.note_consumers(self._connection)
            await self.retention.open(self.dsn_of)
            await self._connection.execute("SELECT setseed(0.5)")
            told = deleted = 0
            begun, wal = time.monotonic(), await self._wal()
            for day in range(1, days + 1):
                more = await self._day(day, days)
                told, deleted = told + more[0], deleted + more[1]
                if day in measured:
                    seconds, end = time.monotonic() - begun, await self._wal()
                    tables = await sizes.of_tables(self._connection)
                    count = await self._connection.fetchval(f"SELECT {COUNT}")
                    self.steps.append(Step(day, count, told, deleted, end - wal, seconds, tables))
                    told, deleted, wal, begun = 0, 0, await self._wal(), time.monotonic()
                report(day)
        finally:
            await self.retention.close()
            self._connection.terminate()

    async def _wal(self) -> int:
        position: int = await self._connection.fetchval("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
        return position

    async def _day(self, day: int, days: int) -> tuple[int, int]:
        now = await clock.next_day(self._connection)
        newcomers = round(self.members * self.assumptions.newcomers)
        last = self.members - newcomers * (days - day)
        first = 1 if day == 1 else last - newcomers + 1
        await self._play([NEWCOMERS, *JOINING], first=first, last=last)
        await self._connection.execute("ANALYZE simulated.members")
        await self._play(SESSIONS)
        for low in range(1, last + 1, PORTION):
            async with self._connection.transaction():
                await self._play(REFRESHES, count=last, low=low, high=low + PORTION - 1)
        for together in (ENDS, INTERESTS, MATCHES, WINDOWS, DAYS, REVEALS, SUBSCRIPTIONS):
            async with self._connection.transaction():
                await self._play(together)
        told = await events.publish(self._connection)
        return told, await self._keep_house(now)

    async def _play(self, statements: Sequence[str], **values: Any) -> None:
        values |= msgspec.structs.asdict(self.assumptions)
        for statement in statements:
            await self._connection.execute(statement.format(**values))

    async def _keep_house(self, now: datetime) -> int:
        deleted = await self.retention.run(now)
        await self._connection.execute("SELECT pg_stat_force_next_flush()")
        for (table,) in await self._connection.fetch(VACUUM_DUE):
            await self._connection.execute(f"VACUUM (ANALYZE) {table}")
        return deleted
