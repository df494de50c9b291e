"""What waits until a member's quiet hours end. It is kept here and not in the stream, which delivers no more events to
a subscriber that has 500 without an acknowledgement.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from unora_sdk import Event

from unora_notifier.kinds import KINDS, Kind

TABLE: Final = """
    CREATE TABLE IF NOT EXISTS waiting (
        event_id text PRIMARY KEY, kind text NOT NULL, time text NOT NULL, message blob NOT NULL, due text NOT NULL);
    CREATE INDEX IF NOT EXISTS waiting_due ON waiting (due)"""
BY_NAME: Final = {kind.name: kind for kind in KINDS}


@dataclass(frozen=True)
class News:
    """What is told of one event."""

    kind: Kind
    id: UUID
    """That of the event."""
    time: datetime
    """When it took effect (UTC)."""
    message: Any

    @classmethod
    def of(cls, kind: Kind, event: Event[Any]) -> News:
        """That of an event of the kind."""
        return cls(kind, event.id, event.time, event.message)

    @property
    def until(self) -> datetime:
        """When it is over (UTC)."""
        return self.kind.until(self.message, self.time)


class Waiting:
    """News, and when each is due. Each statement is durable when it returns."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None, timeout=10)
        self._connection.executescript(f"PRAGMA journal_mode = WAL; {TABLE}")

    def keep(self, news: News, due: datetime) -> None:
        """Keeps news until then, or changes when they are due."""
        row = (str(news.id), news.kind.name, _text(news.time), news.message.SerializeToString(), _text(due))
        self._connection.execute(
            "INSERT INTO waiting VALUES (?, ?, ?, ?, ?) ON CONFLICT (event_id) DO UPDATE SET due = excluded.due", row
        )

    def due(self, now: datetime, limit: int) -> list[News]:
        """The first of those that are due."""
        rows = self._connection.execute(
            "SELECT event_id, kind, time, message FROM waiting WHERE due <= ? ORDER BY due, event_id LIMIT ?",
            (_text(now), limit),
        )
        return [_news(*row) for row in rows.fetchall()]

    def remove(self, news: News) -> None:
        """They wait no more."""
        self._connection.execute("DELETE FROM waiting WHERE event_id = ?", (str(news.id),))

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()


def _news(event_id: str, kind: str, time: str, message: bytes) -> News:
    found = BY_NAME[kind]
    return News(found, UUID(event_id), datetime.fromisoformat(time), found.event.FromString(message))


def _text(time: datetime) -> str:
    """As a text whose order is that of the times."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")
