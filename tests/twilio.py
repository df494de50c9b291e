"""A stand-in for Twilio, on loopback: the part of its Messaging API that sends a text, and its signed webhooks.

It checks what Twilio checks (the account, basic authentication, the form), keeps the messages in memory, and signs what
it tells as Twilio documents it. https://www.twilio.com/docs/messaging/api/message-resource
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from aiohttp import BasicAuth, web

ACCOUNT: Final = "AC" + "0a" * 16
AUTH_TOKEN: Final = "token-of-the-account"
API_KEY: Final = "SK" + "0b" * 16
API_SECRET: Final = "secret-of-the-key"
SENDER: Final = "MG" + "0c" * 16
CALLBACK: Final = "https://api.unora.example/v1/webhooks/sms"


@dataclass
class FakeTwilio:
    """Call `start` first, and `stop` last."""

    messages: list[dict[str, str]] = field(default_factory=list)
    """The forms of the messages that were accepted, each with its `Sid`, in order."""
    refusals: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    """Numbers (or `*`) to which nothing is sent: the status, and Twilio's code of the error (None: no JSON at all)."""
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    """Answers wait until it is set."""
    url: str = ""

    async def start(self) -> str:
        """Serves on a free port of loopback; returns the address."""
        self.hold.set()
        app = web.Application()
        app.router.add_post("/2010-04-01/Accounts/{account}/Messages.json", self._create)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self.url

    async def stop(self) -> None:
        """Closes the server."""
        self.hold.set()
        await self._runner.cleanup()

    def sent_to(self, number: str) -> list[dict[str, str]]:
        """The messages to a number, in order."""
        return [message for message in self.messages if message["To"] == number]

    def code(self, number: str) -> str:
        """The code in the last message to a number."""
        return self.sent_to(number)[-1]["Body"].split()[0]

    def tell(self, message: dict[str, str], status: str, **others: str) -> tuple[bytes, str]:
        """The body and the signature of a webhook on the status of a message."""
        told = {
            "AccountSid": ACCOUNT,
            "ApiVersion": "2010-04-01",
            "From": "+15550001111",
            "MessageSid": message["Sid"],
            "MessageStatus": status,
            "SmsSid": message["Sid"],
            "SmsStatus": status,
            "To": message["To"],
            **others,
        }
        return urlencode(told).encode(), signature(told)

    async def _create(self, request: web.Request) -> web.Response:
        try:
            form = {name: str(value) for name, value in (await request.post()).items()}
        except ConnectionError:
            return _error(400, None)  # nobody waits for it
        await self.hold.wait()
        if request.match_info["account"] != ACCOUNT or not _is_known(request.headers.get("Authorization", "")):
            return _error(401, 20003)
        status, code = self.refusals.get(form["To"], self.refusals.get("*", (201, None)))
        if status != 201:
            return _error(status, code)
        if form["MessagingServiceSid"] != SENDER or not form["To"].startswith("+") or not form["Body"]:
            return _error(400, 21602)
        self.messages.append({**form, "Sid": f"SM{uuid4().hex}"})
        answer = {"sid": self.messages[-1]["Sid"], "status": "accepted", "to": form["To"], "error_code": None}
        return web.json_response(answer, status=201)


def signature(fields: dict[str, str], address: str = CALLBACK, token: str = AUTH_TOKEN) -> str:
    """X-Twilio-Signature: HMAC-SHA1 over the address and the fields, sorted by name, without anything between them."""
    text = address + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), hashlib.sha1)).decode()


def settings(twilio: FakeTwilio) -> dict[str, Any]:
    """The configuration of identity that sends by this stand-in."""
    return {
        "sms_sandbox": "",
        "twilio_account": ACCOUNT,
        "twilio_auth_token": AUTH_TOKEN,
        "twilio_api_key": API_KEY,
        "twilio_api_secret": API_SECRET,
        "twilio_sender": SENDER,
        "twilio_callback": CALLBACK,
        "twilio_api": twilio.url,
    }


def _is_known(authorization: str) -> bool:
    try:
        given = BasicAuth.decode(authorization)
    except ValueError:
        return False
    return (given.login, given.password) in ((ACCOUNT, AUTH_TOKEN), (API_KEY, API_SECRET))


def _error(status: int, code: int | None) -> web.Response:
    if code is None:
        return web.Response(status=status, text="<html>no JSON</html>")
    return web.json_response({"code": code, "message": "what went wrong", "status": status}, status=status)
