"""Consumers: each event is applied exactly once, in one transaction with its inbox row (XX-02).

Deliveries repeat and come out of order. The event is acknowledged after the commit. If the handler raises RetryLater or
another transient error, the event is delivered again and not counted as failed. Another error counts as a failure; at
the fifth the event goes to the dead letters with its error. Other events go on meanwhile.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any
from uuid import UUID

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from unora_common import call, trace
from unora_common.dead_letters import DeadLetters
from unora_common.errors import RetryLater
from unora_common.handlers import Consumes, Envelope
from unora_common.logs import describe
from unora_common.messaging import Messaging
from unora_common.outages import Outage
from unora_common.runtime import AnyRuntime
from unora_common.streams import stream
from unora_common.transient import is_transient

BATCH = 100
MAX_ATTEMPTS = 5
TRANSIENT_DELAY = 1.0
"""Seconds until an event that met a transient error is delivered again, at most."""
FETCH_TIMEOUT = 0.2
"""Seconds to wait for messages that the stream has already: another replica may have taken them."""
HANDLER_SECONDS = 20.0
"""The deadline of a handler; calls to other contexts get less."""


def durable_name(context: str, consumes: Consumes) -> str:
    """The name of the durable consumer, on the stream of the context that emits the event."""
    return f"{context}__{consumes.name}"


class Consumer:
    """One durable consumer of one process; replicas share its messages."""

    def __init__(
        self,
        runtime: AnyRuntime,
        messaging: Messaging,
        dead_letters: DeadLetters,
        consumes: Consumes,
        method: Any,
    ) -> None:
        self.consumes = consumes
        self.name = durable_name(runtime.context, consumes)
        self._database = runtime.database
        self._config = runtime.config
        self._messaging = messaging
        self._jetstream = messaging.jetstream
        self._dead_letters = dead_letters
        self._method = method
        self._log = runtime.log.bind(consumer=self.name)
        self._outage = Outage(self._log, "consumer interrupted")
        self._applied = runtime.metrics.events_applied.labels(self.name)
        self._subscription: JetStreamContext.PullSubscription | None = None
        self.waiting = 0
        """How many messages the stream had for this consumer at its last step without a wait. That step takes none of
        them if they do not come at once: another replica may have them, or the machine is busy.
        """
        schema = runtime.context
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
                self._outage.over()
            except Exception as error:  # whatever it is, the consumer must go on without a restart
                self._outage.failed(error)
                await self._unsubscribe()
                await asyncio.sleep(1.0)

    async def step(self, wait: float = 0.0) -> int:
        """Applies a batch; waits up to `wait` seconds for the first message. Returns how many messages it took."""
        subscription = await self._subscribed()
        messages = await (_await_some(subscription, wait) if wait else self._take_all(subscription))
        if not messages:
            return 0
        events = [message for message in messages if await self._is_event(message)]
        if self.consumes.event is None and events:
            await self._apply(events)
        else:
            for message in events:
                await self._apply([message])
        if not wait:
            await self._messaging.flush()  # so that the next look does not count what was acknowledged
        return len(messages)

    async def _take_all(self, subscription: JetStreamContext.PullSubscription) -> list[Msg]:
        """Takes the messages that are there now, without waiting for more."""
        info = await subscription.consumer_info()
        self.waiting = (info.num_pending or 0) + (info.num_ack_pending or 0)
        return await _fetch(subscription, min(BATCH, self.waiting), 1.0) if self.waiting else []

    async def _subscribed(self) -> JetStreamContext.PullSubscription:
        if self._subscription is None:
            name = stream(self.consumes.stream)
            config = ConsumerConfig(
                name=self.name,
                durable_name=self.name,
                filter_subject=self.consumes.subject,
                ack_policy=AckPolicy.EXPLICIT,
                deliver_policy=DeliverPolicy.ALL,
                ack_wait=self._config.redelivery_seconds,
                max_ack_pending=1000,
            )
            try:
                await self._jetstream.add_consumer(name, config)
            except NotFoundError as error:
                raise RetryLater(f"stream {name} is not there yet") from error
            self._subscription = await self._jetstream.pull_subscribe_bind(self.name, name)
        return self._subscription

    async def _unsubscribe(self) -> None:
        """Makes the next step subscribe anew: the stream may have been created again, without this consumer."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with suppress(Exception):  # NATS may be away
                await subscription.unsubscribe()

    async def _is_event(self, message: Msg) -> bool:
        """Whether a relay wrote the message. Another message has no event id, so it cannot be applied exactly once."""
        if "ce-id" in (message.headers or {}):
            return True
        self._log.error("not an event", subject=message.subject)
        await message.term()
        return False

    async def _apply(self, messages: list[Msg]) -> None:
        """Applies a batch in one transaction; if that fails, each of its messages in a transaction of its own."""
        first = messages[0]
        trace.begin((first.headers or {}).get(trace.HEADER, ""))
        call.set_deadline(HANDLER_SECONDS)
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
        self._applied.inc(len(messages))

    async def transact(self, messages: list[Msg]) -> None:
        """Applies the messages that are new, in one transaction; several only for a consumer of all events."""
        more: tuple[Any, ...] = ()
        event = None
        if self.consumes.event is not None:
            event = self.consumes.event.FromString(messages[0].data)
            if self.consumes.prepare:
                more = (await self.consumes.prepare(self._method.__self__, event),)
        by_id = {UUID(message.headers["ce-id"]): message for message in messages if message.headers}
        async with self._database.transaction() as tx:
            new = {row["event_id"] for row in await tx.rows(self._note, self.name, list(by_id))}
            if not new:
                return
            if event is not None:
                await self._method(event, tx, *more)
            else:
                await self._method([_envelope(message) for key, message in by_id.items() if key in new], tx)

    async def _refuse(self, message: Msg, error: Exception) -> None:
        if is_transient(error):
            self._log.info("event waits", subject=message.subject, error=describe(error))
            await message.nak(delay=min(TRANSIENT_DELAY, *self._config.retry_delays))
            return
        identifier = UUID((message.headers or {})["ce-id"])
        text = describe(error)
        async with self._database.transaction() as tx:
            failures: int = await tx.value(self._count, self.name, identifier, text)
        self._log.error(
            "event failed", subject=message.subject, event_id=str(identifier), failures=failures, failure=error
        )
        if failures < MAX_ATTEMPTS:
            delays = self._config.retry_delays
            await message.nak(delay=delays[min(failures, len(delays)) - 1])
            return
        await self._dead_letters.publish(message, self.name, text)
        await message.term()


async def _await_some(subscription: JetStreamContext.PullSubscription, wait: float) -> list[Msg]:
    """Waits for one message, then takes those behind it.

    If the client is asked for many messages at once, it often waits for all of them until its timeout: a single event
    would then wait for seconds.
    """
    try:
        messages: list[Msg] = await subscription.fetch(1, timeout=wait)
        if messages and (behind := min(messages[0].metadata.num_pending, BATCH - 1)):
            messages += await _fetch(subscription, behind, FETCH_TIMEOUT)
    except TimeoutError:
        return []
    return messages


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
        subject=headers.get("unora-subject", message.subject),  # a dead letter has a subject of its own
        aggregate_id=headers["ce-subject"],
        time=headers["ce-time"],
        payload=message.data,
    )
