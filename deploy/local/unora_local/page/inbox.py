"""The codes that identity "sent"."""

from __future__ import annotations

import asyncio

import phonenumbers
from aiohttp import web
from unora_common.errors import InvalidArgument

from unora_local.keyboard import inbox
from unora_local.page.refusals import NoCode
from unora_local.page.stack import RunningStack


class Inbox:
    """Reads the file of the sandbox for SMS."""

    def __init__(self, stack: RunningStack) -> None:
        self._file = stack.env.sms_sandbox

    async def newest(self, request: web.Request) -> web.Response:
        """The newest code that was sent to a number, which may hold spaces as people write them. Raises NoCode."""
        try:
            number = phonenumbers.parse(request.query.get("phone", ""))
        except phonenumbers.NumberParseException:
            raise InvalidArgument({"phone": "must be a number with +, which a query writes as %2B"}) from None
        code = await asyncio.to_thread(inbox.newest, self._file, _as_sent(number))
        if code is None:
            raise NoCode
        return web.json_response({"code": code.code})


def _as_sent(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
