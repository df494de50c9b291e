"""Postgres goes away while a process works: a lost connection is UNAVAILABLE, and every effect happens exactly once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import asyncpg
import grpc
import pytest
from unora.matching.v1.events_pb2 import ConnectionFormed
from unora.streak.v1.streak_service_pb2 import GetStreakRequest
from unora_common import migrations, provision
from unora_common.consumers import MAX_ATTEMPTS
from unora_common.database import Session, Tx
from unora_common.handlers import every, on
from unora_common.ids import uuid7
from unora_common.runtime import Runtime
from unora_local import ports
from unora_local.postgres import Postgres
from unora_testing.deadlines import GENEROUS, eventually, within
from unora_testing.testbed import TEMPLATE, Testbed

from tests.integration.common.bare_world import SCHEMAS, BareWorld, Probe, check_in_request, formed
from tests.integration.common.test_inbox import deliver, failures
from tests.support import own_sessions, refusal

ROUNDS = 10
CALLERS = 8
"""How many read, and how many write, at the same time; the pool has 6 connections."""
BACKOFF = 0.02
"""Seconds until a caller tries again, so that Postgres has a core to recover on."""
TERMINATE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = 'unora_streak' AND datname = current_database()"""
END = TERMINATE.replace("(pid)", f"(pid, {GENEROUS * 1000:.0f})")
"""The same, and waits until they have ended: Postgres tells them to end, and they do so a moment later."""


class Reading(Probe):
    """GetStreak reads: two statements, so that a connection may be lost before, between and after them."""

    async def read(self, request: GetStreakRequest, db: Session) -> None:
        await db.value("SELECT count(*) FROM streak.probe")
        await db.value("SELECT 1")


class Load:
    """Members that call without a pause. A write is repeated, with its request id, until it is answered."""

    def __init__(self, bare_world: BareWorld, stub: Any) -> None:
        self._stub = stub
        self._metadata = bare_world.caller().metadata
        self.codes: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        """Refusals by status and text."""
        self.written: list[str] = []
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Load:
        self._tasks = [asyncio.ensure_future(work()) for work in (self._read, self._write) for _ in range(CALLERS)]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stopping = True
        if kind is not None:  # a writer would wait for its answer for ever
            for task in self._tasks:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=kind is not None)

    async def answered(self, more: int) -> None:
        """Returns when so many more calls were answered."""
        target = self.codes["OK"] + more
        await eventually(lambda: self.codes["OK"] >= target, f"{more} more answers; so far {self.codes}")

    async def refused_calls(self, more: int) -> None:
        """Returns when so many more calls were refused."""
        target = self.refused.total() + more
        await eventually(lambda: self.refused.total() >= target, f"{more} more refusals; so far {self.refused}")

    async def _read(self) -> None:
        while not self._stopping:
            await self._call(self._stub.GetStreak, GetStreakRequest(streak_id=str(uuid7())))

    async def _write(self) -> None:
        while not self._stopping:
            request = check_in_request()
            while not await self._call(self._stub.CheckIn, request):
                pass
            self.written.append(request.streak_id)

    async def _call(self, method: Any, request: Any) -> bool:
        try:
            await method(request, metadata=self._metadata, timeout=GENEROUS)
        except grpc.aio.AioRpcError as error:
            self.codes[error.code().name] += 1
            self.refused[f"{error.code().name} {error.details()}"] += 1
            await asyncio.sleep(BACKOFF)
            return False
        self.codes["OK"] += 1
        return True


@pytest.mark.rule("XX-02", "BI-08")
async def test_connections_that_are_lost_under_load_refuse_calls_as_unavailable_and_lose_and_double_nothing(
    bare_world: BareWorld,
) -> None:
    async with Load(bare_world, await bare_world.probe(Reading)) as load:
        for _ in range(ROUNDS):
            await load.answered(50)
            await bare_world.superuser.execute(TERMINATE)
        await load.answered(50)
    await require_exactly_once(bare_world, load)


@asynccontextmanager
async def own_postgres(testbed: Testbed, folder: Path) -> AsyncIterator[tuple[Testbed, Postgres]]:
    """A Postgres that may be killed, with the schemas of a bare world."""
    (port,) = ports.free(1)
    postgres = Postgres(folder / "postgres", port=port, password=testbed.secret, log=folder / "log")
    try:
        await postgres.start()
        own = replace(testbed, postgres=postgres.dsn().rpartition("/")[0], pooler="", streak_postgres="")
        connection = await asyncpg.connect(own.dsn("postgres"))
        await connection.execute(f'CREATE DATABASE "{TEMPLATE}"')
        await connection.close()
        roles = dict.fromkeys(provision.role_names(SCHEMAS), testbed.secret)
        await provision.prepare(own.dsn(TEMPLATE), roles, movable_clock=True)
        for schema in SCHEMAS:
            await asyncio.to_thread(migrations.upgrade, schema, own.dsn(TEMPLATE, f"unora_{schema}_owner"))
        yield own, postgres
    finally:
        await postgres.stop()
        postgres.erase()


@pytest.mark.rule("XX-02", "BI-08")
async def test_a_postgres_that_crashes_under_load_refuses_calls_as_unavailable_and_loses_and_doubles_nothing(
    testbed: Testbed, tmp_path: Path
) -> None:
    """A backend is killed, so Postgres ends all others and recovers; then Postgres itself is killed."""
    tmp_path.parent.parent.chmod(0o755)
    async with own_postgres(testbed, tmp_path) as (own, postgres):
        bare_world = BareWorld(own, os.environ.get("PYTEST_XDIST_WORKER", "main"))
        bare_world.database = "unora_crashing"
        await bare_world.start()
        try:
            async with Load(bare_world, await bare_world.probe(Reading)) as load:
                for _ in range(3):
                    await load.answered(50)
                    await kill_a_backend(own, bare_world.database)
                await load.answered(50)
                assert postgres.process is not None
                postgres.process.kill()
                await postgres.process.wait()
                await load.refused_calls(20)
                await postgres.start()
                bare_world.superuser.terminate()
                bare_world.superuser = await connected(own, bare_world.database)
                await load.answered(50)
            await require_exactly_once(bare_world, load)
        finally:
            await bare_world.stop()


async def connected(testbed: Testbed, database: str) -> asyncpg.Connection[asyncpg.Record]:
    """A connection of the superuser, as soon as Postgres takes one."""

    async def connect() -> asyncpg.Connection[asyncpg.Record] | None:
        try:
            return await asyncpg.connect(testbed.dsn(database))
        except (OSError, asyncpg.PostgresError):
            return None

    connection = await eventually(connect, "Postgres has recovered")
    assert connection is not None
    return connection


async def kill_a_backend(testbed: Testbed, database: str) -> None:
    """Kills one server process of Postgres, which then ends all of them: their memory is shared."""
    connection = await connected(testbed, database)
    os.kill(connection.get_server_pid(), signal.SIGKILL)
    connection.terminate()


async def require_exactly_once(bare_world: BareWorld, load: Load) -> None:
    assert set(load.codes) == {"OK", "UNAVAILABLE"}, load.refused
    assert sorted(await bare_world.keys()) == sorted(load.written)
    events = await bare_world.superuser.fetch("SELECT aggregate_id::text AS id FROM streak.outbox")
    assert sorted(row["id"] for row in events) == sorted(load.written)
    assert not [line for line in bare_world.logged() if line["level"] == "error"]


class Interrupted:
    """A consumer whose connection is lost after its write, again and again."""

    losses: ClassVar[int]
    """How often the connection is still to be lost."""
    superuser: ClassVar[Any]
    applied: ClassVar[asyncio.Event]

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        self.runtime = runtime

    @on(ConnectionFormed)
    async def begin(self, event: ConnectionFormed, tx: Tx) -> None:
        await tx.run("INSERT INTO streak.probe (key) VALUES ($1)", event.connection_id)
        if Interrupted.losses:
            Interrupted.losses -= 1
            await Interrupted.superuser.execute(TERMINATE)
            # What asyncpg raises for a statement just now, between the notice of Postgres and the end.
            raise asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")
        Interrupted.applied.set()


@pytest.mark.rule("XX-02")
async def test_an_event_whose_connection_is_lost_again_and_again_is_never_counted_as_failed(
    bare_world: BareWorld,
) -> None:
    Interrupted.losses, Interrupted.superuser = 2 * MAX_ATTEMPTS, bare_world.superuser
    Interrupted.applied = asyncio.Event()
    app = await bare_world.open(consumers=[Interrupted])
    event = formed()
    await deliver(bare_world, event)
    running = asyncio.ensure_future(app.consumers[0].run())
    await within(Interrupted.applied.wait())
    await eventually(bare_world.keys, "the event is applied")
    running.cancel()
    assert Interrupted.losses == 0
    assert await bare_world.keys() == [event.connection_id]
    assert await failures(bare_world) == []
    assert not [line for line in bare_world.logged() if line["level"] == "error"]


async def test_a_job_that_postgres_interrupts_warns_once_and_says_when_it_is_over(bare_world: BareWorld) -> None:
    runs = asyncio.Event()

    class Jobs:
        left = 5

        def __init__(self, runtime: Runtime[Any, Any]) -> None:
            self.runtime = runtime

        @every(seconds=0.01)
        async def sweep(self) -> int:
            if Jobs.left:
                Jobs.left -= 1
                raise asyncpg.CannotConnectNowError("the database system is starting up")
            if "over" in bare_world.log.getvalue():
                runs.set()
            return 0

    app = await bare_world.open(jobs=[Jobs])
    running = asyncio.ensure_future(app.jobs[0].run())
    await within(runs.wait())
    running.cancel()
    lines = [(line["level"], line["event"]) for line in bare_world.logged() if line.get("job") == "sweep"]
    assert lines == [("warning", "job interrupted"), ("info", "job interrupted: over")]


@own_sessions
async def test_an_error_of_the_client_itself_is_an_internal_error_and_its_connection_is_not_used_again(
    bare_world: BareWorld,
) -> None:
    """InternalClientError may also be an error of this program: it is one if Postgres did not end the connection."""
    used: list[int] = []

    class Wrong(Probe):
        async def read(self, request: GetStreakRequest, db: Session) -> None:
            used.append(await db.value("SELECT pg_backend_pid()"))
            if len(used) == 1:
                raise asyncpg.InternalClientError("a bug")

    streaks, member = await bare_world.probe(Wrong), bare_world.caller()
    request = GetStreakRequest(streak_id=str(uuid7()))
    assert (await refusal(streaks.GetStreak(request, metadata=member.metadata))).code == "INTERNAL"
    (line,) = [line for line in bare_world.logged() if line["level"] == "error"]
    assert line["error"] == "InternalClientError"
    await streaks.GetStreak(request, metadata=member.metadata)
    assert used[0] != used[1]


async def test_a_server_that_is_no_longer_the_primary_is_unavailable_and_its_connections_are_given_up(
    bare_world: BareWorld,
) -> None:
    streaks, member = await bare_world.probe(), bare_world.caller()
    await bare_world.superuser.execute(
        f'ALTER ROLE unora_streak IN DATABASE "{bare_world.database}" SET default_transaction_read_only = on'
    )
    try:
        await bare_world.superuser.execute(END)
        refused = await refusal(streaks.CheckIn(check_in_request(), metadata=member.metadata))
        assert (refused.code, refused.reason) == ("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE")
    finally:
        await bare_world.superuser.execute(
            f'ALTER ROLE unora_streak IN DATABASE "{bare_world.database}" RESET default_transaction_read_only'
        )
    request = check_in_request()
    await streaks.CheckIn(request, metadata=member.metadata)
    assert await bare_world.keys() == [request.streak_id]
