"""PurchaseService: what billing asks before it charges for a reveal."""

from __future__ import annotations

from uuid import UUID

from unora.reveal.v1.purchase_service_pb2 import AuthorizePurchaseRequest, AuthorizePurchaseResponse
from unora_common.call import Call
from unora_common.config import Config
from unora_common.service import App

from unora_reveal.clients import Look, Pairs
from unora_reveal.domain import ConnectionEnded, require_purchasable
from unora_reveal.store import purchases


class Authorisations:
    """Purchases, before their money is taken."""

    service = "unora.reveal.v1.PurchaseService"

    def __init__(self, app: App[Config]) -> None:
        self.app = app
        self._pairs = Pairs(app.clients)

    async def AuthorizePurchase(self, request: AuthorizePurchaseRequest, call: Call) -> AuthorizePurchaseResponse:
        """RE-05. Nothing is held: what changes before the money comes is found when it comes (BI-11)."""
        streak_id, payer = UUID(request.streak_id), UUID(request.payer_id)
        async with self.app.database.session() as session:
            shelf = await purchases.shelf(session, streak_id, payer)
        require_purchasable(request.reveal_number, shelf.offers, ended=shelf.ended)
        if not await self._pairs.active(Look(streak_id, shelf.connection_id, payer, shelf.partner_id)):
            raise ConnectionEnded
        return AuthorizePurchaseResponse(connection_id=str(shelf.connection_id))
