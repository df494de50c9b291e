"""Steps all that runs by itself in a world until it is quiet, so that tests neither poll nor sleep."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Self

import nats
from nats.aio.client import Client
from unora_common.app import App
from unora_common.consumers import Consumer
from unora_common.streams import stream

ROUNDS: Final = 200
"""Whatever is not quiet after so many never will be."""


class Settling:
    """Knows how far each consumer has seen its stream, so that a quiet world costs little."""

    def __init__(self, admin: Client) -> None:
        self._nats = admin
        self._streams = admin.jetstream()
        self._seen: dict[Consumer, int] = {}

    @classmethod
    async def open(cls, url: str) -> Self:
        """With the admin's address of NATS."""
        return cls(await nats.connect(url))

    async def close(self) -> None:
        """Closes its connection."""
        await self._nats.close()

    async def empty(self) -> None:
        """Forgets what an earlier world told: consumers begin anew, and find nothing."""
        for found in await self._streams.streams_info():
            name = found.config.name
            assert name is not None
            for consumer in await self._streams.consumers_info(name):
                await self._streams.delete_consumer(name, consumer.name)
            await self._streams.purge_stream(name)

    async def settle(self, apps: Mapping[str, App[Any, Any]], deliver: Callable[[], Awaitable[int]]) -> None:
        """Lets everything happen that something has caused. `deliver` brings what came from outside; it and each step
        return how much they did.

        Events are followed until none is left; only then the jobs are asked again, which look at the whole database
        and mostly find nothing.
        """
        jobs = True
        for _ in range(ROUNDS):
            done = await asyncio.gather(deliver(), *(_work(app, jobs=jobs) for app in apps.values()))
            ends = await self._ends(apps)
            taken = await asyncio.gather(*(self._consume(app, ends) for app in apps.values()))
            quiet = not any((*done, *taken))
            if quiet and jobs:
                await asyncio.gather(*(app.revocations.refresh() for app in apps.values()))
                return
            jobs = quiet
        told = dict(zip(["deliver", *apps], done, strict=True)), dict(zip(apps, taken, strict=True))
        raise AssertionError(f"not quiet after {ROUNDS} rounds: {told}")

    async def _ends(self, apps: Mapping[str, App[Any, Any]]) -> dict[str, int]:
        """How far each stream goes that somebody reads."""
        read = sorted({consumer.consumes.stream for app in apps.values() for consumer in app.consumers})
        found = await asyncio.gather(*(self._streams.stream_info(stream(context)) for context in read))
        return {context: info.state.last_seq for context, info in zip(read, found, strict=True)}

    async def _consume(self, app: App[Any, Any], ends: Mapping[str, int]) -> int:
        """Lets each consumer take what there is. One that found nothing is not asked again before its stream goes on:
        to ask each in each round is most of what a quiet round would cost.
        """
        done = 0
        for consumer in app.consumers:
            end = ends[consumer.consumes.stream]
            if self._seen.get(consumer) != end:
                taken = await consumer.step()
                done += taken
                if not taken:
                    self._seen[consumer] = end
        return done


async def _work(app: App[Any, Any], *, jobs: bool) -> int:
    """What a service does and tells by itself; housekeeping, which goes by the machine's clock, left out."""
    done = 0
    for job in app.jobs[:-1] if jobs else ():
        done += await job.step()
    return done + await app.relay.step()
