"""What is counted for the metrics: seldom enough, by one replica at a time, and absent while it cannot be counted."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import asyncpg
import msgspec
import pytest
from unora_common import gauges
from unora_common.common_metrics import COMMON_METRICS, JOB_DUE, OUTBOX_UNPUBLISHED
from unora_common.database import Session
from unora_common.gauges import INTERVAL, LONGEST_INTERVAL, Count, Counts, Gauges
from unora_common.logs import logger
from unora_common.metrics import Metrics
from unora_testing.deadlines import within


class Turns:
    """A database without Postgres: the turn to count, and the time that a count takes."""

    schema = "streak"

    def __init__(self) -> None:
        self.now = 0.0
        self.free = True
        self.taken: list[str] = []
        self.outage: float | None = None
        """Seconds after which no connection was got."""
        self.hangs = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        if self.hangs:
            await asyncio.Event().wait()
        if self.outage is not None:
            self.now += self.outage
            raise OSError("no connection")
        yield self

    async def value(self, _: str, name: str, leads: bool, relay: str) -> bool:
        assert (leads, relay) == (True, "relay streak")
        self.taken.append(name)
        return self.free


class Case:
    """Two counts, and what they show."""

    def __init__(self) -> None:
        self.database, self.metrics, self.log = Turns(), Metrics(COMMON_METRICS), io.StringIO()
        self.seconds = 0.0
        self.error: Exception | None = None
        runtime: Any = SimpleNamespace(
            database=self.database, metrics=self.metrics, log=logger("streak", "info", self.log)
        )
        counts = [Count("due", self._due), Count("outbox", self._outbox)]
        self.gauges = Gauges(runtime, counts, lambda: True, lambda: self.database.now)

    async def _due(self, _: Session) -> Counts:
        self.database.now += self.seconds
        if self.error:
            raise self.error
        return {JOB_DUE: {("close_days",): 5}}

    async def _outbox(self, _: Session) -> Counts:
        return {OUTBOX_UNPUBLISHED: {(): 2}}

    def shown(self) -> tuple[float | None, float | None]:
        value: Callable[..., float | None] = self.metrics.registry.get_sample_value
        return value(JOB_DUE.name, {"job_name": "close_days"}), value(OUTBOX_UNPUBLISHED.name)

    def events(self) -> list[str]:
        return [msgspec.json.decode(line)["event"] for line in self.log.getvalue().splitlines()]


@pytest.fixture
def case() -> Case:
    return Case()


async def test_a_count_is_repeated_after_the_interval_at_the_earliest(case: Case) -> None:
    await case.gauges.step()
    assert case.shown() == (5, 2)
    case.database.now += INTERVAL / 2
    await case.gauges.step()
    assert len(case.database.taken) == 2
    case.database.now += INTERVAL / 2
    await case.gauges.step()
    assert len(case.database.taken) == 4


async def test_a_slow_count_is_repeated_so_seldom_that_it_takes_a_hundredth_of_the_time(case: Case) -> None:
    case.seconds = 2.0
    await case.gauges.step()
    case.database.now += 199.0
    await case.gauges.step()
    assert case.database.taken.count("count streak due") == 1
    case.database.now += 2.0
    await case.gauges.step()
    assert case.database.taken.count("count streak due") == 2


@pytest.mark.parametrize("error", [None, asyncpg.QueryCanceledError("statement timeout")])
async def test_a_count_is_repeated_within_minutes_however_slow_it_was(case: Case, error: Exception | None) -> None:
    case.seconds, case.error = 60.0, error
    await case.gauges.step()
    case.database.now += LONGEST_INTERVAL - 1
    await case.gauges.step()
    assert case.database.taken.count("count streak due") == 1
    case.database.now += 1
    await case.gauges.step()
    assert case.database.taken.count("count streak due") == 2


async def test_after_an_outage_counts_are_repeated_after_the_interval_however_long_it_took_to_fail(case: Case) -> None:
    case.database.outage = 60.0
    await case.gauges.step()
    assert case.shown() == (None, None)
    case.database.outage = None
    case.database.now += INTERVAL
    await case.gauges.step()
    assert case.shown() == (5, 2)


async def test_a_count_that_gets_no_connection_gives_up(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "CONNECTION_WITHIN", 0.01)
    case.database.hangs = True
    await within(case.gauges.step())
    assert case.events() == ["cannot be counted", "cannot be counted"]
    case.database.hangs = False
    await case.gauges.count_now()
    assert case.shown() == (5, 2)


async def test_while_another_replica_counts_there_is_no_value(case: Case) -> None:
    await case.gauges.step()
    case.database.free = False
    case.database.now += INTERVAL
    await case.gauges.step()
    assert case.shown() == (None, None)


@pytest.mark.parametrize("error", [ValueError("x"), asyncpg.QueryCanceledError("x"), OSError("x")])
async def test_a_count_that_fails_has_no_value_is_logged_once_and_hinders_no_other(
    case: Case, error: Exception
) -> None:
    await case.gauges.step()
    case.error = error
    for _ in range(3):
        case.database.now += INTERVAL
        await case.gauges.step()
    assert case.shown() == (None, 2)
    assert case.events() == ["cannot be counted"]
    case.error = None
    case.database.now += INTERVAL
    await case.gauges.step()
    assert case.shown() == (5, 2)
    assert case.events() == ["cannot be counted", "cannot be counted: over"]
