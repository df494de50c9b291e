"""A call that Postgres ended because of a deadlock is tried again, after a delay."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from unora.streak.v1.streak_service_pb2 import CheckInResponse
from unora_common.idempotency import ATTEMPTS, RETRY_DELAY, run_idempotent

UNUSED: Any = None


class Deadlocked:
    """Work that ends in a deadlock at its first attempts."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.attempts = 0

    async def __call__(self) -> CheckInResponse:
        self.attempts += 1
        if self.attempts <= self.failures:
            raise asyncpg.DeadlockDetectedError("x")
        return CheckInResponse()


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays that are asked for, in seconds; none is waited for."""
    asked: list[float] = []

    async def note(seconds: float) -> None:
        asked.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", note)
    return asked


@pytest.mark.rule("BI-08")
async def test_attempts_after_a_deadlock_are_apart_so_that_the_other_call_gets_its_lock(delays: list[float]) -> None:
    work = Deadlocked(failures=ATTEMPTS - 1)
    assert await run_idempotent(UNUSED, UNUSED, UNUSED, work, UNUSED) == CheckInResponse()
    first, second = delays
    assert RETRY_DELAY / 2 <= first <= RETRY_DELAY
    assert RETRY_DELAY <= second <= 2 * RETRY_DELAY


async def test_a_call_that_always_ends_in_a_deadlock_fails(delays: list[float]) -> None:
    work = Deadlocked(failures=ATTEMPTS)
    with pytest.raises(asyncpg.DeadlockDetectedError):
        await run_idempotent(UNUSED, UNUSED, UNUSED, work, UNUSED)
    assert work.attempts == ATTEMPTS
    assert len(delays) == ATTEMPTS - 1
