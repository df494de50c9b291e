"""What matching asks of other contexts."""

from __future__ import annotations

from uuid import UUID

import grpc
from unora.discovery.v1.card_service_pb2 import ResolveCardRequest
from unora.discovery.v1.card_service_pb2_grpc import CardServiceStub
from unora_common.clients import Clients
from unora_common.messages import SERVER_NAMES

from unora_matching.domain import CardNotFound, Wish


class Cards:
    """Discovery's opaque cards."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._stub = clients.stub(CardServiceStub, "unora.discovery.v1.CardService")

    async def resolve(self, card_id: UUID, viewer: UUID) -> Wish:
        """Who is behind a card of the viewer's active batch. Raises CardNotFound for any other card."""
        request = ResolveCardRequest(card_id=str(card_id), viewer_id=str(viewer))
        try:
            response = await self._clients.call(self._stub.ResolveCard, request)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                raise CardNotFound from error
            raise
        receiver_id = UUID(response.user_id)
        if receiver_id == viewer:
            raise CardNotFound  # nobody is on a card of their own (DI-09)
        return Wish(card_id, receiver_id, SERVER_NAMES[response.server_type])
