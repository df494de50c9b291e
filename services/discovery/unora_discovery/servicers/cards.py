"""CardService: the member on a card, and what cards showed, for the contexts that act on a card."""

from __future__ import annotations

from uuid import UUID

from unora.discovery.v1.card_service_pb2 import (
    GetDealtCardsRequest,
    GetDealtCardsResponse,
    ResolveCardRequest,
    ResolveCardResponse,
)
from unora_common.database import Session
from unora_common.handlers import reads
from unora_common.messages import SERVERS
from unora_common.runtime import Runtime

from unora_discovery.config import DiscoveryConfig
from unora_discovery.messages.cards import to_dealt_card
from unora_discovery.resources import Resources
from unora_discovery.store import batches, listed_cards


class Cards:
    """Cards, for other contexts."""

    service = "unora.discovery.v1.CardService"

    def __init__(self, runtime: Runtime[DiscoveryConfig, Resources]) -> None:
        self.runtime = runtime

    @reads
    async def ResolveCard(self, request: ResolveCardRequest, db: Session) -> ResolveCardResponse:
        """For cards of the viewer's active batch; for a block or a report also older ones that are stored (SA-02)."""
        user_id, server = await batches.get_shown_member(
            db,
            UUID(request.card_id),
            UUID(request.viewer_id),
            self.runtime.config.batch_retention,
            allow_replaced=request.allow_replaced,
        )
        return ResolveCardResponse(user_id=str(user_id), server_type=SERVERS[server])

    @reads
    async def GetDealtCards(self, request: GetDealtCardsRequest, db: Session) -> GetDealtCardsResponse:
        """DI-16: for the lists of sent interests and of blocks."""
        cards = [UUID(each.card_id) for each in request.sources if each.card_id]
        connections = [UUID(each.connection_id) for each in request.sources if each.connection_id]
        found = await listed_cards.list_dealt(db, UUID(request.viewer_id), cards, connections)
        return GetDealtCardsResponse(cards=map(to_dealt_card, found))
