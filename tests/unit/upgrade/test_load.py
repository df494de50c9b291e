"""An error that no member can meet ends the load, and with it the run, instead of making the load smaller."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from unora_local.client import Refused
from unora_testing.deadlines import eventually, within
from unora_upgrade import load, newcomers
from unora_upgrade.load import Load


class Opened:
    """A gateway that knows whether it is open."""

    def __init__(self) -> None:
        self.is_open = True

    async def __aexit__(self, *_: object) -> None:
        self.is_open = False


class Reads:
    """What readers meet."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.number = 0

    async def __call__(self, *_: object) -> None:
        self.number += 1
        if self.error is not None:
            raise self.error


@pytest.fixture
def gateways(monkeypatch: pytest.MonkeyPatch) -> list[Opened]:
    """The gateways of the load."""
    opened: list[Opened] = []

    def open_one(*_: object) -> Opened:
        opened.append(Opened())
        return opened[-1]

    for name in ("by_grpc", "by_rest"):
        monkeypatch.setattr(load, name, open_one)
    return opened


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """Readers are the only members that do anything."""
    made = Reads()

    async def nothing(*_: object) -> dict[str, int]:
        return {}

    monkeypatch.setattr(newcomers, "pictures", nothing)
    monkeypatch.setattr(load, "counted", nothing)
    monkeypatch.setattr(load, "BETWEEN_READS", 0.0)
    monkeypatch.setattr(load, "AFTER_A_FAILURE", 0.0)
    monkeypatch.setattr(Load, "_reader", lambda *_: made)
    monkeypatch.setattr(Load, "_newcomer", lambda *_: nothing)
    monkeypatch.setattr(Load, "_day", nothing)
    return made


def a_load() -> Load:
    return Load(cast(Any, None), cast(Any, SimpleNamespace(superuser=None)), [])


async def test_another_error_ends_what_is_done_meanwhile_and_is_raised(gateways: list[Opened], reads: Reads) -> None:
    reads.error = RuntimeError("the connection of the load is lost")
    with pytest.raises(RuntimeError, match="the connection of the load is lost"):
        async with a_load():
            await within(asyncio.Event().wait())
    assert [each.is_open for each in gateways] == [False, False]


async def test_a_failed_call_is_noted_and_the_load_goes_on(gateways: list[Opened], reads: Reads) -> None:
    reads.error = Refused("GetAccount", "UNAVAILABLE", "", "", {})
    async with a_load() as going:
        await eventually(lambda: len(going.tally.failed) > load.READERS * len(gateways), "each reader reads again")
    assert [each.is_open for each in gateways] == [False, False]


async def test_an_error_of_the_steps_ends_the_load_and_is_raised(gateways: list[Opened], reads: Reads) -> None:
    async def step() -> None:
        await eventually(lambda: reads.number > 0, "members read")
        raise KeyError("a step")

    with pytest.raises(KeyError, match="a step"):
        async with a_load():
            await step()
    assert [each.is_open for each in gateways] == [False, False]
