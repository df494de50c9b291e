"""The rule clock of a running stack: moved, never slept; a move returns when all that it brings about has settled."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self

import asyncpg
import nats
from nats.aio.client import Client
from nats.js.api import ConsumerInfo
from unora_common.config import CONTEXTS
from unora_common.streams import stream
from unora_local.env import Env

WITHIN: Final = 30.0
POLL: Final = 0.02
MOVER: Final = "the one who moves the rule clock"


DUE: Final = (
    "streak.streaks WHERE next_due_at <= clock.now()",
    "billing.subscriptions WHERE due_at <= clock.now()",
    "billing.payments WHERE due_at <= clock.now()",
    "billing.credit_protections WHERE status = 'open' AND expires_at <= clock.now()",
)
"""What time alone brings about, and a job has still to do."""


class NotSettledError(TimeoutError):
    """The stack did not come to rest; the message says what is still going on."""


class ClockHeldError(Exception):
    """Somebody else moves the clock of this stack."""


@dataclass(frozen=True)
class _Look:
    """What the database says at one moment."""

    due: int
    unpublished: dict[str, int]
    told: int
    """A number that grows with each event that is told."""

    @property
    def quiet(self) -> bool:
        return not self.due and not any(self.unpublished.values())


class Clock:
    """Moves the rule clock as the superuser. One at a time: whoever opens it holds a lock on it."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self.superuser: asyncpg.Connection[asyncpg.Record]
        self._nats: Client

    async def __aenter__(self) -> Self:
        self.superuser = await asyncpg.connect(self._env.postgres)
        try:
            if not await self.superuser.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", MOVER):
                raise ClockHeldError("somebody else moves the clock of this stack, such as another demo")
            self._nats = await nats.connect(self._env.nats)
        except BaseException:
            await self.superuser.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._nats.close()
        await self.superuser.close()

    async def now(self) -> datetime:
        """The rule clock (UTC)."""
        now: datetime = await self.superuser.fetchval("SELECT clock.now()")
        return now

    async def move(self, to: datetime | timedelta) -> None:
        """Move forward, to a moment or by a time, and settle. A moment that has passed moves nothing."""
        ahead = to if isinstance(to, timedelta) else to - await self.now()
        await self.superuser.execute("UPDATE clock.shift SET ahead = ahead + greatest($1, interval '0')", ahead)
        await self.settle()

    async def settle(self, within: float = WITHIN) -> None:
        """Return when all that time brings is done, every event is published, and every consumer has applied its own.

        What a consumer applies may tell more, so nothing may have been told between the looks before and after.
        """
        try:
            async with asyncio.timeout(within):
                calm = 0
                while calm < 2:  # a message is in its stream a moment before its consumer counts it
                    calm = calm + 1 if await self._calm() else 0
                    await asyncio.sleep(POLL)
        except TimeoutError:
            raise NotSettledError(await self._unrest(within)) from None

    async def told(self) -> int:
        """How many events are in the outboxes."""
        counts = " + ".join(f"(SELECT count(*) FROM {context}.outbox)" for context in CONTEXTS)
        number: int = await self.superuser.fetchval(f"SELECT {counts}")
        return number

    async def _calm(self) -> bool:
        before = await self._look()
        return before.quiet and not await self._waiting() and await self._look() == before

    async def _look(self) -> _Look:
        row = await self.superuser.fetchrow(_LOOK)
        assert row is not None
        return _Look(row["due"], {context: row[context] for context in CONTEXTS}, row["told"])

    async def _waiting(self) -> dict[str, int]:
        """How many messages wait, or wait to be acknowledged, by consumer."""
        manager = self._nats.jetstream()
        found = await asyncio.gather(*(manager.consumers_info(stream(context)) for context in CONTEXTS))
        return {info.name: waits for infos in found for info in infos if (waits := _waits(info))}

    async def _unrest(self, seconds: float) -> str:
        look = await self._look()
        said = [f"not settled within {seconds:.0f} s"]
        if look.due:
            said.append(f"{look.due} streaks, subscriptions, payments or protections are due")
        said += [f"{context} has {number} events unpublished" for context, number in look.unpublished.items() if number]
        said += [f"{name} has {number} events before it" for name, number in (await self._waiting()).items()]
        for context in CONTEXTS:
            for row in await self.superuser.fetch(f"SELECT consumer, error FROM {context}.inbox_failures LIMIT 3"):
                said.append(f"{row['consumer']} failed: {row['error']}")
        return "; ".join(said)


def _waits(info: ConsumerInfo) -> int:
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


def _unpublished(context: str) -> str:
    return f"(SELECT count(*) FROM {context}.outbox WHERE published_at IS NULL) AS {context}"


def _last(context: str) -> str:
    return f"coalesce(pg_sequence_last_value(pg_get_serial_sequence('{context}.outbox', 'seq')::regclass), 0)"


_LOOK: Final = f"""
    SELECT {" + ".join(f"(SELECT count(*) FROM {what})" for what in DUE)} AS due,
           {", ".join(_unpublished(context) for context in CONTEXTS)},
           {" + ".join(_last(context) for context in CONTEXTS)} AS told"""
