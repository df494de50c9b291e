"""Members that call while processes are restarted or replaced: readers, couples who live their days, and newcomers.

Each part goes on until the load is stopped, and ends what it has begun, so that every answer is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count, cycle
from types import TracebackType
from typing import Final, Self
from zoneinfo import ZoneInfo

import asyncpg
import grpc
from unora_common.config import CONTEXTS
from unora_demo.provider import Provider
from unora_local import client
from unora_local.cast import ZONE
from unora_local.client import Gateway, Refused, Session, Unexpected
from unora_local.clock import Clock
from unora_local.env import Env
from unora_local.keyboard import couples, moments
from unora_local.sms_box import SmsBox
from unora_testing.rest.channel import rest_channel

from unora_upgrade import newcomers
from unora_upgrade.reads import READS
from unora_upgrade.repeating import RepeatingGateway, Tally

READERS: Final = 4
"""Members who read at once, by each way."""
BETWEEN_READS: Final = 0.2
"""Seconds between two calls of a reader."""
BETWEEN_NEWCOMERS: Final = 2.0
DAY_SECONDS: Final = 30.0
"""A day of the rule clock takes so long at least: a streak, which ends after fifteen, outlives a run."""
FORGETFUL: Final = 4
"""One of so many members misses a day now and then, so that some streaks break, and others do not."""
MISSES_EVERY: Final = 6
"""Of so many days that member misses the last."""
CLOSED_WITHIN: Final = 60.0
"""Seconds within which all days that are over must be closed."""
AFTER_A_FAILURE: Final = 1.0
COUNTED_RECORDS: Final = {
    "check-ins": "SELECT count(*) FROM streak.check_ins",
    "subscriptions": "SELECT count(*) FROM billing.subscriptions",
}
"""What answers of the load leave behind."""
DUE: Final = "SELECT count(*) FROM streak.streaks WHERE next_due_at <= clock.now()"


def by_grpc(env: Env, tally: Tally) -> Gateway:
    """The services, as a gateway calls them: all processes of each in turn."""
    shown = client.credentials(env.certificates())
    channels = {context: client.channel(env, context, shown) for context in CONTEXTS}
    return RepeatingGateway(channels | client.notifier(env), tally)


def by_rest(env: Env, tally: Tally) -> Gateway:
    """The services over the gateway, as an app calls them."""
    rest: grpc.aio.Channel = rest_channel(env.gateway, env.certificates()[0])
    return RepeatingGateway(dict.fromkeys(CONTEXTS, rest) | client.notifier(env), tally)


async def counted(superuser: asyncpg.Connection[asyncpg.Record]) -> dict[str, int]:
    """How much of COUNTED_RECORDS is there."""
    return {what: await superuser.fetchval(sql) for what, sql in COUNTED_RECORDS.items()}


@dataclass
class Load:
    """The members, half of them by gRPC and half by REST. Inside `async with` they call. An error that is no failed
    call, such as a lost connection of the load itself, ends what is inside at once and is raised.
    """

    env: Env
    clock: Clock
    sessions: list[Session]
    """Of members who are there already; those that are connected check in each day."""
    tally: Tally = field(default_factory=Tally)
    before: dict[str, int] = field(default_factory=dict)
    """What was there of COUNTED_RECORDS before."""
    day_seconds: float = DAY_SECONDS
    days: int = 0
    """That have passed."""
    joined: int = 0
    """Newcomers who are members with a subscription now."""
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _group: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)
    _gateways: list[Gateway] = field(default_factory=list)
    _code_under_way: asyncio.Lock = field(default_factory=asyncio.Lock)
    """A code is good for minutes: no day passes until it is sent back."""

    async def __aenter__(self) -> Self:
        pictures = await newcomers.pictures()
        self.before = await counted(self.clock.superuser)
        self._gateways = [by_grpc(self.env, self.tally), by_rest(self.env, self.tally)]
        self.sessions = [each.at(self._gateways[number % 2]) for number, each in enumerate(self.sessions)]
        await self._group.__aenter__()
        for gateway in self._gateways:
            for number in range(READERS):
                self._start(self._reader(gateway, number), BETWEEN_READS)
            self._start(self._newcomer(gateway, pictures), BETWEEN_NEWCOMERS)
        self._start(self._day, self.day_seconds)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Each member ends what is begun; after an error, at once."""
        self._stopping.set()
        try:
            await self._group.__aexit__(kind, error, trace)
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None  # the first error cancelled the others
        finally:
            for gateway in self._gateways:
                await gateway.__aexit__(None, None, None)

    def _start(self, work: Callable[[], Awaitable[None]], pause: float) -> None:
        self._group.create_task(self._keep(work, pause))

    async def _keep(self, work: Callable[[], Awaitable[None]], pause: float) -> None:
        """Do the work again and again, with a pause; what it does not get is a failure."""
        while not self._stopping.is_set():
            seconds = pause
            try:
                await work()
            except (Refused, Unexpected) as error:
                self.tally.failed.append(str(error))
                seconds = max(pause, AFTER_A_FAILURE)  # a long outage must not fill the memory with failures
            try:
                await asyncio.wait_for(self._stopping.wait(), seconds)
            except TimeoutError:
                continue

    def _reader(self, gateway: Gateway, number: int) -> Callable[[], Awaitable[None]]:
        """Each of the reads in turn, each time as another member."""
        reads = cycle(READS[number:] + READS[:number])
        readers = cycle(self.sessions[number:] + self.sessions[:number])

        async def read() -> None:
            await next(reads)(gateway, next(readers).access_token)

        return read

    async def _day(self) -> None:
        """Those who are connected check in, by one way or the other; then it is the next morning. One member refreshes
        the session, so that no token expires in a long run.
        """
        for number, session in enumerate(self.sessions):
            misses = number % FORGETFUL == 0 and (self.days + 1) % MISSES_EVERY == 0
            if not misses:
                await couples.check_in(session)
        await self.sessions[self.days % len(self.sessions)].refresh()
        async with self._code_under_way:
            now = await self.clock.now()
            await self.clock.jump(moments.target(moments.NEXT_DAY, now, ZoneInfo(ZONE)))
        await self._until_days_are_closed()
        self.days += 1

    async def _until_days_are_closed(self) -> None:
        superuser: asyncpg.Connection[asyncpg.Record] = self.clock.superuser
        try:
            async with asyncio.timeout(CLOSED_WITHIN):
                while due := await superuser.fetchval(DUE):  # noqa: ASYNC110 - other processes close them
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise Unexpected(f"{due} streaks are not taken to the new day within {CLOSED_WITHIN:.0f} s") from None

    def _newcomer(self, gateway: Gateway, pictures: list[bytes]) -> Callable[[], Awaitable[None]]:
        """One after the other signs up, subscribes, leaves and comes back."""
        box, numbers = SmsBox(self.env.sms_sandbox), count()
        provider = Provider(self.env.payment_sandbox, self.env.payment_sandbox_key)

        async def join() -> None:
            number = next(numbers)
            async with self._code_under_way:
                member = await newcomers.sign_up(gateway, box, number)
            await newcomers.describe(member, pictures[number % len(pictures)])
            await newcomers.subscribe(member, provider)
            self.joined += 1
            await newcomers.leave(member)
            async with self._code_under_way:
                await newcomers.come_back(member, box)

        return join
