"""What safety asks of other contexts, always before a transaction: who is behind a target."""

from __future__ import annotations

from uuid import UUID

import grpc
from unora.discovery.v1.card_service_pb2 import ResolveCardRequest
from unora.discovery.v1.card_service_pb2_grpc import CardServiceStub
from unora.matching.v1.pair_service_pb2 import GetPairRequest
from unora.matching.v1.pair_service_pb2_grpc import PairServiceStub
from unora_common.clients import Clients

from unora_safety.domain import Target, TargetKind, TargetNotFound


class People:
    """Whom a member has met."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._cards = clients.stub(CardServiceStub, "unora.discovery.v1.CardService")
        self._pairs = clients.stub(PairServiceStub, "unora.matching.v1.PairService")

    async def behind(self, target: Target, member: UUID) -> UUID:
        """Who is behind a member's card, or the other of a member's connection; old cards and ended connections too.

        Raises TargetNotFound for another's and for a missing one alike (XX-04).
        """
        try:
            found = await (self._on_card if target.kind is TargetKind.CARD else self._in_pair)(target.id, member)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                raise TargetNotFound from error
            raise
        if found == member:
            raise TargetNotFound  # nobody is on a card of their own, and nobody blocks themselves
        return found

    async def _on_card(self, card_id: UUID, member: UUID) -> UUID:
        request = ResolveCardRequest(card_id=str(card_id), viewer_id=str(member), allow_replaced=True)
        response = await self._clients.call(self._cards.ResolveCard, request)
        return UUID(response.user_id)

    async def _in_pair(self, connection_id: UUID, member: UUID) -> UUID:
        request = GetPairRequest(connection_id=str(connection_id))
        pair = (await self._clients.call(self._pairs.GetPair, request)).pair
        two = {UUID(pair.user_a_id), UUID(pair.user_b_id)}
        if member not in two:
            raise TargetNotFound
        (other,) = two - {member}
        return other
