"""What every step of the journey has at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

import asyncpg
from unora.matching.v1.matching_service_pb2 import Connection
from unora.streak.v1.streak_service_pb2 import Streak

from unora_local.demo.client import Gateway, Session
from unora_local.demo.people import Member, SmsBox
from unora_local.demo.timeline import Note, Strip
from unora_local.run_folder import RunFolder


class RuleClock(Protocol):
    """The one clock for rules, and the superuser who moves it."""

    @property
    def superuser(self) -> asyncpg.Connection[asyncpg.Record]:
        """For the few things that no client can see."""

    async def now(self) -> datetime:
        """The time (UTC)."""

    async def move(self, to: datetime | timedelta) -> None:
        """Move forward, and settle."""

    async def settle(self) -> None:
        """Return when all that was caused is done."""


T = TypeVar("T")
R = TypeVar("R")
AT_ONCE: Final = 4
"""Members who do something at the same time: the machine may have two cores, and photos keep them busy."""


@dataclass
class Stage:
    """The stack, the members on it, and how far the story has come."""

    folder: RunFolder
    gateway: Gateway
    clock: RuleClock
    box: SmsBox
    strip: Strip = field(default_factory=Strip)
    sessions: list[Session] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    connection: Connection = field(default_factory=Connection)
    streak: Streak = field(default_factory=Streak)
    """As it was last seen."""

    @property
    def one(self) -> Member:
        """The first of the couple: sends an interest first, and never misses a day."""
        return self.members[0]

    @property
    def other(self) -> Member:
        """The second of the couple."""
        return self.members[1]

    @property
    def couple(self) -> tuple[Member, Member]:
        """Both."""
        return self.one, self.other

    @property
    def onlooker(self) -> Member:
        """Somebody else, who tries the time lock and later reads the audit."""
        return self.members[2]


StepFunction = Callable[[Stage, Note], Awaitable[None]]


async def for_all(items: Iterable[T], work: Callable[[T], Awaitable[R]], done: Callable[[int], None]) -> list[R]:
    """Do the work for each, a few at a time; `done` hears how many are ready. Results are in order."""
    gate = asyncio.Semaphore(AT_ONCE)
    ready = 0

    async def one(item: T) -> R:
        nonlocal ready
        async with gate:
            result = await work(item)
        ready += 1
        done(ready)
        return result

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None  # the first ended the others
    return [task.result() for task in tasks]
