"""What the stores in SQLite and Postgres have in common: the tables and the statements."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from unora_sdk.stores import STREAM_RETENTION, DeadLetter, LetterName, Replay

T = TypeVar("T")

TABLES = """
CREATE TABLE IF NOT EXISTS {0}inbox (
    consumer text NOT NULL, event_id text NOT NULL, time {moment} NOT NULL, applied_at {moment} NOT NULL,
    PRIMARY KEY (consumer, event_id));
CREATE INDEX IF NOT EXISTS {index}inbox_applied_at ON {0}inbox (applied_at);
CREATE TABLE IF NOT EXISTS {0}failures (
    consumer text NOT NULL, event_id text NOT NULL, failures integer NOT NULL, error text NOT NULL,
    failed_at {moment} NOT NULL, PRIMARY KEY (consumer, event_id));
CREATE TABLE IF NOT EXISTS {0}dead_letters (
    consumer text NOT NULL, key text NOT NULL, subject text NOT NULL, headers text NOT NULL, payload {bytes} NOT NULL,
    error text NOT NULL, failed_at {moment} NOT NULL, due_at {moment}, PRIMARY KEY (consumer, key));
CREATE TABLE IF NOT EXISTS {0}replays (
    consumer text PRIMARY KEY, since {moment} NOT NULL, below bigint NOT NULL, began {moment} NOT NULL);
"""
DEAD_LETTER_COLUMNS = "consumer, key, subject, headers, payload, error, failed_at"


class SqlStore(ABC, Generic[T]):
    """A store in tables whose names begin with `prefix`. A subclass says how a statement is run."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[T]:
        """See Store."""

    @abstractmethod
    async def _rows(self, transaction: T, statement: str, *values: object) -> Sequence[Mapping[str, Any]]:
        """Runs a statement with the values of $1, $2, …"""

    async def _run(self, statement: str, *values: object) -> Sequence[Mapping[str, Any]]:
        """Runs one statement in a transaction of its own."""
        async with self.transaction() as transaction:
            return await self._rows(transaction, statement, *values)

    async def _read(self, statement: str, *values: object) -> Sequence[Mapping[str, Any]]:
        """Runs one statement that changes nothing."""
        return await self._run(statement, *values)

    async def record(self, transaction: T, consumer: str, event_id: UUID, time: datetime) -> bool:
        """See Store."""
        insert = f"""
            INSERT INTO {self._prefix}inbox (consumer, event_id, time, applied_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT DO NOTHING RETURNING event_id"""
        if not await self._rows(transaction, insert, consumer, str(event_id), time, _now()):
            return False
        await self._end_failures(transaction, consumer, str(event_id))
        ended = f"DELETE FROM {self._prefix}dead_letters WHERE consumer = $1 AND key = $2"
        await self._rows(transaction, ended, consumer, str(event_id))
        return True

    async def failures(self, consumer: str, event_id: UUID) -> int:
        """See Store."""
        select = f"SELECT failures FROM {self._prefix}failures WHERE consumer = $1 AND event_id = $2"
        found = await self._read(select, consumer, str(event_id))
        return int(found[0]["failures"]) if found else 0

    async def count_failure(self, consumer: str, event_id: UUID, error: str) -> int:
        """See Store."""
        count = f"""
            INSERT INTO {self._prefix}failures AS f (consumer, event_id, failures, error, failed_at)
            VALUES ($1, $2, 1, $3, $4)
            ON CONFLICT (consumer, event_id) DO UPDATE
            SET failures = f.failures + 1, error = excluded.error, failed_at = excluded.failed_at
            RETURNING failures"""
        (row,) = await self._run(count, consumer, str(event_id), _text(error), _now())
        return int(row["failures"])

    async def put_dead_letter(self, letter: DeadLetter) -> None:
        """See Store."""
        put = f"""
            INSERT INTO {self._prefix}dead_letters ({DEAD_LETTER_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (consumer, key) DO UPDATE
            SET subject = excluded.subject, headers = excluded.headers, payload = excluded.payload,
                error = excluded.error, failed_at = excluded.failed_at, due_at = NULL"""
        headers = json.dumps(letter.headers)
        values = (letter.consumer, letter.key, _text(letter.subject), headers, letter.payload, _text(letter.error))
        async with self.transaction() as transaction:
            await self._rows(transaction, put, *values, letter.failed_at)
            await self._end_failures(transaction, letter.consumer, letter.key)

    async def dead_letters(self) -> list[DeadLetter]:
        """See Store."""
        select = f"SELECT {DEAD_LETTER_COLUMNS} FROM {self._prefix}dead_letters ORDER BY failed_at, consumer, key"
        return [_letter(row) for row in await self._read(select)]

    async def retry(self, letters: Sequence[LetterName], at: datetime | None = None) -> int:
        """See Store."""
        mark = f"UPDATE {self._prefix}dead_letters SET due_at = $3 WHERE consumer = $1 AND key = $2 RETURNING key"
        return await self._each(mark, letters, at or _now())

    async def drop(self, letters: Sequence[LetterName]) -> int:
        """See Store."""
        return await self._each(
            f"DELETE FROM {self._prefix}dead_letters WHERE consumer = $1 AND key = $2 RETURNING key", letters
        )

    async def due(self, consumers: Sequence[str]) -> list[DeadLetter]:
        """See Store."""
        letters = f"SELECT {DEAD_LETTER_COLUMNS} FROM {self._prefix}dead_letters"
        select = f"{letters} WHERE due_at <= $1 ORDER BY failed_at, consumer, key"
        return [letter for row in await self._read(select, _now()) if (letter := _letter(row)).consumer in consumers]

    async def begin_replay(self, consumer: str, replay: Replay) -> None:
        """See Store."""
        keep = f"""
            INSERT INTO {self._prefix}replays AS r (consumer, since, below, began) VALUES ($1, $2, $3, $4)
            ON CONFLICT (consumer) DO UPDATE SET
                since = CASE WHEN excluded.below < r.below AND r.since < excluded.since
                    THEN r.since ELSE excluded.since END,
                below = CASE WHEN excluded.below < r.below THEN r.below ELSE excluded.below END,
                began = CASE WHEN excluded.below < r.below THEN r.began ELSE excluded.began END"""
        async with self.transaction() as transaction:
            forgotten = f"DELETE FROM {self._prefix}inbox WHERE consumer = $1 AND time >= $2 AND applied_at >= $3"
            await self._rows(transaction, forgotten, consumer, replay.since, replay.began - STREAM_RETENTION)
            await self._rows(transaction, keep, consumer, replay.since, replay.below, replay.began)

    async def replay_of(self, consumer: str) -> Replay | None:
        """See Store."""
        found = await self._read(f"SELECT since, below, began FROM {self._prefix}replays WHERE consumer = $1", consumer)
        if not found:
            return None
        return Replay(_moment(found[0]["since"]), int(found[0]["below"]), _moment(found[0]["began"]))

    async def forget(self, before: datetime) -> None:
        """See Store."""
        await self._run(f"DELETE FROM {self._prefix}inbox WHERE applied_at < $1", before)
        await self._run(f"DELETE FROM {self._prefix}failures WHERE failed_at < $1", before)

    async def _end_failures(self, transaction: T, consumer: str, event_id: str) -> None:
        ended = f"DELETE FROM {self._prefix}failures WHERE consumer = $1 AND event_id = $2"
        await self._rows(transaction, ended, consumer, event_id)

    async def _each(self, statement: str, letters: Sequence[LetterName], *values: object) -> int:
        async with self.transaction() as transaction:
            return sum([len(await self._rows(transaction, statement, *letter, *values)) for letter in letters])


def _letter(row: Mapping[str, Any]) -> DeadLetter:
    return DeadLetter(
        consumer=row["consumer"],
        key=row["key"],
        subject=row["subject"],
        headers=json.loads(row["headers"]),
        payload=bytes(row["payload"]),
        error=row["error"],
        failed_at=_moment(row["failed_at"]),
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _moment(value: Any) -> datetime:
    """A time as the database gives it."""
    return value.astimezone(UTC) if isinstance(value, datetime) else datetime.fromisoformat(value)


def _text(value: str) -> str:
    """No database takes half a surrogate, such as one in the name of a file, and Postgres takes no NUL in a text."""
    return value.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")
