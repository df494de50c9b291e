"""PurchaseService: what billing asks before it charges for a reveal."""

from __future__ import annotations

from uuid import UUID

from unora.reveal.v1.purchase_service_pb2 import (
    AuthorizePurchaseRequest,
    AuthorizePurchaseResponse,
    CheckPurchaseRequest,
    CheckPurchaseResponse,
)
from unora_common.call import Call
from unora_common.handlers import custom_read
from unora_common.runtime import Runtime

from unora_reveal.config import RevealConfig
from unora_reveal.resources import Resources
from unora_reveal.use_cases.purchases import authorize


class Purchases:
    """Purchases, before the payment."""

    service = "unora.reveal.v1.PurchaseService"

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime

    @custom_read
    async def AuthorizePurchase(self, request: AuthorizePurchaseRequest, call: Call) -> AuthorizePurchaseResponse:
        """RE-05: whether the payer can buy the reveal now. Nothing is held."""
        return AuthorizePurchaseResponse(connection_id=str(await self._authorize(request)))

    @custom_read
    async def CheckPurchase(self, request: CheckPurchaseRequest, call: Call) -> CheckPurchaseResponse:
        """BI-12, RE-05: the same, for a quote."""
        return CheckPurchaseResponse(connection_id=str(await self._authorize(request)))

    async def _authorize(self, request: AuthorizePurchaseRequest | CheckPurchaseRequest) -> UUID:
        return await authorize(
            self.runtime.database,
            self.runtime.clients,
            payer_id=UUID(request.payer_id),
            streak_id=UUID(request.streak_id),
            number=request.reveal_number,
        )
