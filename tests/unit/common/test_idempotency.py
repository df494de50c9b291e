"""A call that Postgres ended because of a deadlock is tried again, after a delay."""

from __future__ import annotations

import time
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
        self.attempts_at: list[float] = []

    async def __call__(self) -> CheckInResponse:
        self.attempts_at.append(time.monotonic())
        if len(self.attempts_at) <= self.failures:
            raise asyncpg.DeadlockDetectedError("x")
        return CheckInResponse()


@pytest.mark.rule("BI-08")
async def test_attempts_after_a_deadlock_are_apart_so_that_the_other_call_gets_its_lock() -> None:
    work = Deadlocked(failures=ATTEMPTS - 1)
    assert await run_idempotent(UNUSED, UNUSED, UNUSED, work) == CheckInResponse()
    first, second, third = work.attempts_at
    assert second - first >= RETRY_DELAY / 2
    assert third - second >= RETRY_DELAY


async def test_a_call_that_always_ends_in_a_deadlock_fails() -> None:
    work = Deadlocked(failures=ATTEMPTS)
    with pytest.raises(asyncpg.DeadlockDetectedError):
        await run_idempotent(UNUSED, UNUSED, UNUSED, work)
    assert len(work.attempts_at) == ATTEMPTS
