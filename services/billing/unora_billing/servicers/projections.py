"""ProjectionService: what other contexts keep of billing, whole (XX-08)."""

from __future__ import annotations

from typing import Final

from unora.billing.v1.projection_service_pb2 import ListTiersRequest, ListTiersResponse
from unora_common.database import Session
from unora_common.handlers import reads
from unora_common.pages import id_after
from unora_common.runtime import Runtime

from unora_billing.config import BillingConfig
from unora_billing.messages import to_member_tier
from unora_billing.resources import Resources
from unora_billing.store import accounts

ON_A_PAGE: Final = 1000


class Projections:
    """For contexts that make their projections anew."""

    service = "unora.billing.v1.ProjectionService"

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime

    @reads
    async def ListTiers(self, request: ListTiersRequest, db: Session) -> ListTiersResponse:
        """BI-01, DI-14, XX-08: the tiers of members."""
        size = request.page_size or ON_A_PAGE
        found = await accounts.list_after(db, id_after(request.page_token), size)
        token = str(found[-1].user_id) if len(found) == size else ""
        return ListTiersResponse(tiers=map(to_member_tier, found), next_page_token=token)
