"""A member who changes the words about a hobby again and again. Each answered change has a number, so that what a
disaster costs can be counted. Each is a change of the card, and so an event.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

import asyncpg
from unora.identity.v1.profile_service_pb2 import ListHobbiesRequest, SetHobbiesRequest
from unora_local.client import Refused, Session, request_id

CALL_INTERVAL: Final = 0.2
"""Seconds between two changes: as precisely as that is told what was lost."""
ANSWERED_WITHIN: Final = 120.0
# Words, since the contact guard refuses figures (PR-10).
FIRST: Final = ("walks", "tea", "maps", "rivers", "bread", "letters", "gardens", "kites", "stars", "trains")
MORE_WORDS: Final = ("music", "chess", "snow", "soup", "paint", "clay", "birds", "boats", "hills", "rain")
NUMBERS: Final = len(FIRST) ** 2 * len(MORE_WORDS)
SAID: Final = "SELECT micro_description FROM identity.hobbies WHERE user_id = $1 ORDER BY position LIMIT 1"


def words(number: int) -> str:
    """What is said at a number below NUMBERS."""
    hundreds, rest = divmod(number, len(FIRST) * len(MORE_WORDS))
    tens, units = divmod(rest, len(MORE_WORDS))
    return f"Long {FIRST[hundreds]}, slow {FIRST[tens]}, quiet {MORE_WORDS[units]}."


@dataclass
class Diary:
    """Inside `async with` the member writes. Times are of this machine's monotonic clock, in seconds."""

    session: Session
    answered: list[float] = field(default_factory=list)
    """When the change of each number was answered."""
    refused: list[tuple[float, str]] = field(default_factory=list)
    """When a change was not answered, and with which code and reason."""
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._write())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def until_answered(self, more: int = 1) -> None:
        """Return when so many further changes have been answered. Raises TimeoutError."""
        wanted = len(self.answered) + more
        async with asyncio.timeout(ANSWERED_WITHIN):
            while len(self.answered) < wanted:
                if self._task is not None and self._task.done():
                    self._task.result()
                await asyncio.sleep(CALL_INTERVAL / 4)

    async def kept(self, superuser: asyncpg.Connection[asyncpg.Record]) -> int:
        """How many of the answered changes there are in the database: the number of the last, plus one."""
        said = await superuser.fetchval(SAID, self.session.user_id)
        return next((number + 1 for number in reversed(range(len(self.answered) + 1)) if words(number) == said), 0)

    def lost_seconds(self, kept: int) -> float:
        """For how many seconds answers were given that are lost, if the first `kept` are there."""
        return self.answered[-1] - self.answered[kept - 1] if 0 < kept < len(self.answered) else 0.0

    def outage(self, since: float) -> float:
        """Seconds from the first change that was not answered to the next one that was; 0 if all were."""
        first = next((at for at, _ in self.refused if at >= since), None)
        if first is None:
            return 0.0
        return next((at for at in self.answered if at > first), time.monotonic()) - first

    def reasons(self) -> str:
        """With what changes were refused, and how often."""
        found = Counter(reason for _, reason in self.refused)
        return ", ".join(f"{number} × {reason}" for reason, number in found.most_common(3)) or "nothing"

    async def _write(self) -> None:
        profiles = self.session.gateway.profiles
        hobbies = list((await self.session.call(profiles.ListHobbies, ListHobbiesRequest())).hobbies)
        while not self._stopping.is_set():
            hobbies[0].micro_description = words(len(self.answered) % NUMBERS)
            try:
                await self.session.call(
                    profiles.SetHobbies, SetHobbiesRequest(request_id=request_id(), hobbies=hobbies)
                )
            except Refused as error:
                self.refused.append((time.monotonic(), f"{error.code} {error.reason}".strip()))
            else:
                self.answered.append(time.monotonic())
            await asyncio.sleep(CALL_INTERVAL)
