"""XX-07: turns for work on pictures: few at once, few of each member, and a short queue."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final
from uuid import UUID

from unora_common.errors import Exhausted

REMEMBERED: Final = 1000
"""Members whose last turn is known. One who is forgotten counts as one who had none."""


class PhotoWorkBusy(Exhausted):
    """XX-07: too many pictures are in work, of all members or of this one. The metadata say after how many seconds it
    is worth another try: retry_after.
    """

    reason = "PHOTO_WORK_BUSY"
    sentence = "Too many photos are being checked at the moment. Try again in a few seconds."


class PhotoWork:
    """Gives the next turn to the member whose last turn is longest ago: a few who upload without end do not keep others
    waiting. One member has at most all turns but one in work.
    """

    def __init__(self, *, at_once: int, per_member: int, queue: int, wait: timedelta) -> None:
        """`per_member` counts pictures in work and in the queue; `queue` those in the queue, at most for `wait`."""
        self._at_once = at_once
        self._per_member = per_member
        self._in_work_per_member = max(1, min(per_member, at_once - 1))
        self._most_waiting = queue
        self._wait = wait
        self._working: Counter[UUID] = Counter()
        self._waiting: list[tuple[UUID, asyncio.Future[None]]] = []
        self._turns = 0
        self._last_turns: OrderedDict[UUID, int] = OrderedDict()
        """The number of the last turn of each member who had one lately, the oldest first."""

    @asynccontextmanager
    async def turn(self, user: UUID) -> AsyncIterator[None]:
        """A turn for one picture of this member. Raises PhotoWorkBusy: at once if the queue is full or the member has
        too many pictures already, or after a while in the queue.
        """
        await self._take(user)
        try:
            yield
        finally:
            self._give_back(user)

    @property
    def waiting(self) -> int:
        """How many pictures are in the queue."""
        return len(self._waiting)

    async def _take(self, user: UUID) -> None:
        waiting = sum(member == user for member, _ in self._waiting)
        if self._working[user] + waiting >= self._per_member:
            raise self._busy()
        if self._free(user):
            self._begin(user)
            return
        if len(self._waiting) >= self._most_waiting:
            raise self._busy()
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((user, turn))
        try:
            async with asyncio.timeout(self._wait.total_seconds()):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():  # given in the moment in which the caller stopped waiting
                self._give_back(user)
            else:
                self._waiting.remove((user, turn))
            if isinstance(error, TimeoutError):
                raise self._busy() from None
            raise

    def _give_back(self, user: UUID) -> None:
        self._working[user] -= 1
        if not self._working[user]:
            del self._working[user]
        longest_ago = sorted(self._waiting, key=lambda entry: self._last_turns.get(entry[0], 0))
        for entry in longest_ago:
            if self._free(entry[0]) and not entry[1].done():
                self._waiting.remove(entry)
                self._begin(entry[0])
                entry[1].set_result(None)

    def _begin(self, user: UUID) -> None:
        self._working[user] += 1
        self._turns += 1
        self._last_turns[user] = self._turns
        self._last_turns.move_to_end(user)
        if len(self._last_turns) > REMEMBERED:
            self._last_turns.popitem(last=False)

    def _free(self, user: UUID) -> bool:
        return self._working.total() < self._at_once and self._working[user] < self._in_work_per_member

    def _busy(self) -> PhotoWorkBusy:
        return PhotoWorkBusy(self._wait.total_seconds())
