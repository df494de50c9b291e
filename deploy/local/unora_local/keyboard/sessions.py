"""Fresh sessions of the people in people.json."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pyotp
from unora.identity.v1.account_service_pb2 import SessionTokens

from unora_local import members
from unora_local.admin import make_admin as grant
from unora_local.admin import revoke_admin as take_away
from unora_local.admin import secret_in
from unora_local.client import Gateway, Refused, Session
from unora_local.env import Env
from unora_local.keyboard.people import Login, People
from unora_local.run_folder import RunFolder
from unora_local.running import env_of
from unora_local.sms_box import SmsBox

ENDED: Final = "SESSION_INVALID"


async def session_of(gateway: Gateway, env: Env, people: People, asked: str) -> tuple[Login, Session]:
    """A session with an access token that is new (15 minutes): the session that was last used is refreshed (ID-03), or
    begins anew by a code if it has ended. Raises Mistake, or Refused, for example for a closed account.
    """
    async with people.turn():
        login = people.get(asked)
        session = _session(gateway, login)
        try:
            await session.refresh()
        except Refused as error:
            if error.reason != ENDED:
                raise
            session = await _begin(gateway, env, session, login)
        return people.put(replace(login, refresh_token=session.refresh_token)), session


def _session(gateway: Gateway, login: Login) -> Session:
    """The one that was last used, which may have ended."""
    return Session(gateway, login.user_id, SessionTokens(refresh_token=login.refresh_token), login.phone_number)


async def _begin(gateway: Gateway, env: Env, session: Session, login: Login) -> Session:
    code = pyotp.TOTP(login.totp_secret).now() if login.totp_secret else ""
    return await members.sign_in(gateway, SmsBox(env.sms_sandbox), session, code)


async def make_admin(folder: RunFolder, asked: str, *options: str) -> str:
    """Make one of the people an admin who is signed in with the second factor; returns what identity says of it.

    Raises as `session_of`, and StartFailedError if identity refuses it.
    """
    env, people = env_of(folder), People(folder.path)
    said = await grant(folder, people.get(asked).user_id, *options)
    async with people.turn():  # at once: the secret is not shown again
        login = people.put(replace(people.get(asked), totp_secret=secret_in(said)))
    async with Gateway.at(env) as gateway, people.turn():
        session = await _begin(gateway, env, _session(gateway, login), login)
        people.put(replace(login, refresh_token=session.refresh_token))
    return f"{said}\n`--as {login.login}` calls as an admin from now on"


async def revoke_admin(folder: RunFolder, asked: str) -> str:
    """Take the role away from one of the people; returns what identity says of it. Raises as `make_admin`."""
    people = People(folder.path)
    said = await take_away(folder, people.get(asked).user_id)
    async with people.turn():
        people.put(replace(people.get(asked), totp_secret=""))
    return said


async def token_of(env: Env, people: People, asked: str) -> str:
    """A fresh access token of one of the people. Raises as `session_of`."""
    async with Gateway.at(env) as gateway:
        _, session = await session_of(gateway, env, people, asked)
        return session.access_token
