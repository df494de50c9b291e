"""What the page in a browser does, by the same calls: REST and the bridge, on a stack of real processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
from unora_local.env import Env
from unora_local.keyboard.people import Login, People
from unora_local.keyboard.sessions import token_of
from unora_local.run_folder import RunFolder
from unora_testing.deadlines import GENEROUS, eventually

Json = dict[str, Any]
SETTLED_WITHIN = 5 * GENEROUS


class Ears:
    """What one member's page has heard."""

    def __init__(self) -> None:
        self.status = 0
        self.refusal = ""
        self.events: list[Json] = []
        self.comments = 0
        self.has_ended = False
        self.is_open = False

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def contexts(self) -> set[str]:
        return {kind.partition(".")[0] for kind in self.types()}

    async def until(self, kind: str) -> Json:
        """The first event of this type, once it is heard."""
        await eventually(lambda: kind in self.types(), f"{kind} is heard, not only {self.types()}")
        return next(event for event in self.events if event["type"] == kind)


class Browser:
    """A browser on this machine."""

    def __init__(self, folder: RunFolder) -> None:
        self.env = Env.read(folder.env)
        self.people = People(folder.path)
        self.url = self.env.plain_gateway
        self.web = httpx.AsyncClient(base_url=self.url, timeout=SETTLED_WITHIN)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.web.get(path, headers=headers)

    async def post(self, path: str, token: str = "", **body: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.web.post(path, json=body, headers=headers)

    async def call(self, path: str, token: str = "", **body: Any) -> Json:
        """A call of REST that is answered."""
        answer = await self.post(f"/v1/{path}", token, request_id=str(uuid4()), **body)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def ask(self, path: str, token: str) -> Json:
        answer = await self.get(f"/v1/{path}", Authorization=f"Bearer {token}")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def bridge(self, path: str, **body: Any) -> Json:
        """A call of the bridge that is answered; without a body a GET."""
        answer = await (self.post(f"/local/api/{path}", **body) if body else self.get(f"/local/api/{path}"))
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def token(self, login: Login) -> str:
        return await token_of(self.env, self.people, login.login)

    async def seconds_ahead(self) -> int:
        """By how much the rule clock is ahead of this machine."""
        shown = await self.bridge("clock")
        assert datetime.fromisoformat(shown["now"]).tzinfo is not None
        seconds: int = shown["ahead_seconds"]
        return seconds

    async def signed_up(self, number: str) -> str:
        """A token of the member with the number."""
        challenge = (await self.call("phone-verifications", phone_number=number))["challenge_id"]
        code = (await self.bridge(f"inbox?phone={quote(number)}"))["code"]
        tokens = (await self.call(f"phone-verifications/{challenge}:verify", code=code))["tokens"]
        return str(tokens["access_token"])

    async def confirm(self, confirmation: Json, method: str) -> httpx.Response:
        path = f"/local/api/payments/{confirmation['provider_payment_id']}"
        return await self.post(path, client_secret=confirmation["client_secret"], payment_method=method)

    async def who_can_check_in(self, people: dict[str, Login]) -> tuple[Login, str]:
        """One of a couple, and their streak."""
        for login in people.values():
            for streak in (await self.ask("dashboard", await self.token(login)))["streaks"]:
                if "STREAK_ACTION_CHECK_IN" in streak["actions"]:
                    return login, streak["streak_id"]
        raise AssertionError("nobody can check in")

    async def hear_all(self, heard: dict[str, Ears]) -> None:
        """Return when all have heard what they can hear: all is published, and then each makes an event of their own.
        `heard` has what each member hears, by the member's token.
        """
        await self.bridge("clock", move="+1s")
        for token, ears in heard.items():
            await self.call("account:pause", token)
            await self.call("account:resume", token)
            await ears.until("identity.account_resumed")

    @asynccontextmanager
    async def listening(self, token: str) -> AsyncIterator[Ears]:
        """A stream of events, open inside the block."""
        ears = Ears()
        task = asyncio.create_task(self._listen(token, ears))
        try:
            await eventually(lambda: ears.is_open or task.done(), "the stream is open")
            yield ears
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, httpx.HTTPError):
                await task

    async def _listen(self, token: str, ears: Ears) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.web.stream("GET", "/local/api/events", headers=headers) as response:
            ears.status = response.status_code
            if response.status_code != 200:
                ears.refusal = json.loads(await response.aread())["reason"]
                return
            named = ""
            async for line in response.aiter_lines():
                ears.is_open = True
                field, _, value = line.partition(": ")
                if line.startswith(":"):
                    ears.comments += 1
                elif field == "event":
                    named = value
                elif field == "data" and named == "end":
                    ears.has_ended = True
                elif field == "data":
                    event = json.loads(value)
                    assert event["type"] == named
                    ears.events.append(event)
