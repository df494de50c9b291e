"""The servers of a test run, and the world that tests live in.

Nothing here imports a service before a test needs one: a unit test must not pay for seven services.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from typing import TYPE_CHECKING

import pytest
from unora_testing.loop import Loop

import tests.examples  # noqa: F401 - the default settings of property tests
from tests.bytecode import rewrite_share
from tests.servers import TestServers

if TYPE_CHECKING:
    from unora_testing.testbed import Testbed
    from unora_testing.world import World
    from xdist.remote import Producer

    from tests.scheduling import Scheduling

SERVERS = pytest.StashKey[TestServers]()
LOOP = pytest.StashKey[asyncio.AbstractEventLoop]()
SEAT = pytest.StashKey[socket.socket]()
RUN = "UNORA_TEST_RUN"
"""Names the number of this run among those on this machine."""
RUNS = 40
"""More than a machine can bear."""


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that services run on in production."""
    return {"uvloop": Loop}


def pytest_configure(config: pytest.Config) -> None:
    """Stacks that tests start use different ports in each worker, and in each of several runs on one machine. S3 takes
    the longest row of ports, ten.
    """
    if RUN not in os.environ:  # the first process sets it, workers inherit it
        number, config.stash[SEAT] = _seat()
        os.environ[RUN] = str(number)
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    os.environ["UNORA_PORT_SHIFT"] = str(96 * int(os.environ[RUN]) + 12 * (worker + 1))


def _seat() -> tuple[int, socket.socket]:
    """The lowest number that no other run on this machine has, and what holds it until this process ends."""
    for number in range(RUNS):
        held = socket.socket(socket.AF_UNIX)
        try:
            held.bind(f"\0unora-test-run-{number}")  # a name without a file: nothing is left when the process is killed
        except OSError:
            held.close()
        else:
            return number, held
    raise pytest.UsageError(f"{RUNS} test runs are under way on this machine: wait until one has ended")


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last step of a run: another one may have its number."""
    if SEAT in config.stash:
        config.stash[SEAT].close()
        del os.environ[RUN]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """In place of xdist's own `loadfile`."""
    if config.getvalue("dist") != "loadfile":
        return None
    from tests.scheduling import Scheduling

    return Scheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Before xdist starts its workers, which inherit the environment. Without workers the first test that needs the
    servers starts them.
    """
    session.config.stash[SERVERS] = servers = TestServers()
    workers = getattr(session.config.option, "numprocesses", None) or 0
    only_units = all(str(argument).startswith("tests/unit") for argument in session.config.args)
    if workers and not only_units and not session.config.option.collectonly:
        servers.start(workers)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """What is loaded now is not garbage: looking for some would take a tenth of the time."""
    gc.disable()
    try:
        rewrite_share(session.config)
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Modules and items live as long as the process: the garbage collector need not look at them again. It looks at
    what is new as often as in a service (`unora_common.cli`), not after every 700 objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """After xdist's workers are gone."""
    session.config.stash[SERVERS].stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if notice := config.stash[SERVERS].notice:
        terminalreporter.write_line(notice)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """`asyncio.run`, such as in a command that a test or its fixture calls, leaves its thread without a current loop.
    All tests of a session share one, by which channels of gRPC are made, so it is set again.
    """
    shared = item.config.stash.get(LOOP, None)
    if shared is not None and _current_loop() is None and not shared.is_closed():
        asyncio.set_event_loop(shared)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Its fixtures are there, so the loop of an asynchronous test is there, too."""
    if (loop := _current_loop()) is not None:
        item.config.stash[LOOP] = loop


def _current_loop() -> asyncio.AbstractEventLoop | None:
    """What the policy's own method would answer, but that makes a loop where there is none."""
    loop: asyncio.AbstractEventLoop | None = asyncio.get_event_loop_policy()._local._loop  # type: ignore[attr-defined]
    return loop


@pytest.fixture(scope="session")
def testbed(request: pytest.FixtureRequest) -> Testbed:
    return request.config.stash[SERVERS].testbed()


@pytest.fixture(scope="module")
async def world(testbed: Testbed) -> AsyncIterator[World]:
    """All services; a new world for each file, so that none depends on what ran before it. The tests of a file keep
    apart by fresh ids; the rule clock only goes forward.
    """
    from unora_testing.world import World

    world = World(testbed, os.environ.get("PYTEST_XDIST_WORKER", "main"))
    await world.start()
    yield world
    await world.stop()
