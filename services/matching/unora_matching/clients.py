"""Calls to other contexts."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora.discovery.v1.card_service_pb2 import DealtCardSource, GetDealtCardsRequest, ResolveCardRequest
from unora.discovery.v1.card_service_pb2_grpc import CardServiceStub
from unora.discovery.v1.discovery_service_pb2 import DealtCard
from unora.safety.v1.restriction_service_pb2 import GetBlockRequest
from unora.safety.v1.restriction_service_pb2_grpc import RestrictionServiceStub
from unora_common.clients import Clients
from unora_common.messages import SERVER_NAMES

from unora_matching.domain.errors import CardNotFound
from unora_matching.domain.interests import ResolvedCard


class Cards:
    """Discovery's opaque cards."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._stub = clients.stub(CardServiceStub, "unora.discovery.v1.CardService")

    async def resolve(self, card_id: UUID, viewer: UUID) -> ResolvedCard:
        """The member behind a card of the viewer's active batch. Raises CardNotFound for any other card."""
        request = ResolveCardRequest(card_id=str(card_id), viewer_id=str(viewer))
        response = await self._clients.find(self._stub.ResolveCard, request, absent="CARD_NOT_FOUND")
        if response is None:
            raise CardNotFound
        receiver_id = UUID(response.user_id)
        if receiver_id == viewer:
            raise CardNotFound  # a member is never on a card of their own batch (DI-09)
        return ResolvedCard(card_id, receiver_id, SERVER_NAMES[response.server_type])

    async def list_dealt(self, card_ids: Sequence[UUID], viewer: UUID) -> list[DealtCard]:
        """What cards of the viewer showed when they were dealt (DI-16): each that is stored, once, in this order."""
        if not card_ids:
            return []
        sources = [DealtCardSource(card_id=str(each)) for each in card_ids]
        request = GetDealtCardsRequest(viewer_id=str(viewer), sources=sources)
        response = await self._clients.call(self._stub.GetDealtCards, request)
        found = {card.card_id: card for card in response.cards}
        return [found[card] for card in dict.fromkeys(map(str, card_ids)) if card in found]


async def is_blocked(clients: Clients, one: UUID, other: UUID) -> bool:
    """Whether one of the two blocks the other at this moment, as safety says (RE-10)."""
    stub = clients.stub(RestrictionServiceStub, "unora.safety.v1.RestrictionService")
    request = GetBlockRequest(user_a_id=str(one), user_b_id=str(other))
    return (await clients.call(stub.GetBlock, request)).blocked
