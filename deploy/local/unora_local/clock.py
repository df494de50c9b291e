"""The rule clock of a running stack. Moving it returns when the stack has done all that the new time causes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self

import asyncpg
from nats.aio.client import Client
from nats.js.api import ConsumerInfo
from unora_common.config import CONTEXTS
from unora_common.streams import is_of, is_own
from unora_sdk.names import stream
from unora_sdk.nats_client import connect

from unora_local.env import Env
from unora_local.mistakes import Mistake

LOCK_NAME: Final = "unora rule clock"
IDLE_WITHIN: Final = 60.0
POLL: Final = 0.02
"""Seconds between two looks: quicker than a person notices, and rare enough to leave the services the processor."""
DUE: Final = (
    "streak.streaks WHERE next_due_at <= clock.now()",
    "billing.subscriptions WHERE due_at <= clock.now()",
    "billing.payments WHERE due_at <= clock.now()",
    "billing.credit_protections WHERE status = 'open' AND expires_at <= clock.now()",
    "identity.users WHERE erase_after <= clock.now()",
    "identity.erasures WHERE erased_at IS NULL",
)
"""Rows whose time has come and that a job has not handled yet."""


class NotIdleError(Mistake, TimeoutError):
    """The stack did not become idle in time; the message lists what is still pending."""


class ClockInUseError(Mistake):
    """Another process holds the lock on the clock of this stack."""


@dataclass(frozen=True)
class _Snapshot:
    """The state of the database at one moment."""

    due: int
    unpublished: dict[str, int]
    emitted: int
    """A number that grows with each event in an outbox."""

    @property
    def quiet(self) -> bool:
        return not self.due and not any(self.unpublished.values())


class Clock:
    """Moves the rule clock as the superuser. Only one process can have it open: it holds an advisory lock."""

    def __init__(self, env: Env, within: float = IDLE_WITHIN) -> None:
        """`within`: seconds that the stack gets to become idle, and NATS for each answer."""
        self._env = env
        self._within = within
        self.superuser: asyncpg.Connection[asyncpg.Record]
        self._nats: Client

    async def __aenter__(self) -> Self:
        self.superuser = await asyncpg.connect(self._env.postgres)
        try:
            if not await self.superuser.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", LOCK_NAME):
                raise ClockInUseError(
                    "another command moves the clock of this stack, such as a demo or a seed; wait until it has ended"
                )
            self._nats = await connect(self._env.nats, *self._env.certificate_files(), connect_timeout=self._within)
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
        """Move forward, to a moment or by a duration, and wait until the stack is idle. A past moment moves nothing."""
        await self.jump(to)
        await self.wait_until_idle()

    async def jump(self, to: datetime | timedelta) -> None:
        """Move forward as `move` does, and wait for nothing: while members call, a stack is never idle."""
        ahead = to if isinstance(to, timedelta) else to - await self.now()
        await self.superuser.execute("UPDATE clock.shift SET ahead = ahead + greatest($1, interval '0')", ahead)

    async def wait_until_idle(self) -> None:
        """Return when nothing is due, every event is published, and every consumer has handled its messages.

        A consumer may emit more events, so the database is read before and after the consumers are asked: the two
        readings must be equal. Raises NotIdleError if that takes too long.
        """
        try:
            async with asyncio.timeout(self._within):
                idle_checks = 0
                while idle_checks < 2:  # a message is in its stream a moment before its consumer counts it
                    idle_checks = idle_checks + 1 if await self._is_idle() else 0
                    await asyncio.sleep(POLL)
        except TimeoutError:
            raise NotIdleError(await self._describe_pending(self._within)) from None

    async def count_events(self) -> int:
        """How many events are in the outboxes."""
        counts = " + ".join(f"(SELECT count(*) FROM {context}.outbox)" for context in CONTEXTS)
        number: int = await self.superuser.fetchval(f"SELECT {counts}")
        return number

    async def _is_idle(self) -> bool:
        before = await self._snapshot()
        return before.quiet and not await self._pending_messages() and await self._snapshot() == before

    async def _snapshot(self) -> _Snapshot:
        row = await self.superuser.fetchrow(_SNAPSHOT)
        assert row is not None
        return _Snapshot(row["due"], {context: row[context] for context in CONTEXTS}, row["emitted"])

    async def _pending_messages(self) -> dict[str, int]:
        """How many messages wait for delivery or acknowledgement, by consumer of a context: nobody waits for others."""
        found = await self._consumers()
        return {info.name: waits for info in found if is_own(info.name) and (waits := _pending(info))}

    async def undelivered(self, subscriber: str) -> dict[str, int]:
        """How many messages have not yet been delivered to a subscriber that is no context, by consumer."""
        found = await self._consumers()
        return {info.name: waits for info in found if is_of(info.name, subscriber) and (waits := info.num_pending)}

    async def _consumers(self) -> list[ConsumerInfo]:
        manager = self._nats.jetstream(timeout=self._within)
        found = await asyncio.gather(*(manager.consumers_info(stream(context)) for context in CONTEXTS))
        return [info for infos in found for info in infos]

    async def _describe_pending(self, seconds: float) -> str:
        snapshot = await self._snapshot()
        pending = [f"not idle within {seconds:.0f} s"]
        if snapshot.due:
            pending.append(f"{snapshot.due} streaks, subscriptions, payments, protections or erasures are due")
        pending += [
            f"{context} has {number} unpublished events" for context, number in snapshot.unpublished.items() if number
        ]
        pending += [f"{name} has {number} pending events" for name, number in (await self._pending_messages()).items()]
        for context in CONTEXTS:
            for row in await self.superuser.fetch(f"SELECT consumer, error FROM {context}.inbox_failures LIMIT 3"):
                pending.append(f"{row['consumer']} failed: {row['error']}")
        return "; ".join(pending)


def _pending(info: ConsumerInfo) -> int:
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


def _unpublished(context: str) -> str:
    return f"(SELECT count(*) FROM {context}.outbox WHERE published_at IS NULL) AS {context}"


def _last(context: str) -> str:
    return f"coalesce(pg_sequence_last_value(pg_get_serial_sequence('{context}.outbox', 'seq')::regclass), 0)"


_SNAPSHOT: Final = f"""
    SELECT {" + ".join(f"(SELECT count(*) FROM {what})" for what in DUE)} AS due,
           {", ".join(_unpublished(context) for context in CONTEXTS)},
           {" + ".join(_last(context) for context in CONTEXTS)} AS emitted"""
