"""What a subscriber keeps: which events it has applied, how often one failed, and dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol, TypeVar
from uuid import UUID

T = TypeVar("T")
"""What a handler writes with: a connection with an open transaction."""

RECORD_RETENTION: Final = timedelta(days=30)
"""How long the record of an event is kept. An event can be published again from the outbox for 14 days, and waits 7 in
the stream after that.
"""

STREAM_RETENTION: Final = timedelta(days=7)
"""How long a stream holds an event: an older record can only be of one that it delivers no more."""
TRANSACTION_ENDED: Final = "the transaction was ended by the handler: leave COMMIT and ROLLBACK to the store"


class StoreAwayError(Exception):
    """The store cannot be reached or is busy. No event is at fault."""


class LetterName(NamedTuple):
    """What a dead letter is known by."""

    consumer: str
    key: str
    """The id of the event; `message N` with its number in the stream for what is no event. Only within one consumer it
    is the key of one letter.
    """

    def __str__(self) -> str:
        return f"{self.consumer}/{self.key}"


@dataclass(frozen=True)
class DeadLetter:
    """A message that could not be applied, as it came."""

    consumer: str
    key: str
    """See LetterName."""
    subject: str
    headers: dict[str, str]
    payload: bytes
    error: str
    failed_at: datetime

    @property
    def name(self) -> LetterName:
        """What it is known by."""
        return LetterName(self.consumer, self.key)


@dataclass(frozen=True)
class Replay:
    """What a consumer hears again: events from `since` on."""

    since: datetime
    below: int
    """The last message of the stream that was behind the consumer when it began. What is older than `since` and not
    behind it was never applied, so it is applied now.
    """
    began: datetime
    """When it began (UTC). A message that came into the stream later was not behind the consumer: the stream was made
    anew, and its numbers with it.
    """


class Store(Protocol[T]):
    """Any database with transactions can be one. Every method may raise StoreAwayError."""

    async def open(self) -> None:
        """Makes what is missing in the database."""

    async def close(self) -> None:
        """Closes what `open` has opened."""

    def is_away(self, error: BaseException) -> bool:
        """Whether an error of a handler can only mean that the store is away or asks for another try. Such an event is
        tried without end, so what a mistake in a handler may cause is not one.
        """

    def transaction(self) -> AbstractAsyncContextManager[T]:
        """Commits at its end; an exception rolls back, and is raised again. Raises, too, if the transaction cannot be
        committed, since the handler has ended it or has caught an error that aborted it. Raises StoreAwayError if
        its connection is lost, whatever the handler raised.
        """

    async def record(self, transaction: T, consumer: str, event_id: UUID, time: datetime) -> bool:
        """Notes that an event is applied; its failures and its dead letter end with that. False if it was noted before.

        Of two transactions at once with the same event, the second one waits for the end of the first.
        """

    async def failures(self, consumer: str, event_id: UUID) -> int:
        """How often an event has failed."""

    async def count_failure(self, consumer: str, event_id: UUID, error: str) -> int:
        """Counts a failure; returns how many there are."""

    async def put_dead_letter(self, letter: DeadLetter) -> None:
        """Stores or replaces a dead letter, which is not marked; the count of its failures begins anew."""

    async def dead_letters(self) -> list[DeadLetter]:
        """All dead letters, the oldest first."""

    async def retry(self, letters: Sequence[LetterName], at: datetime | None = None) -> int:
        """Marks dead letters to be tried once more by a subscriber that runs, now or from a moment on. Returns how many
        there were.
        """

    async def drop(self, letters: Sequence[LetterName]) -> int:
        """Deletes dead letters. Returns how many there were."""

    async def due(self, consumers: Sequence[str]) -> list[DeadLetter]:
        """The dead letters of these consumers that are marked, and whose moment has come."""

    async def begin_replay(self, consumer: str, replay: Replay) -> None:
        """Forgets the records of events from `since` on that the stream may hold still, and keeps the replay. One that
        is not yet through to its `below` counts on: the earlier `since`, and its `below` and `began`, hold.
        """

    async def replay_of(self, consumer: str) -> Replay | None:
        """The last replay of a consumer."""

    async def forget(self, before: datetime) -> None:
        """Deletes the records of events that were applied before a moment."""
