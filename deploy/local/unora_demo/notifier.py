"""The example notifier beside the journey: a process of its own, with the rights of any subscriber.

What it does or fails to do holds up no step. Between the steps it gets a few seconds in all to keep up, since the clock
moves on by hours; what it pushed is looked at when the journey is over.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
from nats.errors import Error as NatsError
from unora_local.clock import Clock
from unora_local.env import Env
from unora_local.keyboard.subscriber import credentials, subscribe
from unora_local.mistakes import Mistake
from unora_local.process import Process, inherited_environment
from unora_local.run_folder import RunFolder
from unora_local.running import env_of
from unora_notifier import kinds
from unora_testing.deadlines import PATIENCE

NAME: Final = "demo-notifier"
"""Its user of NATS. Another notifier on the stack, such as a developer's, hears the same events by itself."""
KINDS: Final = {kind.name: kind.event.DESCRIPTOR.name for kind in kinds.KINDS}
"""What it tells, and of which events. The journey causes each."""
BUDGET: Final = 10.0 * PATIENCE
"""Seconds that the journey waits for it, in all."""
POLL: Final = 0.02


@dataclass
class Notifier:
    """The process, and what it has pushed."""

    folder: RunFolder
    process: Process
    problem: str = ""
    """Why it does not run, if it could not be started."""
    unread: str = ""
    """Why what it has noted could not be read."""
    budget: float = BUDGET
    waiting: dict[str, int] = field(default_factory=dict)
    """The events that wait for it, by consumer, when it was last waited for."""

    async def keep_up(self, clock: Clock) -> None:
        """Returns when each event that was published has reached it, or the budget is spent."""
        while True:
            self.waiting = await clock.undelivered(NAME)
            if not self.waiting or not await self.has_time():
                return

    async def has_time(self) -> bool:
        """Waits a moment, unless it does not run or the budget is spent: then False."""
        if not self.process.running or self.budget <= 0:
            return False
        await asyncio.sleep(POLL)
        self.budget -= POLL
        return True

    def pushed(self) -> Mapping[str, Sequence[str]]:
        """The ids of the members who were told, by kind, as often as they were."""
        found: dict[str, list[str]] = defaultdict(list)
        for kind, user in self._rows("SELECT kind, user_id FROM pushed ORDER BY at"):
            found[kind].append(user)
        return found

    def dropped(self) -> Mapping[str, int]:
        """How many events came when they were over, by kind."""
        return dict(self._rows("SELECT kind, count(*) FROM dropped GROUP BY kind"))

    def _rows(self, query: str) -> list[tuple[str, Any]]:
        file = store(self.folder) / "pushed.db"
        if not file.exists():
            return []
        try:
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
                return connection.execute(query).fetchall()
        except sqlite3.Error as error:
            self.unread = f"its notes cannot be read: {error}"
            return []


@dataclass
class PacedClock:
    """The rule clock of the stack; after each move the notifier gets the time to hear what it has caused."""

    clock: Clock
    notifier: Notifier

    @property
    def superuser(self) -> asyncpg.Connection[asyncpg.Record]:
        """See RuleClock."""
        return self.clock.superuser

    async def now(self) -> datetime:
        """See RuleClock."""
        return await self.clock.now()

    async def move(self, to: datetime | timedelta) -> None:
        """See RuleClock."""
        await self.notifier.keep_up(self.clock)
        await self.clock.move(to)
        await self.notifier.keep_up(self.clock)

    async def wait_until_idle(self) -> None:
        """See RuleClock."""
        await self.clock.wait_until_idle()
        await self.notifier.keep_up(self.clock)


@asynccontextmanager
async def notifying(folder: RunFolder) -> AsyncIterator[Notifier]:
    """It runs inside the block, with nothing of an earlier run. If it cannot be started, `problem` says why."""
    made = Notifier(folder, Process(NAME, (sys.executable, "-m", "unora_notifier"), folder.logs / f"{NAME}.log"))
    try:
        env_of(folder)
        await subscribe(folder, NAME, list(KINDS.values()))
        shutil.rmtree(store(folder), ignore_errors=True)
        made.process.env = environment(folder)
        await made.process.start()
    except (Mistake, NatsError, OSError) as error:
        made.problem = f"it could not be started: {error}"
    try:
        yield made
    finally:
        await made.process.stop()


def environment(folder: RunFolder) -> dict[str, str]:
    """Its variables: what any subscriber has, with the certificate by which identity knows a notifier."""
    env, own = Env.read(folder.env).values, Env.read(credentials(folder, NAME)).values
    return (
        inherited_environment()
        | own
        | {f"UNORA_TLS_{part}": env[f"UNORA_NOTIFIER_TLS_{part}"] for part in ("CERT", "KEY")}
        | {"UNORA_IDENTITY_ADDRESS": env["UNORA_IDENTITY_ADDRESS"]}
        | {
            "UNORA_NOTIFIER_FOLDER": str(store(folder)),
            "UNORA_NOTIFIER_ASK_AGAIN": "1",
            "UNORA_NOTIFIER_CLOCK": "events",
        }
    )


def store(folder: RunFolder) -> Path:
    """Where it keeps what it has handled and pushed."""
    return folder.path / NAME
