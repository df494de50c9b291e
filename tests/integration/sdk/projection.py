"""A subscriber as a process of its own: `python -m tests.integration.sdk.projection FILE`. It writes a line for each
event that it has begun, and ends its first event never if the file `hangs` is beside its database.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from pathlib import Path

from unora.streak.v1.events_pb2 import CheckedIn
from unora_sdk import Event, SqliteStore, Subscriber


def main(path: Path) -> None:
    subscriber = Subscriber.from_environment(SqliteStore(path))

    @subscriber.on(CheckedIn)
    async def handle(event: Event[CheckedIn], transaction: sqlite3.Connection) -> None:
        transaction.execute("CREATE TABLE IF NOT EXISTS seen (id text PRIMARY KEY)")
        transaction.execute("INSERT INTO seen VALUES (?)", (str(event.id),))
        print(event.id, flush=True)
        if (path.parent / "hangs").exists():
            await asyncio.Event().wait()

    subscriber.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
