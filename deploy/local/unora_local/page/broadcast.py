"""One subscription to all events, and for each page that listens the frames of its member's own events.

Nobody is waited for: a page that does not read is cut off, and no other notices.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from nats.aio.msg import Msg

from unora_local.env import Env
from unora_local.keyboard import tail
from unora_local.page import database, heard
from unora_local.page.refusals import EventsAway

WAITING: Final = 256
"""Frames that may wait for one page."""
AGAIN_AFTER: Final = 1.0
"""Seconds until NATS is tried again."""
LOG: Final = logging.getLogger(__name__)


@dataclass(eq=False)
class Listener:
    """One page that listens."""

    member: str
    is_cut: bool = False
    """Whether it has missed something: it must begin anew."""
    _frames: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(WAITING))

    def put(self, frame: bytes) -> None:
        """Keep a frame until it is sent; without room the listener is cut off."""
        try:
            self._frames.put_nowait(frame)
        except asyncio.QueueFull:
            self.cut()

    def cut(self) -> None:
        """End it, with what still waits."""
        self.is_cut = True
        while not self._frames.empty():
            self._frames.get_nowait()
        self._frames.put_nowait(b"")  # wakes who waits for the next one

    async def next(self, seconds: float) -> bytes | None:
        """The next frame; None after so many seconds, or when it is cut off."""
        try:
            async with asyncio.timeout(seconds):
                return await self._frames.get() or None
        except TimeoutError:
            return None


class Broadcast:
    """Those who listen now."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._ask = partial(database.members, env)
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self._hears = False

    @contextmanager
    def listener(self, member: str) -> Iterator[Listener]:
        """A listener that hears the member's own events inside the block. Raises EventsAway without a connection."""
        if not self._hears:
            raise EventsAway
        made = Listener(member)
        self._listeners[member].add(made)
        try:
            yield made
        finally:
            self._listeners[member].discard(made)
            if not self._listeners[member]:
                del self._listeners[member]

    async def run(self) -> None:
        """Hear all events until cancelled. When the connection ends, all listeners do: they have missed something."""
        while True:
            try:
                async with aclosing(tail.hear(self._env, [tail.ALL], self._begin)) as found:
                    await self._pass_on(found)
            except Exception as error:  # NATS or Postgres may be away for a while
                LOG.warning("events are not heard at the moment: %r", error)
            finally:
                self._end()
            await asyncio.sleep(AGAIN_AFTER)

    def _begin(self) -> None:
        self._hears = True

    def _end(self) -> None:
        self._hears = False
        for listeners in self._listeners.values():
            for each in listeners:
                each.cut()

    async def _pass_on(self, found: AsyncIterator[Msg]) -> None:
        async for message in found:
            event = heard.read(message) if self._listeners else None
            if event is None:
                continue
            for member in await heard.hearers_of(event, self._ask) & self._listeners.keys():
                for each in self._listeners[member]:
                    each.put(heard.frame(message, event, member))
