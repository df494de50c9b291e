"""What was pushed, so that nothing is pushed twice. It has a file of its own: what the subscriber's store holds is
rolled back when an event is put off, and a push cannot be taken back.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

RECORD_RETENTION: Final = timedelta(days=30)
"""As long as the subscriber knows an event again."""
TABLE: Final = """
    CREATE TABLE IF NOT EXISTS pushed (
        event_id text, device_id text, user_id text NOT NULL, kind text NOT NULL, at text NOT NULL,
        PRIMARY KEY (event_id, device_id));
    CREATE INDEX IF NOT EXISTS pushed_at ON pushed (at);
    CREATE TABLE IF NOT EXISTS dropped (event_id text PRIMARY KEY, kind text NOT NULL, at text NOT NULL);
    CREATE INDEX IF NOT EXISTS dropped_at ON dropped (at)"""


class Pushed:
    """Each statement is durable when it returns."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None, timeout=10)
        self._connection.executescript(f"PRAGMA journal_mode = WAL; {TABLE}")

    def claim(self, event_id: UUID, device_id: str, user_id: str, kind: str) -> bool:
        """Notes a push before it is sent. False if it was noted before: of two processes one sends."""
        return self._note("pushed", str(event_id), device_id, user_id, kind)

    def release(self, event_id: UUID, device_id: str) -> None:
        """The push was surely not sent: it may be tried again."""
        where = (str(event_id), device_id)
        self._connection.execute("DELETE FROM pushed WHERE event_id = ? AND device_id = ?", where)

    def drop(self, event_id: UUID, kind: str) -> None:
        """Notes that an event came, or had waited, until it was over."""
        self._note("dropped", str(event_id), kind)

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def _note(self, table: str, *values: str) -> bool:
        """Adds a row, and deletes those that no repeat of an event can need any more."""
        now = datetime.now(UTC)
        self._connection.execute(f"DELETE FROM {table} WHERE at < ?", ((now - RECORD_RETENTION).isoformat(),))
        row = (*values, now.isoformat())
        places = ", ".join("?" * len(row))
        return (
            self._connection.execute(f"INSERT INTO {table} VALUES ({places}) ON CONFLICT DO NOTHING", row).rowcount == 1
        )
