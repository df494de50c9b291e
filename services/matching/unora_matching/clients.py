"""Calls to other contexts."""

from __future__ import annotations

from uuid import UUID

from unora.discovery.v1.card_service_pb2 import ResolveCardRequest
from unora.discovery.v1.card_service_pb2_grpc import CardServiceStub
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
