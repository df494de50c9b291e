"""Consumers: each event is applied exactly once, in one transaction with its inbox row (XX-02).

Deliveries repeat and come out of order. The event is acknowledged after the commit. If the handler raises RetryLater or
another transient error, the event is delivered again and not counted as failed. Another error counts as a failure; at
the fifth the event goes to the dead letters with its error. Other events go on meanwhile. A message that is no event of
its stream (`deliveries.py`) goes there at once.

A method that takes many events (`on_batch`, `on_all`) gets a batch in one transaction. If that fails, its halves are
tried, so that one event holds up no other. A method that takes one event (`on`) runs for several aggregates at once.

The platform makes the durable consumers (`streams.py`); a process only takes from them.
"""

from __future__ import annotations

import asyncio
from typing import Any

from nats.aio.msg import Msg
from nats.js.errors import NotFoundError
from unora_sdk.deliveries import Delivery
from unora_sdk.names import stream
from unora_sdk.nats_client import publication
from unora_sdk.pull import Pull

from unora_common import call
from unora_common.applied import Applied
from unora_common.common_metrics import DEAD_LETTERS_MOVED, EVENTS_FAILED
from unora_common.dead_letters import DeadLetters
from unora_common.errors import RetryLater
from unora_common.event_reader import EventReader
from unora_common.handler_marks import Consumes
from unora_common.inbox import Inbox
from unora_common.logs import describe
from unora_common.messaging import Messaging
from unora_common.outages import Outage
from unora_common.runtime import AnyRuntime
from unora_common.transient import CONFLICTS, is_transient

BATCH = 100
"""How many messages a step takes for a method that takes one event."""
LARGE_BATCH = 500
"""The same for a method that takes many."""
MOST_TAKES = 3
"""How many times more a step takes that wants what is there now, if the server gave it a part."""
AGGREGATES = 4
"""How many aggregates one consumer handles at once."""
MAX_OUTAGES = 20
"""How many transactions of one batch may meet transient errors. Then the rest of it waits: something is away."""
MAX_ATTEMPTS = 5
TRANSIENT_DELAY = 1.0
"""Seconds until an event that met a transient error is delivered again, at most."""
HANDLER_SECONDS = 20.0
"""The deadline of a handler; calls to other contexts get less."""
EVENTS_OWN: tuple[type[Exception], ...] = (RetryLater, *CONFLICTS)
"""Transient errors that say nothing of other events."""


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
        self.name = consumes.durable_name(runtime.context)
        self._database = runtime.database
        self._config = runtime.config
        self._messaging = messaging
        self._dead_letters = dead_letters
        self._method = method
        self._reader = EventReader(runtime, dead_letters, consumes, self.name)
        self._inbox = Inbox(runtime.context, self.name, of_erased=consumes.of_erased)
        self._tracing = runtime.tracing
        self._log = runtime.log.bind(consumer=self.name)
        self._outage = Outage(self._log, "consumer interrupted")
        self._applied = Applied(runtime, self.name)
        self._failed = runtime.metrics.of(EVENTS_FAILED).labels(self.name)
        runtime.metrics.of(DEAD_LETTERS_MOVED).labels(self.name)  # it is there from the start, with 0
        self._batch = LARGE_BATCH if consumes.many else BATCH
        self._pull: Pull | None = None
        self.waiting = 0
        """How many messages the stream had for this consumer at its last step without a wait. If they do not come at
        once, that step takes none of them: another replica may have taken them, or the machine is busy.
        """

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
        pull = await self._subscribed()
        messages = await (pull.take(self._batch, wait) if wait else self._take_all(pull))
        if not messages:
            return 0
        events = await self._reader.read(messages)
        if self.consumes.many:
            await self._apply(events)
        else:
            await self._apply_singly(events)
        if not wait:
            await self._messaging.flush()  # so that the next look does not count what was acknowledged
        return len(messages)

    async def _take_all(self, pull: Pull) -> list[Msg]:
        """Takes the messages that are there now, without waiting for more. A busy server may give only some of them at
        once.
        """
        info = await pull.info()
        self.waiting = (info.num_pending or 0) + (info.num_ack_pending or 0)
        messages = await pull.take(min(self._batch, self.waiting), 1.0) if self.waiting else []
        wanted = min(self._batch, info.num_pending or 0)
        for _ in range(MOST_TAKES):
            if len(messages) >= wanted or not (await pull.info()).num_pending:
                break
            messages += await pull.take(wanted - len(messages), 1.0)
        return messages

    async def _subscribed(self) -> Pull:
        if self._pull is None:
            client, jetstream = self._messaging.client, self._messaging.jetstream
            pull = Pull(client, jetstream, stream(self.consumes.stream), self.name)
            try:
                await pull.info()
            except NotFoundError as error:
                raise RetryLater(f"the platform has not made the consumer {self.name} yet") from error
            self._pull = pull
        return self._pull

    async def _unsubscribe(self) -> None:
        """Makes the next step subscribe anew: stream and consumer may have been made again."""
        pull, self._pull = self._pull, None
        if pull is not None:
            await pull.close()

    async def _apply_singly(self, events: list[Delivery]) -> None:
        """Applies each event in a transaction of its own: those of one aggregate in their order, some aggregates at
        once.
        """
        aggregates: dict[str, list[Delivery]] = {}
        for event in events:
            aggregates.setdefault(event.envelope.aggregate_id, []).append(event)
        waiting = iter(aggregates.values())

        async def work() -> None:
            for of_one in waiting:
                for event in of_one:
                    await self._apply([event])

        workers = (work() for _ in range(min(AGGREGATES, len(aggregates))))
        for result in await asyncio.gather(*workers, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _apply(self, events: list[Delivery]) -> None:
        """Applies events in one transaction; if that fails, each half of them in one, and so on."""
        outages, parts = 0, [events] if events else []
        while parts:
            part = parts.pop()
            error = await self._try(part)
            if error is None:
                continue
            outage = is_transient(error) and not isinstance(error, EVENTS_OWN)
            outages += outage
            if len(part) == 1:
                await self._refuse(part[0], error)
            elif outage and outages > MAX_OUTAGES:
                for event in part:
                    await self._refuse(event, error)
            else:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]

    async def _try(self, events: list[Delivery]) -> Exception | None:
        """Applies events in one transaction, and acknowledges them. Returns the error if nothing was applied."""
        call.set_deadline(HANDLER_SECONDS)
        try:
            await self.transact_in_trace(events)
        except Exception as error:
            return error
        await self._messaging.client.send([publication(event.message.reply) for event in events])
        self._applied.note(events)
        return None

    async def transact_in_trace(self, events: list[Delivery]) -> None:
        """As `transact`, in the trace that the events belong to."""
        with self._tracing.application(self.name, self.consumes.subject, events):
            await self.transact(events)

    async def transact(self, events: list[Delivery]) -> None:
        """Applies the events that are new, in one transaction; several only for a method that takes many."""
        consumes, more = self.consumes, tuple[Any, ...]()
        if consumes.prepare:
            asked = [each.event for each in events] if consumes.many else events[0].event
            more = (await consumes.prepare(self._method.__self__, asked),)
        async with self._database.for_consumers, self._database.transaction() as tx:
            new = await self._inbox.note(tx, events)
            if not new:
                return
            if not consumes.many:
                await self._method(events[0].event, tx, *more)
            else:
                by_id = {each.id: each for each in events if each.id in new}
                given = [each.envelope if each.event is None else each.event for each in by_id.values()]
                await self._method(given, tx, *more)

    async def _refuse(self, event: Delivery, error: Exception) -> None:
        message = event.message
        if is_transient(error):
            self._log.info("event waits", subject=message.subject, error=describe(error))
            await message.nak(delay=min(TRANSIENT_DELAY, *self._config.retry_delays))
            return
        self._failed.inc()
        text = describe(error)
        async with self._database.transaction() as tx:
            failures = await self._inbox.count_failure(tx, event.id, text)
        self._log.error(
            "event failed", subject=message.subject, event_id=str(event.id), failures=failures, failure=error
        )
        if failures < MAX_ATTEMPTS:
            delays = self._config.retry_delays
            await message.nak(delay=delays[min(failures, len(delays)) - 1])
            return
        await self._dead_letters.publish(message, self.name, text, str(event.id))
        await message.term()
