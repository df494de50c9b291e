"""CardService: finds the member on a card, for the contexts that act on a card."""

from __future__ import annotations

from uuid import UUID

from unora.discovery.v1.card_service_pb2 import ResolveCardRequest, ResolveCardResponse
from unora_common.database import Session
from unora_common.handlers import reads
from unora_common.messages import SERVERS
from unora_common.runtime import Runtime

from unora_discovery.config import DiscoveryConfig
from unora_discovery.resources import Resources
from unora_discovery.store import batches


class Cards:
    """Cards, for other contexts."""

    service = "unora.discovery.v1.CardService"

    def __init__(self, runtime: Runtime[DiscoveryConfig, Resources]) -> None:
        self.runtime = runtime

    @reads
    async def ResolveCard(self, request: ResolveCardRequest, db: Session) -> ResolveCardResponse:
        """For cards of the viewer's active batch; for a block or a report also older ones that are stored (SA-02)."""
        user_id, server = await batches.get_shown_member(
            db, UUID(request.card_id), UUID(request.viewer_id), allow_replaced=request.allow_replaced
        )
        return ResolveCardResponse(user_id=str(user_id), server_type=SERVERS[server])
