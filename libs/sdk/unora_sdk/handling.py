"""One event in one transaction: its record, and what the handler does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from inspect import isawaitable
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from nats.aio.msg import Msg

from unora_sdk.deliveries import Delivery
from unora_sdk.events import Event, time_of, to_event
from unora_sdk.names import stream
from unora_sdk.stores import DeadLetter, Replay, Store

T = TypeVar("T")
MAX_ERROR_LENGTH = 2000
"""Letters of an error that a store keeps."""


class HandlerTimeoutError(Exception):
    """The handler took too long; what it wrote was rolled back."""


class HandlerCancelledError(Exception):
    """What the handler waited for was cancelled, though nobody has cancelled the handler."""


@dataclass(frozen=True)
class Options:
    """How events are tried."""

    tries: int = 5
    """After so many failures an event goes to the dead letters."""
    delays: tuple[float, ...] = (1.0, 5.0, 15.0, 60.0)
    """Seconds until an event is tried again: after its first failure, its second, and so on."""
    concurrency: int = 4
    """How many events are handled at once, of different aggregates."""
    handler_seconds: float = 60.0
    """A handler that takes longer has failed."""
    stop_seconds: float = 10.0
    """Seconds that events in work get when the subscriber is to end."""

    def __post_init__(self) -> None:
        """Raises ValueError."""
        if self.tries < 1 or self.concurrency < 1 or not self.delays or min(self.delays) < 0:
            raise ValueError("tries and concurrency are at least 1, and there is at least one delay, none below 0")

    def delay(self, failures: int) -> float:
        """Seconds until the next try."""
        return self.delays[min(failures, len(self.delays)) - 1]


@dataclass(frozen=True)
class Handling(Generic[T]):
    """One type of event: where it comes from, and who handles it."""

    consumer: str
    """The name of the durable consumer."""
    stream: str
    """The context that emits the events."""
    subject: str
    event: type[Message]
    handler: Callable[[Event[Any], T], Awaitable[None] | None]

    @property
    def stream_name(self) -> str:
        """The stream that holds the events."""
        return stream(self.stream)

    async def apply(self, store: Store[T], delivery: Delivery, attempt: int, seconds: float) -> None:
        """Applies an event, unless it was applied before. Raises what the handler raises, and StoreAwayError."""
        event = to_event(delivery, attempt)
        async with store.transaction() as transaction:
            if not await store.record(transaction, self.consumer, delivery.id, time_of(delivery)):
                return
            try:
                async with asyncio.timeout(seconds) as deadline:
                    done = self.handler(event, transaction)
                    if isawaitable(done):
                        await done
            except TimeoutError as error:
                if not deadline.expired():
                    raise
                raise HandlerTimeoutError(f"the handler took more than {seconds:.0f} s") from error
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                raise HandlerCancelledError("a call or a task that the handler waited for was cancelled") from error


def is_passed_over(replay: Replay | None, delivery: Delivery) -> bool:
    """Whether an event is only heard again because a replay begins at the start of the stream."""
    if replay is None:
        return False
    there = delivery.message.metadata
    if there.sequence.stream > replay.below or there.timestamp > replay.began:
        return False
    return time_of(delivery) < replay.since


def described(error: Exception) -> str:
    """What a store keeps of an error."""
    try:
        return f"{type(error).__name__}: {error}"[:MAX_ERROR_LENGTH]
    except Exception:  # it is any error of a handler, also one that cannot say what it is
        return type(error).__name__


def dead_letter(consumer: str, message: Msg, key: str, error: str) -> DeadLetter:
    """The dead letter of a message."""
    headers = dict(message.headers or {})
    return DeadLetter(consumer, key, message.subject, headers, message.data, error, datetime.now(UTC))


def message_of(letter: DeadLetter) -> Msg:
    """The message of a dead letter, as it was delivered."""
    return Msg(None, letter.subject, "", letter.payload, letter.headers)  # type: ignore[arg-type]
