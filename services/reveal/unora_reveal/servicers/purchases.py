"""PurchaseService: what billing asks before it charges for a reveal."""

from __future__ import annotations

from uuid import UUID

from unora.reveal.v1.purchase_service_pb2 import AuthorizePurchaseRequest, AuthorizePurchaseResponse
from unora_common.call import Call
from unora_common.handlers import custom_read
from unora_common.runtime import Runtime

from unora_reveal.clients import Bonds
from unora_reveal.config import RevealConfig
from unora_reveal.domain.purchases import require_purchasable
from unora_reveal.domain.reveals import ConnectionEnded
from unora_reveal.resources import Resources
from unora_reveal.store import reveals as store


class Purchases:
    """Purchases, before their money is taken."""

    service = "unora.reveal.v1.PurchaseService"

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime
        self._bonds = Bonds(runtime.clients)

    @custom_read
    async def AuthorizePurchase(self, request: AuthorizePurchaseRequest, call: Call) -> AuthorizePurchaseResponse:
        """RE-05. Nothing is held: what changes before the money comes is found when it comes (BI-11)."""
        async with self.runtime.database.session() as session:
            reveals = await store.of_member(session, UUID(request.streak_id), UUID(request.payer_id))
        first = reveals[0]
        require_purchasable(request.reveal_number, [reveal.offer for reveal in reveals], ended=first.ended)
        if not await self._bonds.hold(first.look):
            raise ConnectionEnded
        return AuthorizePurchaseResponse(connection_id=str(first.connection_id))
