"""What the attacks are played on: a stack, its members, and pictures."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from unora_local import members
from unora_local.at_once import for_all
from unora_local.cast import PEOPLE
from unora_local.client import Gateway, Session
from unora_local.env import Env
from unora_local.photos.portraits import portrait
from unora_local.run_folder import RunFolder
from unora_local.sms_box import SmsBox

from unora_attack.gallery import Gallery
from unora_attack.honest import Plan
from unora_attack.orders import Orders, Tally, merged, play
from unora_attack.stack import Target

CALLERS: Final = 20
UPLOADERS: Final = 3
ATTACKERS: Final = 64
PHOTOS: Final = 24
"""Different portraits that the uploaders take turns with."""


@dataclass
class Scene:
    """A stack that is ready, with its members."""

    env: Env
    folder: RunFolder
    target: Target
    callers: list[str]
    """Tokens, as in the next two."""
    uploaders: list[str]
    attackers: list[str]
    gallery: Gallery

    @classmethod
    async def prepare(cls, env: Env, folder: RunFolder, gallery: Gallery) -> Scene:
        """Members sign up and describe themselves."""
        async with Gateway.at(env) as gateway:
            box = SmsBox(env.sms_sandbox)

            async def sign_up(number: int) -> Session:
                session = await members.sign_up(gateway, box)
                await members.describe(session, PEOPLE[number % len(PEOPLE)])
                return session

            sessions = await for_all(range(CALLERS + UPLOADERS + ATTACKERS), sign_up, lambda _: None)
        tokens = [session.access_token for session in sessions]
        callers, rest = tokens[:CALLERS], tokens[CALLERS:]
        return cls(env, folder, Target.of(env, folder), callers, rest[:UPLOADERS], rest[UPLOADERS:], gallery)

    @property
    def files(self) -> Path:
        """Where files of the attacks go."""
        return self.folder.path.parent

    def honest(self, *, uploads: bool) -> Plan:
        """What the honest members do."""
        if not uploads:
            return Plan(self.target, self.callers)
        photos = []
        for number in range(PHOTOS):
            file = self.files / f"portrait-{number}.jpg"
            file.write_bytes(portrait(number % 12, number // 12))
            photos.append(str(file))
        return Plan(self.target, self.callers, self.uploaders, photos)

    def take_attackers(self, count: int) -> list[str]:
        """Tokens of members who have not attacked yet: each may only upload so often (PR-07)."""
        taken, self.attackers = self.attackers[:count], self.attackers[count:]
        return taken

    def pid(self, process: str) -> int:
        """The id of a process of the stack."""
        return next(row.pid for row in self.folder.rows() if row.name == process)

    async def attack(self, *orders: Orders) -> Tally:
        """Plays attacks at the same time, each in a process of its own; what they did together."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(play(each, self.files)) for each in orders]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None  # the first error ended the other attackers
        return merged([task.result() for task in tasks])
