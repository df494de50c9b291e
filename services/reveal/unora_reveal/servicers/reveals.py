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
from unora_common.handlers import custom_read, custom_write
from unora_common.runtime import Runtime

from unora_reveal.config import RevealConfig
from unora_reveal.resources import Resources
from unora_reveal.use_cases.reveal_opening import Opening


class Reveals:
    """Reveals, for members."""

    service = "unora.reveal.v1.RevealService"

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime
        self.opening = Opening(runtime, runtime.resources.framer)

    @custom_read
    async def ListReveals(self, request: ListRevealsRequest, call: Call) -> ListRevealsResponse:
        """RE-01. After the connection's end the states remain, the texts are not shown any more (RE-10)."""
        assert call.user is not None  # the method's access is USER
        return ListRevealsResponse(reveals=await self.opening.list(UUID(request.streak_id), call.user))

    @custom_write
    async def OpenReveal(self, request: OpenRevealRequest, call: Call) -> OpenRevealResponse:
        """RE-09, RE-10: framed once, but for the glimpse and the identity; only while the two are together."""
        assert call.user is not None  # the method's access is USER
        return await self.opening.open(UUID(request.streak_id), call.user, request.reveal_number)
