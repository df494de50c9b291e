"""What safety asks of other contexts, always before a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora.discovery.v1.card_service_pb2 import DealtCardSource, GetDealtCardsRequest, ResolveCardRequest
from unora.discovery.v1.card_service_pb2_grpc import CardServiceStub
from unora.discovery.v1.discovery_service_pb2 import DealtCard
from unora.matching.v1.pair_service_pb2 import GetPairRequest
from unora.matching.v1.pair_service_pb2_grpc import PairServiceStub
from unora_common.clients import Clients

from unora_safety.domain.blocks import Target, TargetKind
from unora_safety.domain.errors import TargetNotFound


class TargetResolver:
    """Finds the other member behind a card or a connection."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._cards = clients.stub(CardServiceStub, "unora.discovery.v1.CardService")
        self._pairs = clients.stub(PairServiceStub, "unora.matching.v1.PairService")

    async def resolve(self, target: Target, member: UUID) -> UUID:
        """The member on a card, or the partner in a connection, of `member`; old cards and ended connections too.

        Raises TargetNotFound, for the target of another member as for a missing one (XX-04).
        """
        found = await (self._on_card if target.kind is TargetKind.CARD else self._in_pair)(target.id, member)
        if found is None or found == member:  # no member has a card of themselves, or can block themselves
            raise TargetNotFound
        return found

    async def list_shown(self, targets: Sequence[Target], member: UUID) -> list[DealtCard]:
        """What the member was shown at these targets, in this order, if it is stored (DI-16): a card as it was dealt, a
        partner as when the connection formed.
        """
        if not targets:
            return []
        sources = [
            DealtCardSource(card_id=str(each.id))
            if each.kind is TargetKind.CARD
            else DealtCardSource(connection_id=str(each.id))
            for each in targets
        ]
        request = GetDealtCardsRequest(viewer_id=str(member), sources=sources)
        response = await self._clients.call(self._cards.GetDealtCards, request)
        found = {UUID(each.card_id or each.connection_id): each for each in response.cards}
        return [found[target.id] for target in targets if target.id in found]

    async def _on_card(self, card_id: UUID, member: UUID) -> UUID | None:
        request = ResolveCardRequest(card_id=str(card_id), viewer_id=str(member), allow_replaced=True)
        response = await self._clients.find(self._cards.ResolveCard, request, absent="CARD_NOT_FOUND")
        return UUID(response.user_id) if response is not None else None

    async def _in_pair(self, connection_id: UUID, member: UUID) -> UUID | None:
        request = GetPairRequest(connection_id=str(connection_id))
        response = await self._clients.find(self._pairs.GetPair, request, absent="CONNECTION_NOT_FOUND")
        if response is None:
            return None
        a, b = UUID(response.pair.user_a_id), UUID(response.pair.user_b_id)
        return {a: b, b: a}.get(member)
