"""A member's first sign-in, over REST alone."""

from __future__ import annotations

import json
from typing import Any

import httpx
from unora_testing.world import World

from tests.support import request_id


async def sign_in(world: World, web: httpx.AsyncClient, number: str) -> dict[str, Any]:
    """What the gateway answers to the code: the ids of the member and the session's tokens."""
    asked = await web.post("/v1/phone-verifications", json={"request_id": request_id(), "phone_number": number})
    assert asked.status_code == 200, asked.text
    (code,) = (sent["code"] for sent in map(json.loads, world.sms.read_text().splitlines()) if sent["to"] == number)
    path = f"/v1/phone-verifications/{asked.json()['challenge_id']}:verify"
    signed = await web.post(path, json={"request_id": request_id(), "code": code})
    assert signed.status_code == 200, signed.text
    tokens: dict[str, Any] = signed.json()
    return tokens
