"""A subscriber in a process of its own, which is stopped, killed, or loses NATS."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from unora.streak.v1.events_pb2 import CheckedIn
from unora_testing.deadlines import eventually, within

from tests.integration.sdk.platform import Platform, Seen, checked_in, serving

ROOT = Path(__file__).parents[3]


async def start(platform: Platform, seen: Seen) -> Process:
    command = (sys.executable, "-m", "tests.integration.sdk.projection", str(seen.path))
    return await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=platform.environment(), stdout=PIPE, stderr=PIPE
    )


async def first_line(process: Process) -> str:
    assert process.stdout is not None
    return (await within(process.stdout.readline())).decode().strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_with_status_0(platform: Platform, seen: Seen, number: signal.Signals) -> None:
    ids = await platform.publish(checked_in())
    process = await start(platform, seen)
    assert await first_line(process) == str(ids[0])
    await platform.until_done()
    process.send_signal(number)
    _, errors = await within(process.communicate())
    assert (process.returncode, errors) == (0, b"")


async def test_what_was_killed_in_the_middle_is_applied_once_by_the_next(platform: Platform, seen: Seen) -> None:
    hangs = seen.path.parent / "hangs"
    hangs.touch()
    (identifier,) = await platform.publish(checked_in())
    process = await start(platform, seen)
    assert await first_line(process) == str(identifier)
    process.kill()
    await within(process.wait())
    assert seen.rows() == set()
    hangs.unlink()
    process = await start(platform, seen)
    assert await first_line(process) == str(identifier)
    await platform.until_done()
    process.terminate()
    await within(process.wait())
    assert seen.rows() == {str(identifier)}


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[Platform]:
    """A server that a test may stop."""
    made = Platform(tmp_path)
    await made.start()
    yield made
    await made.stop()


def away(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What it said of NATS being away."""
    return [each.message for each in caplog.records if "NATS is away" in each.message and "over" not in each.message]


async def test_without_nats_it_waits_and_goes_on_by_itself(
    own: Platform, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seen = Seen(tmp_path / "seen.db")
    subscriber = own.subscriber(seen.store)
    subscriber.on(CheckedIn)(seen)
    await own.stop()

    async with serving(subscriber):
        await eventually(lambda: away(caplog), "it says that NATS is away")
        await own.start()
        (before,) = await own.publish(checked_in())
        await eventually(lambda: seen.rows() == {str(before)}, "it is connected")
        await own.stop()
        await own.start()
        (after,) = await own.publish(checked_in())
        await eventually(lambda: seen.rows() == {str(before), str(after)}, "it is connected again")
        await own.until_done()
    assert len(away(caplog)) <= 4, away(caplog)


async def test_a_subscriber_that_nats_shuts_out_goes_on_when_it_is_let_in_again(
    own: Platform, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The client of such a connection is closed for good: it does not connect again by itself."""
    seen = Seen(tmp_path / "seen.db")
    subscriber = own.subscriber(seen.store)
    subscriber.on(CheckedIn)(seen)
    async with serving(subscriber):
        (before,) = await own.publish(checked_in())
        await eventually(lambda: seen.rows() == {str(before)}, "it is connected")
        await own.change_password("another")
        await eventually(lambda: away(caplog), "it is shut out")
        (after,) = await own.publish(checked_in())
        await own.change_password("secret")
        await eventually(lambda: seen.rows() == {str(before), str(after)}, "it is let in again")
        await own.until_done()


async def test_without_nats_it_can_be_stopped(own: Platform, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen = Seen(tmp_path / "seen.db")
    subscriber = own.subscriber(seen.store)
    subscriber.on(CheckedIn)(seen)
    await own.stop()
    running = asyncio.ensure_future(subscriber.serve())
    await eventually(lambda: away(caplog), "it waits for NATS")
    subscriber.stop()
    await within(running)
    await own.start()
