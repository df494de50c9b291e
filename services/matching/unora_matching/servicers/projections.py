"""ProjectionService: what other contexts keep of matching, whole (XX-08)."""

from __future__ import annotations

from typing import Final

from unora.matching.v1.projection_service_pb2 import ListInventoriesRequest, ListInventoriesResponse
from unora_common.database import Session
from unora_common.handlers import reads
from unora_common.pages import id_after
from unora_common.runtime import Runtime

from unora_matching.config import MatchingConfig
from unora_matching.messages import to_member_inventory
from unora_matching.store import inventories

ON_A_PAGE: Final = 1000


class Projections:
    """For contexts that make their projections anew."""

    service = "unora.matching.v1.ProjectionService"

    def __init__(self, runtime: Runtime[MatchingConfig, None]) -> None:
        self.runtime = runtime

    @reads
    async def ListInventories(self, request: ListInventoriesRequest, db: Session) -> ListInventoriesResponse:
        """DI-06, DI-09, XX-08: the slots of members."""
        size = request.page_size or ON_A_PAGE
        found = await inventories.list_after(db, id_after(request.page_token), size)
        token = str(found[-1].user_id) if len(found) == size else ""
        return ListInventoriesResponse(inventories=map(to_member_inventory, found), next_page_token=token)
