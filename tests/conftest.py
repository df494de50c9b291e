"""The servers of a test run, and the world that tests live in."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import uvloop
from unora_local import ports
from unora_testing.testbed import Servers, Testbed
from unora_testing.world import World

import tests.examples  # noqa: F401 - the settings of property tests that say nothing else

SERVERS = pytest.StashKey[tuple[asyncio.AbstractEventLoop, Servers]]()


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that services run on in production."""
    return {"uvloop": uvloop.new_event_loop}


def _needs_servers(config: pytest.Config) -> bool:
    """Unit tests need none; a worker uses those of the first process."""
    only_units = all("unit" in str(argument) for argument in config.args)
    return not only_units and not hasattr(config, "workerinput") and not config.option.collectonly


def pytest_configure(config: pytest.Config) -> None:
    """Stacks that tests of different workers start reach for different ports; the longest row of them is S3's ten."""
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    os.environ[ports.SHIFT] = str(12 * (int(number) + 1))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Before xdist starts its workers, which inherit the environment."""
    if not _needs_servers(session.config):
        return
    workers = getattr(session.config.option, "numprocesses", None) or 0
    names = ["main", *(f"gw{number}" for number in range(workers))]
    houses = [f"{name}_house" for name in names]  # for tests/integration/common
    servers = Servers([*names, *houses, "story", "canary"])  # for tests/integration/local and /protection
    loop = asyncio.new_event_loop()  # it must stay open as long as its child processes
    session.config.stash[SERVERS] = (loop, servers)
    loop.run_until_complete(servers.start())


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """After xdist's workers are gone."""
    loop, servers = session.config.stash.get(SERVERS, (None, None))
    if loop and servers:
        loop.run_until_complete(servers.stop())
        loop.close()


@pytest.fixture(scope="session")
def testbed() -> Testbed:
    return Testbed.find()


@pytest.fixture(scope="module")
async def world(testbed: Testbed) -> AsyncIterator[World]:
    """All services; a new world for each file, so that none depends on what ran before it. The tests of a file keep
    apart by fresh ids; the rule clock only goes forward.
    """
    world = World(testbed, os.environ.get("PYTEST_XDIST_WORKER", "main"))
    await world.start()
    yield world
    await world.stop()
