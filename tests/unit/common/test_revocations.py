"""SA-06: what a process knows of revoked sessions, and how long it may rely on it."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from unora_common.ids import uuid7
from unora_common.revocations import Revocations, RevocationsStale, SessionRevoked
from unora_testing.deadlines import eventually

pytestmark = pytest.mark.rule("SA-06")
OUT, IN = uuid7(), uuid7()


class Identity:
    """Answers when its gate is opened, with what it knew at the time of the request."""

    def __init__(self) -> None:
        self.revoked: frozenset[UUID] = frozenset({OUT})
        self.gates: list[asyncio.Event] = []

    async def fetch(self) -> frozenset[UUID]:
        known, gate = self.revoked, asyncio.Event()
        self.gates.append(gate)
        await gate.wait()
        return known

    async def was_asked(self, times: int) -> None:
        await eventually(lambda: len(self.gates) == times, f"asked {times} times")


async def at_once() -> frozenset[UUID]:
    return frozenset({OUT})


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


async def test_members_are_refused_after_a_minute_without_an_answer() -> None:
    clock = Clock()
    known = Revocations(at_once, clock=clock)
    with pytest.raises(RevocationsStale):
        known.check(IN)
    await known.refresh()
    assert known.ready
    known.check(IN)
    with pytest.raises(SessionRevoked):
        known.check(OUT)
    clock.seconds += 60
    known.check(IN)
    clock.seconds += 0.001
    for session in (IN, OUT):  # a revoked session also gets only this answer
        with pytest.raises(RevocationsStale):
            known.check(session)


async def test_the_minute_counts_from_the_request_and_not_from_a_slow_answer() -> None:
    clock, identity = Clock(), Identity()
    known = Revocations(identity.fetch, clock=clock)
    asking = asyncio.ensure_future(known.refresh())
    await identity.was_asked(1)
    clock.seconds += 61
    identity.gates[0].set()
    await asking
    with pytest.raises(RevocationsStale):
        known.check(IN)


async def test_an_older_answer_that_arrives_late_is_dropped() -> None:
    clock, identity = Clock(), Identity()
    identity.revoked = frozenset()
    known = Revocations(identity.fetch, clock=clock)
    slow = asyncio.ensure_future(known.refresh())
    await identity.was_asked(1)
    clock.seconds += 1
    identity.revoked = frozenset({OUT})
    quick = asyncio.ensure_future(known.refresh())
    await identity.was_asked(2)
    identity.gates[1].set()
    await quick
    identity.gates[0].set()
    await slow
    with pytest.raises(SessionRevoked):
        known.check(OUT)
