"""The sandbox's HTTP server, and the delivery of its webhooks."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from unora_local.sandbox.reversals import Reversals
from unora_local.sandbox.store import ApiError, Json, SandboxStore

Send = Callable[[bytes, str], Awaitable[bool]]
"""Sends a webhook's bytes and signature to billing; returns whether billing accepted it."""

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0


def sign(body: bytes, secret: str, at: int | None = None) -> str:
    """The header `stripe-signature`: over the time, a dot and the raw bytes. `at` is the machine's time."""
    moment = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


class Sandbox:
    """The stand-in: an HTTP server on loopback. `key` is the secret key of its only client, billing."""

    def __init__(self, state: Path, *, key: str, webhook_secret: str, send: Send) -> None:
        self.store = SandboxStore(state)
        self.reversals = Reversals(self.store)
        self.paused = False
        """Whether webhooks are held back, for tests."""
        self._key = key
        self._secret = webhook_secret
        self._send = send
        self._news = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> str:
        """Serves on one address of this machine; returns the URL."""
        application = web.Application()
        application.add_routes(
            [
                web.post("/v1/customers", self._customers),
                web.post("/v1/payment_intents", self._create),
                web.get("/v1/payment_intents/search", self._search),
                web.get("/v1/payment_intents/{id}", self._retrieve),
                web.post("/v1/payment_intents/{id}/confirm", self._confirm),
                web.post("/v1/payment_intents/{id}/cancel", self._cancel),
                web.get("/v1/refunds", self._refunds),
                web.post("/v1/refunds", self._refund),
                # What the provider's API has not: a member's bank, and the provider's own mistakes.
                web.post("/v1/test/refunds/{reversal}/fail", self._fail_refund),
                web.post("/v1/test/disputes", self._dispute),
                web.post("/v1/test/disputes/{reversal}/close", self._close_dispute),
                web.post("/v1/test/fraud_warnings", self._warn),
                web.post("/v1/test/takings", self._take),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        at, bound = self._runner.addresses[0][:2]
        return f"http://{at}:{bound}"

    async def stop(self) -> None:
        """Stop serving; undelivered events stay in the file."""
        if self._runner:
            await self._runner.cleanup()

    async def deliver(self) -> int:
        """Send every undelivered event once; return how many were accepted."""
        accepted = 0
        for event in [] if self.paused else self.store.undelivered:
            if await self.send(event):
                self.store.mark_delivered(event["id"])
                accepted += 1
        return accepted

    async def send(self, event: Json) -> bool:
        """Send one event, signed now; return whether it was accepted."""
        body = json.dumps(event).encode()
        return await self._send(body, sign(body, self._secret))

    async def run(self) -> None:
        """Deliver until cancelled: new events at once, and those that were not accepted again with growing delays."""
        pause = FIRST_PAUSE
        while True:
            await self.deliver()
            if self.store.undelivered:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                pause = FIRST_PAUSE
                self._news.clear()
                await self._news.wait()

    async def _customers(self, request: web.Request) -> web.Response:
        return await self._idempotent(request, lambda asked: self.store.create_customer(asked.get("metadata", {})))

    async def _create(self, request: web.Request) -> web.Response:
        return await self._idempotent(request, self.store.create_intent)

    async def _retrieve(self, request: web.Request) -> web.Response:
        return self._answer(request, {}, lambda: self.store.find(request.match_info["id"]))

    async def _search(self, request: web.Request) -> web.Response:
        """Only by our payment's id: `metadata['payment_id']:'…'`."""
        asked = re.fullmatch(r"metadata\['payment_id'\]:'([^']*)'", request.query.get("query", ""))
        found = [each for each in self.store.intents if asked and each["metadata"].get("payment_id") == asked.group(1)]
        return self._answer(request, {}, lambda: {"object": "search_result", "data": found, "has_more": False})

    async def _confirm(self, request: web.Request) -> web.Response:
        """The intent's client secret suffices, as in the member's app."""
        asked = await _form(request)
        method = str(asked.get("payment_method"))
        return self._answer(request, asked, lambda: self.store.confirm(request.match_info["id"], method))

    async def _cancel(self, request: web.Request) -> web.Response:
        return self._answer(request, {}, lambda: self.store.cancel(request.match_info["id"]))

    async def _refunds(self, request: web.Request) -> web.Response:
        return self._answer(request, {}, lambda: self.reversals.refunds(request.query.get("payment_intent", "")))

    async def _refund(self, request: web.Request) -> web.Response:
        return await self._idempotent(request, lambda asked: self.reversals.refund(_intent(asked), _amount(asked)))

    async def _fail_refund(self, request: web.Request) -> web.Response:
        return self._answer(request, {}, lambda: self.reversals.fail_refund(request.match_info["reversal"]))

    async def _dispute(self, request: web.Request) -> web.Response:
        """`inquiry=true` for a bank's question only."""
        asked = await _form(request)
        only_asks = asked.get("inquiry") == "true"
        return self._answer(
            request, {}, lambda: self.reversals.dispute(_intent(asked), _amount(asked), inquiry=only_asks)
        )

    async def _close_dispute(self, request: web.Request) -> web.Response:
        status = str((await _form(request)).get("status"))
        return self._answer(request, {}, lambda: self.reversals.close_dispute(request.match_info["reversal"], status))

    async def _warn(self, request: web.Request) -> web.Response:
        asked = await _form(request)
        return self._answer(request, {}, lambda: self.reversals.warn(_intent(asked)))

    async def _take(self, request: web.Request) -> web.Response:
        """Takes another amount than the intent's."""
        asked = await _form(request)
        return self._answer(request, {}, lambda: self.store.take(_intent(asked), _amount(asked) or 0))

    async def _idempotent(self, request: web.Request, make: Callable[[Json], Json]) -> web.Response:
        """A repeat with the same idempotency key gets the first answer."""
        asked = await _form(request)
        key = request.headers.get("Idempotency-Key", "")
        fingerprint = hashlib.sha256(json.dumps([request.path, asked], sort_keys=True).encode()).hexdigest()
        try:
            self._require_key(request, asked)
            kept = self.store.answer(key, fingerprint) if key else None
        except ApiError as refusal:
            return web.json_response(refusal.body, status=refusal.status)
        if kept:
            return web.json_response(kept["body"], status=kept["status"])
        with self.store.batch():
            response = self._answer(request, asked, lambda: make(asked))
            if key and response.status in (200, 402):
                self.store.store_answer(key, fingerprint, response.status, json.loads(response.text or "{}"))
        return response

    def _answer(self, request: web.Request, asked: Json, work: Callable[[], Json]) -> web.Response:
        try:
            self._require_key(request, asked)
            return web.json_response(work())
        except ApiError as refusal:
            return web.json_response(refusal.body, status=refusal.status)
        finally:
            self._news.set()

    def _require_key(self, request: web.Request, asked: Json) -> None:
        if hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {self._key}"):
            return
        given = asked.get("client_secret")
        intent = self.store.find(request.match_info["id"]) if given and "id" in request.match_info else None
        if intent is None or not hmac.compare_digest(str(given), intent["client_secret"]):
            raise ApiError(401, "invalid_request_error", "api_key_invalid")


def _intent(asked: Json) -> str:
    return str(asked.get("payment_intent"))


def _amount(asked: Json) -> int | None:
    text = str(asked.get("amount", ""))
    if text and not text.isdecimal():
        raise ApiError(400, "invalid_request_error", "parameter_invalid", param="amount")
    return int(text) if text else None


async def _form(request: web.Request) -> Json:
    """The form; its `metadata[name]` fields become one dictionary `metadata`."""
    found: dict[str, Any] = {}
    for name, value in (await request.post()).items():
        if name.startswith("metadata["):
            found.setdefault("metadata", {})[name[len("metadata[") : -1]] = value
        else:
            found[name] = value
    return found
