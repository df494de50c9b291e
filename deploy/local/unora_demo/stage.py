"""The state that the steps of the journey share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import asyncpg
from unora.matching.v1.matching_service_pb2 import Connection
from unora.streak.v1.streak_service_pb2 import Streak
from unora_local.cast import PEOPLE
from unora_local.client import Gateway, Session
from unora_local.sms_box import SmsBox

from unora_demo.cast import COUPLES, ONLOOKER, TRIO
from unora_demo.notifier import Notifier
from unora_demo.people import Member
from unora_demo.provider import Provider
from unora_demo.timeline import Note, Strip


class RuleClock(Protocol):
    """The rule clock, and the superuser's connection that moves it."""

    @property
    def superuser(self) -> asyncpg.Connection[asyncpg.Record]:
        """A superuser's connection, for the few things that no client can see."""

    async def now(self) -> datetime:
        """The time (UTC)."""

    async def move(self, to: datetime | timedelta) -> None:
        """Move forward, and wait until the stack is idle."""

    async def wait_until_idle(self) -> None:
        """Return when no work is left."""


@dataclass
class Stage:
    """The stack, the members on it, and how far the story has come."""

    gateway: Gateway
    clock: RuleClock
    box: SmsBox
    provider: Provider
    make_admin: Callable[[str], Awaitable[str]]
    """Grants a member the role, by their id; returns what identity's command says, with the secret (ID-15)."""
    notifier: Notifier | None = None
    """What tells the members by push messages; None where no processes run."""
    size: int = len(PEOPLE)
    """The number of people: all who have a part in the story, and others."""
    strip: Strip = field(default_factory=Strip)
    sessions: list[Session] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    connection: Connection = field(default_factory=Connection)
    streak: Streak = field(default_factory=Streak)
    """As it was last seen."""
    scenes: dict[str, Stage] = field(default_factory=dict)
    """The other couples, by their letters: the same stage, with their own connection and streak."""
    onlooker_is: Member | None = None
    drawn: dict[str, bool] = field(default_factory=dict)
    """The elements of screens that were drawn, and whether they had something to show for anybody."""
    marks: list[str] = field(default_factory=list)
    """Words that only the member who is to be erased has written (ID-09)."""
    links: list[str] = field(default_factory=list)
    """Links to that member's photos."""

    @property
    def one(self) -> Member:
        """The first of the couple: sends an interest first."""
        return self.members[0]

    @property
    def other(self) -> Member:
        """The second of the couple."""
        return self.members[1]

    @property
    def couple(self) -> tuple[Member, Member]:
        """Both."""
        return self.one, self.other

    @property
    def onlooker(self) -> Member:
        """A third member, who tries the time lock and later moderates."""
        return self.members[ONLOOKER] if self.onlooker_is is None else self.onlooker_is

    @property
    def trio(self) -> tuple[Member, ...]:
        """One who connects with two."""
        return tuple(self.members[number] for number in TRIO)

    def scene(self, letter: str) -> Stage:
        """The stage of another couple."""
        if letter not in self.scenes:
            couple = [self.members[number] for number in COUPLES[letter]]
            self.scenes[letter] = self.with_couple(*couple)
        return self.scenes[letter]

    def with_couple(self, one: Member, other: Member) -> Stage:
        """The same stage for two others, before they meet."""
        return replace(
            self,
            members=[one, other],
            onlooker_is=self.onlooker,
            strip=Strip(),
            connection=Connection(),
            streak=Streak(),
            scenes={},
        )


StepFunction = Callable[[Stage, Note], Awaitable[None]]
