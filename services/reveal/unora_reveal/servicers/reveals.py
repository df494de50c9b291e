"""RevealService: what a member learns of their partner."""

from __future__ import annotations

from uuid import UUID

from unora.reveal.v1.reveal_service_pb2 import (
    ListPartnerNamesRequest,
    ListPartnerNamesResponse,
    ListRevealsRequest,
    ListRevealsResponse,
    OpenRevealRequest,
    OpenRevealResponse,
)
from unora_common.call import Call
from unora_common.handlers import custom_read, custom_write
from unora_common.runtime import Runtime

from unora_reveal.config import RevealConfig
from unora_reveal.messages import to_identity, to_partner_name, to_reveal
from unora_reveal.resources import Resources
from unora_reveal.use_cases.partner_names import list_names
from unora_reveal.use_cases.reveal_opening import RevealOpening


class Reveals:
    """Reveals, for members."""

    service = "unora.reveal.v1.RevealService"

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime
        self.opening = RevealOpening(runtime)

    @custom_read
    async def ListReveals(self, request: ListRevealsRequest, call: Call) -> ListRevealsResponse:
        """RE-01. After the end of the connection the list shows states, and no texts (RE-10)."""
        assert call.user is not None  # the method's access is USER
        views = await self.opening.list_by_member(UUID(request.streak_id), call.user)
        return ListRevealsResponse(reveals=map(to_reveal, views))

    @custom_write
    async def OpenReveal(self, request: OpenRevealRequest, call: Call) -> OpenRevealResponse:
        """RE-09, RE-10: only while the two are connected. Glimpse and identity are made again for each call."""
        assert call.user is not None  # the method's access is USER
        view = await self.opening.open(UUID(request.streak_id), call.user, request.reveal_number)
        identity = to_identity(view.identity) if view.identity else None
        return OpenRevealResponse(reveal=to_reveal(view), identity=identity)

    @custom_read
    async def ListPartnerNames(self, request: ListPartnerNamesRequest, call: Call) -> ListPartnerNamesResponse:
        """RE-13: who may not be seen at this moment is left out, whatever the reason (XX-04)."""
        assert call.user is not None  # the method's access is USER
        return ListPartnerNamesResponse(partners=map(to_partner_name, await list_names(self.runtime, call.user)))
