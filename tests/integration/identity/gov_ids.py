"""The provider of Gov IDs, as tests of ID-06 play it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from google.api.httpbody_pb2 import HttpBody
from unora.identity.v1.verification_service_pb2 import (
    SIGNAL_OUTCOME_PENDING,
    SIGNAL_TYPE_GOV_ID,
    ListSignalsRequest,
    Signal,
    StartGovIdRequest,
    StartGovIdResponse,
)
from unora.identity.v1.verification_service_pb2_grpc import VerificationServiceStub
from unora_identity.providers.gov_id import SIGNATURE, Webhooks
from unora_testing.world import World

from tests.integration.identity.people import People, Signed
from tests.support import request_id


class Provider:
    """Acts as the provider of Gov ID checks, and as its clients."""

    def __init__(self, world: World, people: People) -> None:
        self.world = world
        self.people = people
        self.service = world.stub(VerificationServiceStub, "identity")
        self.webhooks = Webhooks(world.gov_id_secret.read_bytes())

    async def start(self, signed: Signed, request: str = "") -> StartGovIdResponse:
        asked = StartGovIdRequest(request_id=request or request_id())
        return await self.service.StartGovId(asked, metadata=signed.metadata)

    async def send(self, body: bytes, signature: str | None = None, at: datetime | None = None) -> None:
        signature = self.webhooks.sign(body, at or datetime.now(UTC)) if signature is None else signature
        await self.service.ReceiveGovIdResult(HttpBody(data=body), metadata=((SIGNATURE, signature),))

    async def result(self, reference: str, token: str = "", outcome: str = "verified", **more: Any) -> None:
        await self.send(body(reference, token, outcome, **more))

    async def signals(self, signed: Signed) -> list[Signal]:
        return list((await self.service.ListSignals(ListSignalsRequest(), metadata=signed.metadata)).signals)

    async def outcome(self, signed: Signed) -> int:
        (signal,) = await self.signals(signed)
        assert (signal.type, signal.provider) == (SIGNAL_TYPE_GOV_ID, "sandbox")
        assert signal.HasField("decided_at") == (signal.outcome != SIGNAL_OUTCOME_PENDING)
        return int(signal.outcome)

    async def with_profile(self) -> Signed:
        """A member who has filled the profile."""
        signed = await self.people.sign_in()
        await self.people.update_profile(signed)
        return signed


def body(reference: str, token: str = "", outcome: str = "verified", **more: Any) -> bytes:
    return json.dumps({"reference": reference, "token": token or fresh(), "outcome": outcome, **more}).encode()


def fresh() -> str:
    """A new token of the provider."""
    return f"tok_{uuid4().hex}"
