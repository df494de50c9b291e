"""Admins with a second factor, as tests of ID-15 make them."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from google.protobuf.message import Message
from unora_identity.service import service
from unora_testing.world import World

from tests.integration.identity.people import People, Signed

STEP = timedelta(seconds=30)


class Office:
    """Admins, made and unmade by the commands."""

    def __init__(self, world: World, people: People, capsys: pytest.CaptureFixture[str]) -> None:
        self.world = world
        self.people = people
        self._capsys = capsys

    async def command(self, name: str, *words: str) -> tuple[int, str]:
        """The exit status of a command, and all that it printed."""
        command, parser = service.commands[name], argparse.ArgumentParser()
        command.arguments(parser)
        status = await command.run(self.world.apps["identity"].runtime, parser.parse_args(words))
        printed = self._capsys.readouterr()
        return status, printed.out + printed.err

    async def admin(self) -> tuple[str, Signed, str]:
        """The number, the first session, and the secret of a new admin."""
        number = self.people.number()
        signed = await self.people.sign_in(number)
        status, said = await self.command("make-admin", signed.member.id)
        assert status == 0, said
        return number, signed, secret_in(said)

    async def roles(self, access_token: str) -> frozenset[str]:
        """The roles that a token carries."""
        return (await self.world.apps["identity"].verifier.verify(access_token)).roles


def secret_in(said: str) -> str:
    found = re.search(r"secret +([A-Z2-7]{32})\n", said)
    assert found, said
    return found[1]


def totp(secret: str, steps: int = 0) -> str:
    """The code of the present step, or of one so many steps later."""
    return pyotp.TOTP(secret).at(datetime.now(UTC) + steps * STEP)


def not_the(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


async def count(world: World, kind: type[Message], signed: Signed) -> int:
    """How many events of this kind there are about a member."""
    return len(await world.events(kind, signed.member.id))
