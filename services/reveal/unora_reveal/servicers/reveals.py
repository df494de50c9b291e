"""RevealService: what a member learns of the other."""

from __future__ import annotations

from uuid import UUID

from unora.reveal.v1.reveal_service_pb2 import (
    ListRevealsRequest,
    ListRevealsResponse,
    OpenRevealRequest,
    OpenRevealResponse,
)
from unora_common.call import Call
from unora_common.service import App

from unora_reveal.config import RevealConfig
from unora_reveal.opening import Opening


class Reveals:
    """Reveals, for members."""

    service = "unora.reveal.v1.RevealService"

    def __init__(self, app: App[RevealConfig]) -> None:
        self.app = app
        self.opening = Opening(app, app.resources.framer)

    async def ListReveals(self, request: ListRevealsRequest, call: Call) -> ListRevealsResponse:
        """RE-01. After the connection's end the states remain, the texts are not shown any more (RE-10)."""
        assert call.user is not None  # the method's access is USER
        return ListRevealsResponse(reveals=await self.opening.list(UUID(request.streak_id), call.user))

    async def OpenReveal(self, request: OpenRevealRequest, call: Call) -> OpenRevealResponse:
        """RE-09, RE-10: framed once, but for the glimpse and the identity; only while the two are together."""
        assert call.user is not None  # the method's access is USER
        return await self.opening.open(UUID(request.streak_id), call.user, request.reveal_number)
