"""Pays in the sandbox, as an app does with the provider's own library."""

from __future__ import annotations

import re
from typing import Any, Final

from aiohttp import ClientSession, ClientTimeout, web
from unora_common.errors import InvalidArgument

from unora_local.client import ANSWER_WITHIN
from unora_local.page import bodies
from unora_local.page.refusals import PaymentRefused
from unora_local.page.stack import RunningStack

IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_]{1,100}")


class Payments:
    """The member's side of a payment."""

    def __init__(self, stack: RunningStack) -> None:
        self._sandbox = stack.env.payment_sandbox

    async def confirm(self, request: web.Request) -> web.Response:
        """Confirm a payment with the secret that billing gave for it; the answer says its status at the provider.
        Raises PaymentRefused, for example for a card that is declined.
        """
        given = await bodies.read(request, client_secret=str, payment_method=str)
        payment = request.match_info["provider_payment_id"]
        if not IDENTIFIER.fullmatch(payment):
            raise InvalidArgument({"provider_payment_id": "must be the provider's id, such as pi_1a2b"})
        answer = await self._post(f"/v1/payment_intents/{payment}/confirm", given)
        if "error" in answer:
            raise PaymentRefused(why=answer["error"]["code"])
        return web.json_response({"status": answer["status"]})

    async def _post(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        async with (
            ClientSession(timeout=ClientTimeout(ANSWER_WITHIN)) as session,
            session.post(f"{self._sandbox}{path}", data=form) as response,
        ):
            answer: dict[str, Any] = await response.json()
        return answer
