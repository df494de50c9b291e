"""A test that runs a loop of its own leaves the next ones theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import grpc
import pytest


async def nothing() -> None:
    pass


async def test_the_loop_of_a_session_is_begun() -> None:
    asyncio.get_running_loop()


def test_a_command_runs_a_loop_and_closes_it() -> None:
    asyncio.run(nothing())


@pytest.fixture
def closed() -> Iterator[None]:
    asyncio.run(nothing())
    yield
    asyncio.run(nothing())


def test_so_may_a_fixture(closed: None) -> None:
    pass


def test_a_channel_can_be_made_afterwards() -> None:
    assert grpc.aio.insecure_channel("localhost:1")
