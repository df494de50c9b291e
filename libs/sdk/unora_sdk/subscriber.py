"""A subscriber: its handlers, and the process that they run in."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from google.protobuf.message import Message

from unora_sdk.connecting import Connection
from unora_sdk.consumer import RETRY_DELAY, Consumer
from unora_sdk.deliveries import NotAnEventError, read
from unora_sdk.environment import ConfigError
from unora_sdk.events import Event, RetryLater
from unora_sdk.handling import Handling, Options, dead_letter, described, message_of
from unora_sdk.names import context_of, stream, subject_of
from unora_sdk.outages import Outage
from unora_sdk.replaying import replay
from unora_sdk.settings import HELP, Settings
from unora_sdk.stores import RECORD_RETENTION, DeadLetter, Store, StoreAwayError

T = TypeVar("T")
M = TypeVar("M", bound=Message)
Handler = Callable[[Event[M], T], Awaitable[None] | None]

DEAD_LETTER_INTERVAL: Final = 1.0
"""Seconds between two looks for dead letters that are to be tried once more."""
CLEAN_UP_INTERVAL: Final = 3600.0
"""Seconds between two times at which old records are forgotten."""
STOP_TIMEOUT: Final = 15.0
"""Seconds that tasks get to end after they were cancelled. A store may have to roll back."""

log = logging.getLogger("unora_sdk")


class Subscriber(Generic[T]):
    """Applies each event once: its record, and what the handler writes with its transaction, commit together.

    The events of one type and one aggregate come in their order, some aggregates at once. An event that failed is tried
    again later, and those behind it do not wait, unless 500 of its type wait already: so compare `event.version` where
    the order counts. Between types and between aggregates there is no order. Any number of processes may run with one
    store: in Postgres from anywhere, in SQLite on one machine, and not over a network folder.
    """

    def __init__(self, settings: Settings, store: Store[T], options: Options | None = None) -> None:
        """Raises ConfigError for an address or a certificate that cannot be used."""
        self._settings = settings
        self._store = store
        self._options = options or Options()
        self._connection = Connection(settings)
        self._handlings: dict[str, Handling[T]] = {}
        self._stopping = asyncio.Event()
        self._outage = Outage(log, "the store is away")

    @classmethod
    def from_environment(cls, store: Store[T], **options: Any) -> Subscriber[T]:
        """As `Settings.from_environment` says. `options` are fields of Options, such as `tries=3`."""
        return cls(Settings.from_environment(), store, Options(**options))

    def on(self, event: type[M]) -> Callable[[Handler[M, T]], Handler[M, T]]:
        """The function handles one type of event. What it raises counts as a failed try, but RetryLater.

        Raises ConfigError if the platform has made no consumer for it, or if it has a handler already.
        """
        subject = subject_of(event)
        context = context_of(subject)
        found = [each.name for each in self._settings.consumers if each.reads(stream(context), subject)]
        if not found:
            raise ConfigError(f"UNORA_NATS_CONSUMERS has no consumer for {event.DESCRIPTOR.name}. {HELP}")
        if subject in self._handlings:
            raise ConfigError(f"{event.DESCRIPTOR.name} has a handler already; call both from one function")

        def wrap(handler: Handler[M, T]) -> Handler[M, T]:
            self._handlings[subject] = Handling(found[0], context, subject, event, handler)
            return handler

        return wrap

    def run(self) -> None:
        """Runs until SIGINT or SIGTERM, and ends after the events in work."""
        asyncio.run(self._run())

    def stop(self) -> None:
        """Lets `serve` end after the events in work."""
        self._stopping.set()

    async def serve(self) -> None:
        """Applies events until `stop`, or until it is cancelled. Raises ConfigError if there is no handler."""
        if not self._handlings:
            raise ConfigError("the subscriber has no handler: write one with @subscriber.on(Event)")
        handled = {each.consumer for each in self._handlings.values()}
        if idle := {each.name for each in self._settings.consumers} - handled:
            log.warning("without a handler, so their events wait: %s", ", ".join(sorted(idle)))
        try:
            if await self._unless_stopped(self._open_store()) and await self._unless_stopped(self._connection.open()):
                await self._work()
        finally:
            await self._connection.close()
            with suppress(StoreAwayError):
                await self._store.close()

    async def replay(self, since: datetime) -> None:
        """Lets the handlers see events from `since` on again, as far as the streams hold them (7 days); while `serve`
        runs. Raises ValueError for a time without a zone, NatsError if NATS refuses, StoreAwayError.
        """
        names = {each.consumer for each in self._handlings.values()}
        consumers = [each for each in self._settings.consumers if each.name in names]
        await replay(self._connection.client, self._store, consumers, since)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        await self.serve()

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> bool:
        """Does something that may take for ever; False if the subscriber is to end before it is done."""
        doing, ending = asyncio.ensure_future(work), asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({doing, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ending.cancel()
            if not doing.done():
                await _end(doing)
        if doing.cancelled():
            return False
        await doing
        return not self._stopping.is_set()

    async def _open_store(self) -> None:
        while True:
            try:
                await self._store.open()
                self._outage.over()
                return
            except StoreAwayError as error:
                self._outage.failed(error)
            await asyncio.sleep(RETRY_DELAY)

    async def _work(self) -> None:
        room, client = asyncio.Semaphore(self._options.concurrency), self._connection.client
        made = [
            Consumer(each, self._store, self._options, client, room, self._stopping)
            for each in self._handlings.values()
        ]
        running = [asyncio.ensure_future(each.run()) for each in made]
        beside = [asyncio.ensure_future(self._repeat(work, pause)) for work, pause in self._periodic_work()]
        ending = asyncio.ensure_future(self._stopping.wait())
        try:
            done, _ = await asyncio.wait({*running, *beside, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not self._stopping.is_set():
                _raise_end(done.pop())
            await asyncio.wait(running, timeout=self._options.stop_seconds)
        finally:
            self._stopping.set()
            await _end(*running, *beside, ending)
            for each in made:
                await each.give_back()

    def _periodic_work(self) -> list[tuple[Callable[[], Awaitable[None]], float]]:
        return [(self._try_dead_letters, DEAD_LETTER_INTERVAL), (self._forget, CLEAN_UP_INTERVAL)]

    async def _repeat(self, work: Callable[[], Awaitable[None]], pause: float) -> None:
        while True:
            try:
                await work()
                self._outage.over()
            except Exception as error:  # it is tried again; events go on meanwhile
                self._outage.failed(error)
                await asyncio.sleep(RETRY_DELAY)
                continue
            await asyncio.sleep(pause)

    async def _forget(self) -> None:
        await self._store.forget(datetime.now(UTC) - RECORD_RETENTION)

    async def _try_dead_letters(self) -> None:
        """Tries the dead letters that `python -m unora_sdk dead-letters retry` has marked."""
        by_consumer = {each.consumer: each for each in self._handlings.values()}
        for letter in await self._store.due(list(by_consumer)):
            await self._try(by_consumer[letter.consumer], letter)

    async def _try(self, handling: Handling[T], letter: DeadLetter) -> None:
        message = message_of(letter)
        try:
            await handling.apply(
                self._store, read(message, handling, handling.consumer), 1, self._options.handler_seconds
            )
            await self._store.drop([letter.name])  # its key may be another than the event's id
            log.warning("dead letter %s is applied", letter.name)
        except RetryLater as error:
            await self._store.retry([letter.name], datetime.now(UTC) + timedelta(seconds=error.delay))
            log.info("dead letter %s waits: %s", letter.name, error)
        except StoreAwayError:
            raise
        except Exception as error:
            if self._store.is_away(error):
                raise
            said = f"not an event: {error.reason}" if isinstance(error, NotAnEventError) else described(error)
            await self._store.put_dead_letter(dead_letter(letter.consumer, message, letter.key, said))
            log.error("dead letter %s failed again", letter.name, exc_info=error)


def _raise_end(task: asyncio.Future[Any]) -> None:
    """Raises what ended work that ends by itself only with the subscriber: it must not run on without that work."""
    error = None if task.cancelled() else task.exception()
    raise RuntimeError("the subscriber has lost a part of its work: start it again") from error


async def _end(*tasks: asyncio.Future[Any]) -> None:
    """Cancels tasks, and returns when they have ended, or after STOP_TIMEOUT seconds. Ignores what they raise."""
    for task in tasks:
        task.cancel()
    done, _ = await asyncio.wait(tasks, timeout=STOP_TIMEOUT)
    for task in done:
        if not task.cancelled():
            task.exception()
