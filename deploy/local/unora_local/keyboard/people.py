"""The people of a stack whose logins are known: `people.json` in its folder, which only its owner can read."""

from __future__ import annotations

import asyncio
import json
import unicodedata
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from unora_local.keys import exclusive, write_private
from unora_local.mistakes import Mistake

FILE: Final = "people.json"


@dataclass(frozen=True)
class Login:
    """What is needed to act as a member."""

    login: str
    """What a person types: the name in small plain letters, with a number if another has it."""
    name: str
    user_id: str
    phone_number: str
    refresh_token: str
    city: str = ""
    partner: str = ""
    """The login of who they are connected with."""
    meets: str = ""
    """The login of one whose card they have, and who has theirs."""
    totp_secret: str = ""
    """The second factor of an admin (ID-15)."""


class People:
    """The logins of one stack. Several commands may use them at once."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE

    def all(self) -> dict[str, Login]:
        """By login, in the order in which they joined."""
        if not self.file.exists():
            return {}
        return {each["login"]: Login(**each) for each in json.loads(self.file.read_bytes())}

    def get(self, asked: str) -> Login:
        """By login or name. Raises Mistake, with who is near."""
        known, wanted = self.all(), plain(asked)
        if wanted in known:
            return known[wanted]
        if not known:
            raise Mistake("nobody's login is known yet; `make seed` makes members")
        near = get_close_matches(wanted, known) or list(known)[:6]
        raise Mistake(f"nobody is called {asked}; there are {', '.join(near)}{' …' if len(known) > len(near) else ''}")

    def add(self, login: Login) -> Login:
        """Keep another login, under a name that is free. The caller has the turn."""
        known = self.all()
        base = plain(login.name)
        free = next(name for name in (base, *(f"{base}{n}" for n in range(2, len(known) + 3))) if name not in known)
        return self.put(replace(login, login=free))

    def put(self, login: Login) -> Login:
        """Keep what has changed. The caller has the turn."""
        rows: list[dict[str, Any]] = [asdict(each) for each in (self.all() | {login.login: login}).values()]
        write_private(self.file, json.dumps(rows, indent=1, ensure_ascii=False).encode() + b"\n")
        return login

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Nobody else changes the file inside the block, neither another process nor another task of this one: a
        refresh token can be used once. Who waits for the turn holds up no other task.
        """
        with ExitStack() as held:
            await asyncio.to_thread(held.enter_context, exclusive(self.file))
            yield


def plain(name: str) -> str:
    """A name in small letters without marks: `Sören` is `soren`."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
