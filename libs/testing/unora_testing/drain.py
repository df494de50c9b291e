"""Steps the jobs, relays and consumers of all services until no work is left: tests need no polling and no sleep."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import asyncpg
from nats.aio.client import Client
from nats.js.api import StreamState
from unora_common.app import App
from unora_common.common_metrics import EVENTS_APPLIED
from unora_common.consumers import Consumer
from unora_sdk.again import again_subject
from unora_sdk.names import stream

from unora_testing.arrivals import ALL, counted
from unora_testing.deadlines import GENEROUS

MAX_ROUNDS: Final = 200
"""More rounds with work than this are an endless loop."""
SLOW: Final = 300.0
"""Jobs that run every so many seconds or less often clean up, by the machine's clock."""


class Drainer:
    """Steps all services. Relays and consumers are only stepped if there is something for them: most of the cost of a
    drain would be to ask each of them. It remembers how far each consumer has read its stream.
    """

    def __init__(self, admin: Client, database: asyncpg.Connection[asyncpg.Record]) -> None:
        """`database` sees the outboxes of all contexts; nothing else may use it."""
        self._nats = admin
        self._database = database
        self._streams = admin.jetstream(timeout=GENEROUS)
        self._seen: dict[Consumer, tuple[int, int]] = {}
        self._empty: dict[Consumer, tuple[int, int]] = {}
        """Consumers for which their stream had nothing, although it had got messages."""

    async def close(self) -> None:
        """Close the connections."""
        await self._nats.close()
        await self._database.close()

    def counted(self, context: str, least: int = 0) -> AbstractAsyncContextManager[None]:
        """A block at whose end the consumers of a context's stream know the messages that came inside."""
        return counted(self._streams, context, least)

    async def reset(self) -> None:
        """Remove the messages of earlier worlds, also for the consumers that had not acknowledged them."""
        names = [found.config.name for found in await self._streams.streams_info()]
        await asyncio.gather(*(self._streams.purge_stream(name) for name in names if name))

    async def drain(
        self, apps: Mapping[str, App[Any, Any]], deliver: Callable[[], Awaitable[int]], *, clock_moved: bool = False
    ) -> None:
        """Step everything until no work is left. `deliver` sends webhooks; it and each step return how much they did.

        Jobs read the whole database and mostly find nothing. So they run when no event is left, and again only in
        contexts that have done something since. With `clock_moved` they run at once as well, also those that clean up:
        their tests call them, and moving the rule clock must not make them delete anything.
        """
        due, jobs, slow = set(apps), clock_moved, clock_moved
        read = {consumer.consumes.stream for app in apps.values() for consumer in app.consumers}
        states = await self._states(read)
        for _ in range(MAX_ROUNDS):
            asked = due if jobs else set[str]()
            delivered, *found = await asyncio.gather(deliver(), *(_step_jobs(apps[name], slow=slow) for name in asked))
            slow = False
            published = await self._publish(apps)
            states |= await self._states(read & published.keys())
            taken = await asyncio.gather(*(self._step_consumers(app, states) for app in apps.values()))
            worked = {name for name, number in zip(asked, found, strict=True) if number}
            worked |= {name for name, number in published.items() if number}
            worked |= {name for name, number in zip(apps, taken, strict=True) if number}
            due = set(apps) if delivered else (due - asked) | worked
            jobs = not delivered and not worked
            if jobs and not due:
                return
        left = delivered, dict(zip(asked, found, strict=True)), published, dict(zip(apps, taken, strict=True))
        raise AssertionError(f"still work after {MAX_ROUNDS} rounds: {left}")

    async def _publish(self, apps: Mapping[str, App[Any, Any]]) -> dict[str, int]:
        """Step the relay of each context that has unpublished events: how many it published."""
        each = (f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name}.outbox WHERE published_at IS NULL)" for name in apps)
        waiting = [row[0] for row in await self._database.fetch(" UNION ALL ".join(each))]
        return dict(zip(waiting, await asyncio.gather(*(apps[name].relay.step() for name in waiting)), strict=True))

    async def _states(self, contexts: Collection[str]) -> dict[str, StreamState]:
        """The state of streams, with the number of messages of each subject."""
        found = await asyncio.gather(*(self._streams.stream_info(stream(name), ALL) for name in contexts))
        return {name: info.state for name, info in zip(contexts, found, strict=True)}

    async def _step_consumers(self, app: App[Any, Any], states: Mapping[str, StreamState]) -> int:
        """Step each consumer. One that applied all that its stream had for it is not stepped again until there is
        more.
        """
        done = 0
        for consumer in app.consumers:
            subject = consumer.consumes.subject
            end = _end(states[consumer.consumes.stream], subject, again_subject(subject, consumer.name))
            if not end[1] and consumer not in self._seen:
                self._seen[consumer] = end  # its stream has had nothing for it yet: most consumers of most worlds
            if self._seen.get(consumer) != end:
                before = _count_applied(app, consumer)
                taken = await consumer.step()
                done += taken or consumer.waiting  # an event that the consumer waits for is work that is left
                if _count_applied(app, consumer) - before == consumer.waiting:
                    # A stream counts a message a moment before its consumers do: to find nothing counts only twice.
                    if consumer.waiting or not end[1] or self._empty.get(consumer) == end:
                        self._seen[consumer] = end
                    else:
                        self._empty[consumer] = end
                        done += 1
        return done


def _count_applied(app: App[Any, Any], consumer: Consumer) -> int:
    """How many events the consumer has applied and acknowledged, by its metric."""
    (metric,) = app.metrics.of(EVENTS_APPLIED).labels(consumer.name).collect()
    return next(int(sample.value) for sample in metric.samples if sample.name.endswith("_total"))


def _end(state: StreamState, subject: str, again: str) -> tuple[int, int]:
    """What changes if a stream gets messages of these subjects, or loses all that it has."""
    found = state.subjects or {}
    of_all = state.last_seq if state.messages else 0
    number = of_all if subject.endswith(ALL) else found.get(subject, 0) + found.get(again, 0)
    return state.first_seq, number


async def _step_jobs(app: App[Any, Any], *, slow: bool) -> int:
    """Step the jobs and the followers of a service, without the last job, housekeeping; the slow ones on demand."""
    jobs = [job for job in (*app.jobs[:-1], *app.followers) if slow or job.every.seconds < SLOW]
    return sum([await job.step() for job in jobs])
