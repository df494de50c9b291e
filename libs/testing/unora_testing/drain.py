"""Steps the jobs, relays and consumers of all services until no work is left: tests need no polling and no sleep."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from nats.aio.client import Client
from unora_common.app import App
from unora_common.consumers import Consumer
from unora_common.streams import stream

from unora_testing.deadlines import GENEROUS

MAX_ROUNDS: Final = 200
"""More rounds with work than this are an endless loop."""


class Drainer:
    """Steps all services. It remembers how far each consumer has read its stream, so a drain without work is cheap."""

    def __init__(self, admin: Client) -> None:
        self._nats = admin
        self._streams = admin.jetstream(timeout=GENEROUS)
        self._seen: dict[Consumer, int] = {}

    async def close(self) -> None:
        """Close the connection."""
        await self._nats.close()

    async def reset(self) -> None:
        """Remove the messages of earlier worlds, also for the consumers that had not acknowledged them."""
        names = [found.config.name for found in await self._streams.streams_info()]
        await asyncio.gather(*(self._streams.purge_stream(name) for name in names if name))

    async def drain(
        self, apps: Mapping[str, App[Any, Any]], deliver: Callable[[], Awaitable[int]], *, events_first: bool = False
    ) -> None:
        """Step everything until no work is left. `deliver` sends webhooks; it and each step return how much they did.

        Jobs read the whole database and mostly find nothing, so they run again only when no event is left, and with
        `events_first` only then.
        """
        jobs = not events_first
        for _ in range(MAX_ROUNDS):
            done = await asyncio.gather(deliver(), *(_step_jobs_and_relay(app, jobs=jobs) for app in apps.values()))
            ends = await self._last_sequences(apps)
            taken = await asyncio.gather(*(self._step_consumers(app, ends) for app in apps.values()))
            idle = not any((*done, *taken))
            if idle and jobs:
                return
            jobs = idle
        left = dict(zip(["deliver", *apps], done, strict=True)), dict(zip(apps, taken, strict=True))
        raise AssertionError(f"still work after {MAX_ROUNDS} rounds: {left}")

    async def _last_sequences(self, apps: Mapping[str, App[Any, Any]]) -> dict[str, int]:
        """The last sequence number of each stream that has a consumer."""
        read = sorted({consumer.consumes.stream for app in apps.values() for consumer in app.consumers})
        found = await asyncio.gather(*(self._streams.stream_info(stream(context)) for context in read))
        return {context: info.state.last_seq for context, info in zip(read, found, strict=True)}

    async def _step_consumers(self, app: App[Any, Any], ends: Mapping[str, int]) -> int:
        """Step each consumer. One that found nothing is not stepped again until its stream has new messages: asking
        every consumer would be most of the cost of a round without work.
        """
        done = 0
        for consumer in app.consumers:
            end = ends[consumer.consumes.stream]
            if self._seen.get(consumer) != end:
                taken = await consumer.step()
                done += taken or consumer.waiting  # an event that the consumer waits for is work that is left
                if not taken and not consumer.waiting:
                    self._seen[consumer] = end
        return done


async def _step_jobs_and_relay(app: App[Any, Any], *, jobs: bool) -> int:
    """Step the jobs, the followers and the relay of a service, without the last job: housekeeping uses the machine's
    clock.
    """
    done = 0
    for job in (*app.jobs[:-1], *app.followers) if jobs else ():
        done += await job.step()
    return done + await app.relay.step()
