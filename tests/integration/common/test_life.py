"""A real process from its start to its end, with Postgres away, cut off and back."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import grpc
import pytest
from unora.identity.v1.account_service_pb2 import GetJwksRequest
from unora.identity.v1.account_service_pb2_grpc import AccountServiceStub
from unora_common import tasks
from unora_testing.deadlines import GENEROUS, eventually, within

from tests.integration.common.bare_world import BareWorld
from tests.integration.common.processes import ServiceProcess
from tests.integration.common.proxy import Wire

Make = Callable[..., ServiceProcess]
LONG = str(10 * GENEROUS)


@pytest.fixture
async def make(bare_world: BareWorld, tmp_path: Path) -> AsyncIterator[Make]:
    """Makes processes of identity, which needs no other service; they are stopped after the test."""
    made: list[ServiceProcess] = []

    def make(*words: str, **variables: str) -> ServiceProcess:
        made.append(ServiceProcess(bare_world, "identity", tmp_path, *words, **({"SHUTDOWN_DELAY": "0"} | variables)))
        return made[-1]

    yield make
    for process in made:
        await process.end()


@pytest.fixture
async def wire(bare_world: BareWorld) -> AsyncIterator[Wire]:
    """To Postgres, and cut."""
    wire = Wire(int(bare_world.testbed.dsn("x").rpartition("/")[0].rpartition(":")[2]))
    await wire.join()
    await wire.cut()
    yield wire
    await wire.cut()


def through(wire: Wire, bare_world: BareWorld) -> str:
    dsn = bare_world.testbed.dsn(bare_world.database, "unora_identity")
    return f"{dsn.rpartition(':')[0]}:{wire.port}/{bare_world.database}"


SLOW = "postgres (no answer)"
"""What a busy machine may say first: that Postgres did not answer soon enough to say why it refuses."""


def waits(process: ServiceProcess) -> list[list[str]]:
    """What the process said that it waits for, each time, once Postgres had answered."""
    said = [line["missing"] for line in process.logged() if line["event"] == "not ready"]
    return [missing for missing in said if any(part.startswith("postgres") for part in missing) and SLOW not in missing]


async def garbage(address: str) -> None:
    """What a stranger may send to the port of calls."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    await reader.read()
    writer.close()


async def test_a_process_that_starts_while_postgres_is_away_waits_for_it_and_says_so_once(
    bare_world: BareWorld, make: Make, wire: Wire
) -> None:
    process = make(DATABASE_URL=through(wire, bare_world))
    await process.start()
    await process.until("SERVING", name="")
    await process.until_logged("not ready")
    assert await process.says() == "NOT_SERVING"
    await process.until_logged("job interrupted")
    await wire.join()
    await process.until("SERVING")
    (waited,) = waits(process)
    assert waited[:2] == ["postgres (ConnectionRefusedError)", "revocations of identity (ConnectionRefusedError)"]
    assert waited[2:] == ["check_phone_key (loading)"], "it is looked at as soon as Postgres answers"
    jobs = [line["job"] for line in process.logged() if line["event"] == "job interrupted"]
    assert len(jobs) == len(set(jobs))
    assert not [line for line in process.logged() if line["level"] == "error"]
    assert await process.stop() == 0


async def test_a_process_that_waits_for_postgres_ends_at_once_when_it_is_told(
    bare_world: BareWorld, make: Make, wire: Wire
) -> None:
    process = make(DATABASE_URL=through(wire, bare_world), SHUTDOWN_DELAY=LONG)
    await process.start()
    await process.until_logged("not ready")
    assert await process.stop() == 0
    said = [line["event"] for line in process.logged()]
    assert [event for event in said if event != "job interrupted"][-1] == "stopping"


async def test_a_process_whose_password_is_wrong_says_so_and_waits_for_another(
    bare_world: BareWorld, make: Make
) -> None:
    dsn = bare_world.testbed.dsn(bare_world.database, "unora_identity")
    process = make(DATABASE_URL=dsn.replace(bare_world.testbed.secret, "wrong"))
    await process.start()
    await eventually(lambda: waits(process), "it says why it is not ready")
    (waited,) = waits(process)
    assert waited[0] == "postgres (InvalidPasswordError 28P01)"
    assert await process.says("") == "SERVING"
    assert await process.stop() == 0


async def test_every_line_of_a_process_is_json_whatever_happens_to_its_connections(
    bare_world: BareWorld, make: Make, wire: Wire
) -> None:
    await wire.join()
    process = make(DATABASE_URL=through(wire, bare_world))
    await process.start()
    await process.until("SERVING")
    for _ in range(3):
        await wire.cut()
        await garbage(process.address)
        await process.until("NOT_SERVING")
        await wire.join()
        await process.until("SERVING")
        await bare_world.superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename = 'unora_identity' AND datname = current_database()"
        )
    assert await process.stop() == 0
    assert {"starting", "serving", "ready", "not ready", "stopping"} <= {line["event"] for line in process.logged()}
    assert not [line for line in process.logged() if line["level"] == "error"]


async def test_a_process_that_ends_says_so_at_once_and_answers_calls_for_a_moment(
    bare_world: BareWorld, make: Make
) -> None:
    process = make(SHUTDOWN_DELAY=LONG)
    await process.start()
    await process.until("SERVING")
    ca, certificate, key = bare_world.certificates["streak"].read()
    credentials = grpc.ssl_channel_credentials(ca, key, certificate)
    options = [("grpc.ssl_target_name_override", "identity.unora")]
    process.signal(signal.SIGTERM)
    await process.until("NOT_SERVING")
    assert await process.says("") == "SERVING"
    async with grpc.aio.secure_channel(process.address, credentials, options) as channel:
        assert (await AccountServiceStub(channel).GetJwks(GetJwksRequest(), timeout=GENEROUS)).keys
    assert await process.stop([signal.SIGTERM]) == 0, "a second signal ends the wait, and the process ends cleanly"


async def test_work_that_loses_a_cancellation_does_not_keep_a_process(
    bare_world: BareWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a request to NATS may do whose answer comes at the same moment (wait_for of Python 3.11)."""
    monkeypatch.setattr(tasks, "CANCELLED_AGAIN", 0.05)
    app, begun = await bare_world.open(), asyncio.Event()

    async def work() -> None:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    app.tasks.start(work())
    await within(begun.wait())
    await within(app.close())


async def test_a_worker_gets_no_calls_and_ends_without_a_delay(make: Make) -> None:
    process = make("--role", "worker", SHUTDOWN_DELAY=LONG)
    await process.start()
    await process.until("SERVING")
    assert await process.stop() == 0


@pytest.mark.parametrize(
    "words",
    [["migrate"], ["replay"], ["republish"], ["make-admin", str(UUID(int=0))], ["revoke-admin", str(UUID(int=0))]],
)
async def test_a_command_without_postgres_fails_at_once_and_says_why_in_one_line(
    bare_world: BareWorld, make: Make, wire: Wire, words: list[str]
) -> None:
    dsn = through(wire, bare_world)
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "unora_identity", *words],
        env=dict(make(DATABASE_URL=dsn).env),
        capture_output=True,
        text=True,
        check=False,
        timeout=10 * GENEROUS,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "ConnectionRefusedError" in line
