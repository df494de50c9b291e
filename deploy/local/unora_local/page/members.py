"""Makes members to meet, and the moderator at the desk."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from unora_common.errors import InvalidArgument

from unora_local import members
from unora_local.client import Gateway
from unora_local.clock import ClockInUseError
from unora_local.keyboard.people import Login
from unora_local.keyboard.seed import MAX_MEMBERS, add
from unora_local.keyboard.sessions import make_admin, session_of
from unora_local.mistakes import Mistake
from unora_local.page import bodies
from unora_local.page.refusals import ClockBusy, SeedBusy
from unora_local.page.stack import RunningStack
from unora_local.page.work import Work
from unora_local.process import StartFailedError
from unora_local.progress import Progress
from unora_local.sms_box import SmsBox

MODERATOR: Final = "moderator"
"""The login of the moderator in people.json: `unora call ListCases --as moderator` is the same person."""


class Members:
    """Members that nobody has to click together."""

    def __init__(self, stack: RunningStack, work: Work) -> None:
        self._stack = stack
        self._work = work

    async def seed(self, request: web.Request) -> web.Response:
        """Make members as `unora seed` does, but no time passes. Raises SeedBusy, and ClockBusy."""
        count = (await bodies.read(request, count=int))["count"]
        if not 1 <= count <= MAX_MEMBERS:
            raise InvalidArgument({"count": f"must be from 1 to {MAX_MEMBERS}"})
        env, people = self._stack.env, self._stack.people
        try:
            made = await self._work.alone("seed", lambda: add(env, people, count, Progress()), SeedBusy)
        except ClockInUseError:
            raise ClockBusy from None
        return web.json_response({"members": len(made)})

    async def moderator(self, request: web.Request) -> web.Response:
        """A fresh access token of the moderator, who is made at the first call and kept."""
        await bodies.read(request)
        user_id, token = await self._work.shared(MODERATOR, self._signed_in)
        return web.json_response({"access_token": token, "user_id": user_id})

    async def _signed_in(self) -> tuple[str, str]:
        """Each step is kept before the next: what an earlier try has left half-done is used."""
        env, people = self._stack.env, self._stack.people
        async with Gateway.at(env) as gateway:
            if MODERATOR not in people.all():
                session = await members.sign_up(gateway, SmsBox(env.sms_sandbox))
                login = Login(MODERATOR, "Moderator", session.user_id, session.number, session.refresh_token)
                async with people.lock():
                    people.put(login)
            if not people.get(MODERATOR).totp_secret:
                await self._grant()
            login, session = await session_of(gateway, env, people, MODERATOR)
        return login.user_id, session.access_token

    async def _grant(self) -> None:
        try:
            await make_admin(self._stack.folder, MODERATOR)
        except StartFailedError:  # the role was granted, and its secret not kept
            try:
                await make_admin(self._stack.folder, MODERATOR, "--new-secret")
            except StartFailedError as error:
                raise Mistake(f"nobody could be made a moderator: {error}") from None
