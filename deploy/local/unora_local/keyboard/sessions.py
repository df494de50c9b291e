"""Fresh sessions of the people in people.json."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from unora.identity.v1.account_service_pb2 import SessionTokens

from unora_local import members
from unora_local.client import Gateway, Refused, Session
from unora_local.env import Env
from unora_local.keyboard.people import Login, People
from unora_local.sms_box import SmsBox

ENDED: Final = "SESSION_INVALID"


async def session_of(gateway: Gateway, env: Env, people: People, asked: str) -> tuple[Login, Session]:
    """A session with an access token that is new (15 minutes): the session that was last used is refreshed (ID-03), or
    begins anew by a code if it has ended. Raises Mistake, or Refused, for example for a closed account.
    """
    with people.lock():
        login = people.get(asked)
        session = Session(
            gateway, login.user_id, SessionTokens(refresh_token=login.refresh_token), number=login.phone_number
        )
        try:
            await session.refresh()
        except Refused as error:
            if error.reason != ENDED:
                raise
            session = await members.sign_in(gateway, SmsBox(env.sms_sandbox), session)
        return people.put(replace(login, refresh_token=session.refresh_token)), session


async def token_of(env: Env, people: People, asked: str) -> str:
    """A fresh access token of one of the people. Raises as `session_of`."""
    async with Gateway.at(env) as gateway:
        _, session = await session_of(gateway, env, people, asked)
        return session.access_token
