"""A local server that speaks what the notifier uses of Google: bearer tokens, and FCM's HTTP v1."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import RSAKey
from unora_notifier.fcm import GRANT, SCOPE

EMAIL, KEY_ID, PROJECT = "notifier@unora-test.example", "key-1", "unora-test"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Answer:
    """What FCM says instead of 200."""

    status: int
    code: str = ""
    retry_after: str = ""
    body: str = ""

    def response(self) -> web.Response:
        details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": self.code}]
        error = {"code": self.status, "status": "NOT_FOUND", "details": details if self.code else []}
        headers = {"retry-after": self.retry_after} if self.retry_after else {}
        return web.Response(status=self.status, text=self.body or json.dumps({"error": error}), headers=headers)


@dataclass
class Google:
    """The messages that came, and what is answered to the next ones."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    """Those that were taken."""
    tried: int = 0
    answers: list[Answer] = field(default_factory=list)
    """For the next messages with a good bearer token, in their order; then all are taken."""
    dead: set[str] = field(default_factory=set)
    """Device tokens that lead nowhere."""
    bearers: int = 0
    """How many bearer tokens were given; only the last one is good."""
    refuses_account: Answer | None = None
    url: str = ""
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/token", self._token)
        app.router.add_post(f"/v1/projects/{PROJECT}/messages:send", self._send)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        assert self._runner
        await self._runner.cleanup()

    def account(self, folder: Path) -> Path:
        """The file of the service account."""
        pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        file = folder / "account.json"
        values = {"type": "service_account", "project_id": PROJECT, "client_email": EMAIL, "private_key": pem}
        file.write_text(json.dumps(values | {"private_key_id": KEY_ID, "token_uri": f"{self.url}/token"}))
        return file

    def expire(self) -> None:
        """The bearer token that was given is good no more."""
        self.bearers += 1

    async def _token(self, request: web.Request) -> web.Response:
        if self.refuses_account:
            return self.refuses_account.response()
        form = await request.post()
        assert form["grant_type"] == GRANT
        token = jwt.decode(str(form["assertion"]), RSAKey.import_key(KEY.public_key()), algorithms=["RS256"])
        assert token.header == {"alg": "RS256", "kid": KEY_ID, "typ": "JWT"}
        claims = token.claims
        assert (claims["iss"], claims["scope"], claims["aud"]) == (EMAIL, SCOPE, f"{self.url}/token")
        assert claims["exp"] - claims["iat"] == 3600
        self.bearers += 1
        return web.json_response({"access_token": f"bearer-{self.bearers}", "expires_in": 3599, "token_type": "Bearer"})

    async def _send(self, request: web.Request) -> web.Response:
        if request.headers["authorization"] != f"Bearer bearer-{self.bearers}":
            return Answer(401, "THIRD_PARTY_AUTH_ERROR").response()
        self.tried += 1
        message = (await request.json())["message"]
        if self.answers:
            return self.answers.pop(0).response()
        if message["token"] in self.dead:
            return Answer(404, "UNREGISTERED").response()
        self.sent.append(message)
        return web.json_response({"name": f"projects/{PROJECT}/messages/{len(self.sent)}"})
