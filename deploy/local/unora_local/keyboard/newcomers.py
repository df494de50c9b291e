"""New members as seed makes them: with a profile, photos and hobbies, in the partner server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.discovery.v1.discovery_service_pb2 import JoinServerRequest
from unora.identity.v1.profile_service_pb2 import Hobby, HobbyOption, ListHobbyOptionsRequest

from unora_local import members
from unora_local.at_once import for_all
from unora_local.cast import PEOPLE
from unora_local.client import Gateway, Session, request_id
from unora_local.clock import Clock
from unora_local.env import Env
from unora_local.keyboard.people import Login, People
from unora_local.progress import Progress
from unora_local.sms_box import SmsBox

PER_COUPLE: Final = 4
"""One couple for so many newcomers, and one for fewer."""
SHARED: Final = 7
"""Hobbies of a couple: the most, so that each has the other's card in the first batch (DI-07)."""
OWN: Final = 4
"""Hobbies of anybody else."""


@dataclass
class Seeding:
    """One run of seed: the stack, and whose logins are known on it."""

    gateway: Gateway
    clock: Clock
    env: Env
    people: People
    progress: Progress


@dataclass
class Newcomer:
    """A new member."""

    login: Login
    session: Session
    hobbies: Sequence[Hobby]


async def make(run: Seeding, number: int) -> list[Newcomer]:
    """Make so many members and keep their logins. The first ones are couples-to-be, two by two, who share hobbies."""
    begun, box = len(run.people.all()), SmsBox(run.env.sms_sandbox)
    with run.progress.step("accounts") as step:
        sessions = await for_all(
            range(number),
            lambda _: members.sign_up(run.gateway, box),
            lambda done: step.now(f"{done} of {number}"),
        )
    options = await sessions[0].call(run.gateway.profiles.ListHobbyOptions, ListHobbyOptionsRequest())
    chosen = choose(options.hobby_options, number)

    async def complete(at: int) -> Newcomer:
        return await _complete(run, sessions[at], begun + at, members.hobbies(chosen[at], begun + at))

    with run.progress.step("profiles, photos, hobbies, a server") as step:
        return await for_all(range(number), complete, lambda done: step.now(f"{done} of {number}"))


def couples_among(number: int) -> int:
    """How many couples there are among so many newcomers."""
    return max(number // PER_COUPLE, min(number // 2, 1))


def choose(options: Sequence[HobbyOption], number: int) -> list[list[HobbyOption]]:
    """The hobbies of each newcomer."""
    couples = [members.RANDOM.sample(options, SHARED) for _ in range(couples_among(number))]
    others = [members.RANDOM.sample(options, OWN) for _ in range(number - 2 * len(couples))]
    return [shared for shared in couples for _ in range(2)] + others


async def _complete(run: Seeding, session: Session, number: int, hobbies: Sequence[Hobby]) -> Newcomer:
    person = PEOPLE[number % len(PEOPLE)]
    await members.describe(session, person)
    await members.choose(session, hobbies)
    for picture in await members.photographs(number):
        await members.upload(session, picture)
    join = JoinServerRequest(request_id=request_id(), server_type=SERVER_TYPE_PARTNER)
    await session.call(run.gateway.discovery.JoinServer, join)
    login = Login("", person.name, session.user_id, session.number, session.refresh_token, person.city)
    async with run.people.turn():
        return Newcomer(run.people.add(login), session, hobbies)
