"""Consumers: each event is applied exactly once, in one transaction with the note that it was (XX-02).

Deliveries repeat and come out of order. The event is acknowledged after the commit. An event that raises `Later`, or
whose work meets something unavailable, is delivered again without being counted as failed; one that fails otherwise
goes to the dead letters at its fifth failure, with its error, while others go on.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import grpc
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from unora_common import call, trace
from unora_common.database import AWAY
from unora_common.declare import Consumes, Envelope
from unora_common.errors import Later, Unavailable
from unora_common.logs import describe
from unora_common.streams import stream

if TYPE_CHECKING:
    from unora_common.service import App

BATCH = 100
MOST_FAILURES = 5
LATER_DELAY = 1.0
REST_WITHIN = 0.2
"""Seconds for messages that the stream has already; a replica may have taken them."""
PASSING = (
    Later,
    Unavailable,
    TimeoutError,
    *AWAY,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
)
PASSING_STATUS = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}


def durable_name(context: str, consumes: Consumes) -> str:
    """The durable consumer's name on the stream of the context that tells."""
    return f"{context}__{consumes.name}"


class Consumer:
    """One durable consumer of one process; replicas share its messages."""

    def __init__(self, app: App[Any], consumes: Consumes, method: Any) -> None:
        self.consumes = consumes
        self.name = durable_name(app.context, consumes)
        self._app = app
        self._method = method
        self._log = app.log.bind(consumer=self.name)
        self._subscription: JetStreamContext.PullSubscription | None = None
        schema = app.context
        self._note = f"""
            INSERT INTO {schema}.inbox (consumer, event_id) SELECT $1, unnest($2::uuid[])
            ON CONFLICT DO NOTHING RETURNING event_id"""
        self._count = f"""
            INSERT INTO {schema}.inbox_failures AS f (consumer, event_id, failures, error) VALUES ($1, $2, 1, $3)
            ON CONFLICT (consumer, event_id) DO UPDATE
            SET failures = f.failures + 1, error = excluded.error, failed_at = clock_timestamp() RETURNING failures"""

    async def run(self) -> None:
        """Applies events until cancelled; survives the loss of NATS, of its stream and of Postgres."""
        while True:
            try:
                await self.step(wait=5.0)
            except Exception as error:  # whatever it is, the other events must not wait for a restart
                self._log.warning("consumer interrupted", failure=error)
                await self._let_go()
                await asyncio.sleep(1.0)

    async def step(self, wait: float = 0.0) -> int:
        """Takes what there is, waiting so many seconds for something; returns how many messages it took."""
        subscription = await self._subscribed()
        messages = await (_await_some(subscription, wait) if wait else _take_all(subscription))
        if not messages:
            return 0
        events = [message for message in messages if await self._is_event(message)]
        if self.consumes.event is None and events:
            await self._apply(events)
        else:
            for message in events:
                await self._apply([message])
        if not wait:
            await self._app.nats.flush()  # so that the next look does not count what was acknowledged
        return len(messages)

    async def _subscribed(self) -> JetStreamContext.PullSubscription:
        if self._subscription is None:
            name = stream(self.consumes.stream)
            config = ConsumerConfig(
                name=self.name,
                durable_name=self.name,
                filter_subject=self.consumes.subject,
                ack_policy=AckPolicy.EXPLICIT,
                deliver_policy=DeliverPolicy.ALL,
                ack_wait=self._app.config.redelivery_seconds,
                max_ack_pending=1000,
            )
            try:
                await self._app.stream.add_consumer(name, config)
            except NotFoundError as error:
                raise Later(f"stream {name} is not there yet") from error
            self._subscription = await self._app.stream.pull_subscribe_bind(self.name, name)
        return self._subscription

    async def _let_go(self) -> None:
        """Subscribes anew at the next step: the stream may have been made again, without this consumer."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with suppress(Exception):  # what made us let go may be that NATS is away
                await subscription.unsubscribe()

    async def _is_event(self, message: Msg) -> bool:
        """Only relays write to a stream. What came otherwise has no id under which it could be applied once."""
        if "ce-id" in (message.headers or {}):
            return True
        self._log.error("not an event", subject=message.subject)
        await message.term()
        return False

    async def _apply(self, messages: list[Msg]) -> None:
        """Applies a batch in one transaction; when that fails and it holds several, each by itself."""
        first = messages[0]
        trace.begin((first.headers or {}).get(trace.HEADER, ""))
        call.set_deadline(20.0)
        try:
            await self.transact(messages)
        except Exception as error:
            if len(messages) == 1:
                await self._refuse(first, error)
                return
            for message in messages:
                await self._apply([message])
            return
        for message in messages:
            await message.ack()
        self._app.metrics.events_applied.labels(self.name).inc(len(messages))

    async def transact(self, messages: list[Msg]) -> None:
        """Applies what is new of the messages, in one transaction; several only for a consumer of all events."""
        more: tuple[Any, ...] = ()
        event = None
        if self.consumes.event is not None:
            event = self.consumes.event.FromString(messages[0].data)
            if self.consumes.prepare:
                more = (await self.consumes.prepare(self._method.__self__, event),)
        by_id = {UUID(message.headers["ce-id"]): message for message in messages if message.headers}
        async with self._app.database.transaction() as tx:
            new = {row["event_id"] for row in await tx.rows(self._note, self.name, list(by_id))}
            if not new:
                return
            if event is not None:
                await self._method(event, tx, *more)
            else:
                await self._method([_envelope(message) for key, message in by_id.items() if key in new], tx)

    async def _refuse(self, message: Msg, error: Exception) -> None:
        if isinstance(error, PASSING) or (isinstance(error, grpc.aio.AioRpcError) and error.code() in PASSING_STATUS):
            self._log.info("event waits", subject=message.subject, error=describe(error))
            await message.nak(delay=min(LATER_DELAY, *self._app.config.retry_delays))
            return
        identifier = UUID((message.headers or {})["ce-id"])
        text = describe(error)
        async with self._app.database.transaction() as tx:
            failures: int = await tx.value(self._count, self.name, identifier, text)
        self._log.error(
            "event failed", subject=message.subject, event_id=str(identifier), failures=failures, failure=error
        )
        if failures < MOST_FAILURES:
            delays = self._app.config.retry_delays
            await message.nak(delay=delays[min(failures, len(delays)) - 1])
            return
        await self._app.dead_letters.bury(message, self.name, text)
        await message.term()


async def _await_some(subscription: JetStreamContext.PullSubscription, wait: float) -> list[Msg]:
    """Waits for one message and takes what waits behind it.

    Asked for many at once, the client often goes on waiting for the rest until its time is over: a single event would
    lie there for seconds.
    """
    try:
        messages: list[Msg] = await subscription.fetch(1, timeout=wait)
        if messages and (behind := min(messages[0].metadata.num_pending, BATCH - 1)):
            messages += await _fetch(subscription, behind, REST_WITHIN)
    except TimeoutError:
        return []
    return messages


async def _take_all(subscription: JetStreamContext.PullSubscription) -> list[Msg]:
    """Takes what there is now."""
    info = await subscription.consumer_info()
    waiting = min(BATCH, (info.num_pending or 0) + (info.num_ack_pending or 0))
    return await _fetch(subscription, waiting, 1.0) if waiting else []


async def _fetch(subscription: JetStreamContext.PullSubscription, count: int, seconds: float) -> list[Msg]:
    try:
        messages: list[Msg] = await subscription.fetch(count, timeout=seconds)
    except TimeoutError:
        return []
    return messages


def _envelope(message: Msg) -> Envelope:
    headers = message.headers or {}
    return Envelope(
        event_id=headers["ce-id"],
        subject=headers.get("unora-subject", message.subject),  # a dead letter lies on a subject of its own
        aggregate_id=headers["ce-subject"],
        time=headers["ce-time"],
        payload=message.data,
    )
