"""Takes the events of one durable consumer, and sees to it that each is applied, put off, or kept as a dead letter."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Final, Generic, TypeVar

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from unora_sdk.deliveries import Delivery, NotAnEventError, read
from unora_sdk.events import RetryLater
from unora_sdk.handling import Handling, Options, dead_letter, described, is_passed_over
from unora_sdk.nats_client import NatsClient
from unora_sdk.outages import Outage
from unora_sdk.pull import Pull
from unora_sdk.stores import Replay, Store, StoreAwayError

T = TypeVar("T")

BATCH: Final = 100
"""How many messages are taken at once."""
PULL_WAIT: Final = 5.0
"""Seconds that a request for a message waits."""
RETRY_DELAY: Final = 1.0
"""Seconds after an outage."""
STILL_AT_WORK: Final = 3.0
"""How often, within the time after which the stream delivers an event again, it is told that the event is in work."""

log = logging.getLogger("unora_sdk")


class Consumer(Generic[T]):
    """One durable consumer of one process; replicas share its messages."""

    def __init__(
        self,
        handling: Handling[T],
        store: Store[T],
        options: Options,
        client: NatsClient,
        room: asyncio.Semaphore,
        stopping: asyncio.Event,
    ) -> None:
        self._handling = handling
        self._store = store
        self._options = options
        self._client = client
        self._jetstream: JetStreamContext = client.jetstream()
        self._room = room
        self._stopping = stopping
        self._pull: Pull | None = None
        self._ack_seconds = 30.0
        self._outage = Outage(log, f"{handling.consumer} is interrupted")
        self._unfinished: dict[int, Msg] = {}
        """Messages that are neither acknowledged nor given back, by their number in the stream."""
        self._away: StoreAwayError | None = None

    async def run(self) -> None:
        """Takes events until the subscriber ends; survives the loss of NATS, of its consumer and of the store."""
        while not self._stopping.is_set():
            try:
                await self._step()
                self._outage.over()
            except Exception as error:  # whatever it is, the subscriber must go on without a restart
                self._outage.failed(error)
                await self._close()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), RETRY_DELAY)
        await self._close()

    async def give_back(self) -> None:
        """Gives back what is in work: another replica, or the next start, gets it at once."""
        for message in list(self._unfinished.values()):
            await self._delay(message)

    async def _step(self) -> None:
        messages = await self._take()
        self._unfinished = {message.metadata.sequence.stream: message for message in messages}
        if self._stopping.is_set() or not messages:
            return await self.give_back()
        self._away = None
        busy = asyncio.ensure_future(self._say_busy())
        try:
            replay = await self._store.replay_of(self._handling.consumer)
            deliveries = [each for message in messages if (each := await self._read(message))]
            await asyncio.gather(*(self._apply_all(group, replay) for group in _by_aggregate(deliveries)))
            if self._away is not None:
                raise self._away
        finally:
            busy.cancel()
            await self.give_back()
        return None

    async def _take(self) -> list[Msg]:
        """Messages in the order of the stream: what is delivered again comes late. Ends at once with the subscriber."""
        pull = await self._subscribed()
        taking = asyncio.ensure_future(pull.take(BATCH, PULL_WAIT))
        ending = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({taking, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                await pull.interrupt()
            messages = await taking
        finally:
            ending.cancel()
            taking.cancel()
        return sorted(messages, key=lambda message: message.metadata.sequence.stream)

    async def _subscribed(self) -> Pull:
        if self._pull is None:
            pull = Pull(self._client, self._jetstream, self._handling.stream_name, self._handling.consumer)
            self._ack_seconds = (await pull.info()).config.ack_wait or self._ack_seconds
            self._pull = pull
        return self._pull

    async def _close(self) -> None:
        """The next step subscribes anew: stream and consumer may have been made again."""
        pull, self._pull = self._pull, None
        if pull is not None:
            await pull.close()

    async def _read(self, message: Msg) -> Delivery | None:
        """The event; None if the message is none: then it is a dead letter at once."""
        try:
            return read(message, self._handling, self._handling.consumer)
        except NotAnEventError as error:
            log.error("%s: not an event (%s) on %s", self._handling.consumer, error.reason, message.subject)
            key = f"message {message.metadata.sequence.stream}"
            letter = dead_letter(self._handling.consumer, message, key, f"not an event: {error.reason}")
            await self._store.put_dead_letter(letter)
            await self._finish(message)
            return None

    async def _apply_all(self, deliveries: Iterable[Delivery], replay: Replay | None) -> None:
        """Applies the events of one aggregate in their order."""
        for delivery in deliveries:
            async with self._room:
                if self._stopping.is_set() or self._away is not None:
                    await self._delay(delivery.message)
                    continue
                try:
                    await self._apply(delivery, replay)
                except Exception as error:  # the store is away, or fails: no event is at fault
                    away = error if isinstance(error, StoreAwayError) else StoreAwayError(repr(error))
                    self._away = self._away or away
                    await self._delay(delivery.message, RETRY_DELAY)

    async def _apply(self, delivery: Delivery, replay: Replay | None) -> None:
        message, failed = delivery.message, 0
        if is_passed_over(replay, delivery):
            return await self._finish(message)
        if message.metadata.num_delivered > 1:
            failed = await self._store.failures(self._handling.consumer, delivery.id)
        try:
            await self._handling.apply(self._store, delivery, failed + 1, self._options.handler_seconds)
        except StoreAwayError:
            raise
        except RetryLater as error:
            log.info("%s: event %s waits: %s", self._handling.consumer, delivery.id, error)
            return await self._delay(message, error.delay)
        except Exception as error:
            if self._store.is_away(error):
                raise
            return await self._refuse(delivery, error)
        return await self._finish(message)

    async def _refuse(self, delivery: Delivery, error: Exception) -> None:
        """Puts a failed event off, or keeps it as a dead letter after its last try."""
        consumer, message = self._handling.consumer, delivery.message
        failures = await self._store.count_failure(consumer, delivery.id, described(error))
        log.error("%s: event %s failed for the %d. time", consumer, delivery.id, failures, exc_info=error)
        if failures < self._options.tries:
            return await self._delay(message, self._options.delay(failures))
        await self._store.put_dead_letter(dead_letter(consumer, message, str(delivery.id), described(error)))
        log.error("%s: event %s is a dead letter now", consumer, delivery.id)
        return await self._finish(message)

    async def _finish(self, message: Msg) -> None:
        if self._unfinished.pop(message.metadata.sequence.stream, None):
            with suppress(NatsError, OSError):  # without the connection it comes again, and its record is there
                await message.ack()

    async def _delay(self, message: Msg, delay: float = 0.0) -> None:
        if self._unfinished.pop(message.metadata.sequence.stream, None):
            with suppress(NatsError, OSError):  # without the connection it comes again by itself, only later
                await message.nak(delay=delay or None)

    async def _say_busy(self) -> None:
        """Keeps the stream from delivering again what is still in work."""
        while True:
            await asyncio.sleep(self._ack_seconds / STILL_AT_WORK)
            for message in list(self._unfinished.values()):
                with suppress(NatsError, OSError):
                    await message.in_progress()


def _by_aggregate(deliveries: Iterable[Delivery]) -> list[list[Delivery]]:
    groups: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        groups.setdefault(delivery.envelope.aggregate_id, []).append(delivery)
    return list(groups.values())
