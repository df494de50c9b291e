"""The stack that drills are played on, its members, and what must hold after each drill."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import asyncpg
from unora.identity.v1.account_service_pb2 import SessionTokens
from unora_common.config import CONTEXTS
from unora_local import members
from unora_local.client import Gateway, Refused, Session
from unora_local.clock import Clock
from unora_local.keyboard import seed
from unora_local.keyboard.people import People
from unora_local.keyboard.sessions import session_of
from unora_local.process import StartFailedError
from unora_local.progress import Progress
from unora_local.sms_box import SmsBox
from unora_upgrade import checks
from unora_upgrade.checks import Check

from unora_drill.diary import Diary
from unora_drill.stack import DrillStack

IDLE_WITHIN: Final = 120.0
CODES_WINDOW: Final = timedelta(hours=1)
TABLES: Final = "SELECT schemaname || '.' || relname FROM pg_stat_user_tables WHERE schemaname = ANY($1) ORDER BY 1"


@dataclass
class Scene:
    """A stack with members, some of them in the middle of a streak."""

    stack: DrillStack
    progress: Progress

    @property
    def people(self) -> People:
        """The members' logins."""
        return People(self.stack.folder.path)

    async def seed(self, number: int) -> None:
        """Make members."""
        await seed.seed(self.stack.env, self.people, number, self.progress)

    def file(self, name: str) -> Path:
        """A file of the drills, beside the stack."""
        return self.stack.folder.path.parent / name

    @asynccontextmanager
    async def diary(self) -> AsyncIterator[Diary]:
        """The first of the members writes."""
        async with self.gateway() as gateway:
            login = next(iter(self.people.all()))
            _, session = await session_of(gateway, self.stack.env, self.people, login)
            async with Diary(session) as diary:
                await diary.until_answered(3)
                yield diary

    def gateway(self) -> Gateway:
        """A client of the stack, for `async with`."""
        return Gateway.at(self.stack.env)

    @asynccontextmanager
    async def clock(self) -> AsyncIterator[Clock]:
        """The clock of the stack, and the superuser's connection."""
        async with Clock(self.stack.env, IDLE_WITHIN) as clock:
            yield clock

    async def sign_in(self, gateway: Gateway, login: str) -> Session:
        """A member signs in anew, by phone. Raises Refused."""
        env, known = self.stack.env, self.people.get(login)
        session = Session(gateway, known.user_id, SessionTokens(), known.phone_number)
        return await members.sign_in(gateway, SmsBox(env.sms_sandbox), session)

    async def facts(self, superuser: asyncpg.Connection[asyncpg.Record]) -> dict[str, int]:
        """The number of rows of every table of the contexts."""
        tables = [row[0] for row in await superuser.fetch(TABLES, list(CONTEXTS))]
        return {table: await superuser.fetchval(f"SELECT count(*) FROM {table}") for table in tables}

    async def holds(self, clock: Clock) -> list[Check]:
        """What must hold after every drill."""
        await clock.move(CODES_WINDOW)  # else ID-11 refuses codes to those who sign in after each of the drills
        superuser, env = clock.superuser, self.stack.env
        found = [await checks.unpublished(superuser), await checks.dead_letters(env), await checks.unbroken(superuser)]
        return [*found, await self._chains(), await self._members()]

    async def _chains(self) -> Check:
        try:
            said = await self.stack.run("safety", "verify")
        except StartFailedError as error:
            return Check("audit log", [str(error)], "broken")
        return Check("audit log", [], said.splitlines()[-1])

    async def _members(self) -> Check:
        """Every member signs in by phone, as the same one as before."""
        faults = []
        async with self.gateway() as gateway:
            for login, known in self.people.all().items():
                session = await self.sign_in(gateway, login)
                if session.user_id != known.user_id:
                    faults.append(f"{login} was {known.user_id} and is {session.user_id}")
        return Check("sign-ins", faults, f"{len(self.people.all())} members sign in by phone and are who they were")


async def refusal(call: Awaitable[object]) -> str:
    """What a member is told instead of an answer: code and reason, or `OK` if the call is answered."""
    try:
        await call
    except Refused as error:
        return f"{error.code} {error.reason}".rstrip()
    except OSError as error:
        return type(error).__name__
    return "OK"
