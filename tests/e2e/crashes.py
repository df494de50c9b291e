"""Kills services at a chosen instant of a transaction, from outside: the code of the services has no hooks for it.

Tables that a saga writes get two triggers that wait for an advisory lock, which the test can hold. One waits when the
row is written, before the service asks for the commit; the other, deferred, waits inside the commit.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from pathlib import Path

import asyncpg
from unora_local import health
from unora_local.env import Env
from unora_local.run_folder import Row, start_time
from unora_local.tls import Certificate
from unora_testing.deadlines import eventually, within

from tests.e2e.stack import STARTED_WITHIN, Stack

WAITS = """
    CREATE OR REPLACE FUNCTION public.wait_for_the_test() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(TG_ARGV[0]::integer, TG_ARGV[1]::integer);
        RETURN NULL;
    END
    $$"""

WAITING = """
    SELECT l.pid FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND NOT l.granted AND l.mode = 'ShareLock'
        AND (l.classid, l.objid, l.objsubid) = ($1::int::oid, $2::int::oid, 2) AND a.application_name = $3"""

ASKS_FOR_LEAD = """
    SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND locktype = 'advisory' AND NOT granted)"""


class Point(IntEnum):
    """The point in a transaction at which a service is held."""

    BEFORE_COMMIT = 1
    """The row is written, and the service has not asked for the commit yet."""
    IN_COMMIT = 2
    """The service has asked for the commit, which completes even if the service is killed."""


@dataclass(frozen=True)
class Step:
    """One write of a saga: a context, a table, and the condition for its rows."""

    context: str
    table: str
    when: str = "true"
    by_relay: bool = False

    @property
    def name(self) -> str:
        """The application name of the connections that write it."""
        return f"unora_{self.context}_relay" if self.by_relay else f"unora_{self.context}"


class Crashes:
    """Holds, freezes and kills the services of a stack, whose supervisor starts them again."""

    def __init__(
        self,
        stack: Stack,
        env: Env,
        superuser: asyncpg.Connection[asyncpg.Record],
        holder: asyncpg.Connection[asyncpg.Record],
    ) -> None:
        self._stack = stack
        self._env = env
        self._superuser = superuser
        self._holder = holder  # holds the locks; it may have to wait for one while `superuser` reads
        self._numbers: dict[Step, int] = {}

    async def add_triggers(self, *steps: Step) -> None:
        """Create the triggers of these steps."""
        await self._superuser.execute(WAITS)
        for step in steps:
            number = self._numbers[step] = len(self._numbers) + 1
            for point in Point:
                kind, moment = (
                    ("", "") if point is Point.BEFORE_COMMIT else ("CONSTRAINT", "DEFERRABLE INITIALLY DEFERRED")
                )
                await self._superuser.execute(
                    f"""CREATE {kind} TRIGGER test_{number}_{point.name.lower()} AFTER INSERT OR UPDATE ON {step.table}
                    {moment} FOR EACH ROW WHEN ({step.when})
                    EXECUTE FUNCTION public.wait_for_the_test({int(point)}, {number})"""
                )

    async def hold(self, point: Point, *steps: Step) -> None:
        """From now on a transaction that reaches one of these steps waits there."""
        for step in steps:
            await self._holder.execute("SELECT pg_advisory_lock($1::int, $2::int)", int(point), self._numbers[step])

    async def held(self, point: Point, *steps: Step, count: int = 1) -> list[int]:
        """Return when `count` transactions wait at each of these steps at the same moment: their backends' pids."""

        async def waiting() -> list[int]:
            found: list[int] = []
            for step in steps:
                rows = await self._superuser.fetch(WAITING, int(point), self._numbers[step], step.name)
                if len(rows) < count:
                    return []
                found += [row["pid"] for row in rows]
            return found

        return await eventually(waiting, f"{point.name}: {', '.join(step.table for step in steps)}")

    async def kill_held(self, point: Point, *steps: Step, count: int = 1) -> None:
        """Kill the services that wait at these steps, all at once. Return when they run again.

        Before the commit they die while they wait, and their writes are lost. In the commit they are frozen first: the
        commit completes while they cannot acknowledge, publish or answer, and then they die.
        """
        backends = await self.held(point, *steps, count=count)
        rows = self._rows({step.context for step in steps})
        first = signal.SIGKILL if point is Point.BEFORE_COMMIT else signal.SIGSTOP
        for row in rows:
            os.kill(row.pid, first)
        for step in steps:
            await self._holder.execute("SELECT pg_advisory_unlock($1::int, $2::int)", int(point), self._numbers[step])
        await eventually(lambda: self._at_rest(backends), "the backends are at rest")
        await self._die(rows)

    async def kill(self, *contexts: str) -> None:
        """Kill services at whatever they are doing. Return when they run again."""
        await self._die(self._rows(set(contexts)))

    async def stop_relays(self, *contexts: str) -> None:
        """From now on no relay publishes the events of these contexts: this connection holds their leader lock."""
        mine = self._holder.get_server_pid()
        for context in contexts:
            lead = f"relay {context}"
            asked = asyncio.ensure_future(self._holder.execute("SELECT pg_advisory_lock(hashtext($1))", lead))
            await eventually(
                lambda: self._superuser.fetchval(ASKS_FOR_LEAD, mine), f"the lead of {context} is asked for"
            )
            await self._superuser.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
                f"unora_{context}_relay",
            )
            await asked

    async def start_relays(self, *contexts: str) -> None:
        """Let the relays of these contexts publish again."""
        for context in contexts:
            await self._holder.execute("SELECT pg_advisory_unlock(hashtext($1))", f"relay {context}")

    async def _die(self, rows: list[Row]) -> None:
        for row in rows:
            with suppress(ProcessLookupError):  # it was killed before, and is gone between the two lines
                if start_time(row.pid) == row.started:
                    os.kill(row.pid, signal.SIGKILL)
        paths = (Path(self._env.values[f"UNORA_TLS_{name}"]) for name in ("CA", "CERT", "KEY"))
        certificate = Certificate(*paths)
        for row in rows:
            await eventually(partial(self._stack.runs_again, row), f"{row.name} runs again")
            await within(health.ready(row.address, certificate), STARTED_WITHIN)

    def _rows(self, contexts: set[str]) -> list[Row]:
        return [row for row in self._stack.folder.rows() if row.name in contexts]

    async def _at_rest(self, backends: list[int]) -> bool:
        idle = "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = ANY($1) AND state <> 'idle'"
        at_rest: bool = await self._superuser.fetchval(idle, backends)
        return at_rest
