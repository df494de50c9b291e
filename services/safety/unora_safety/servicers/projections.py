"""ProjectionService: what other contexts keep of safety, whole (XX-08)."""

from __future__ import annotations

from typing import Final

from unora.safety.v1.projection_service_pb2 import (
    ListBlockStatesRequest,
    ListBlockStatesResponse,
    ListRestrictionsRequest,
    ListRestrictionsResponse,
)
from unora_common.database import Session
from unora_common.handlers import reads
from unora_common.pages import id_after
from unora_common.runtime import Runtime

from unora_safety.config import SafetyConfig
from unora_safety.messages.restrictions import to_block_state, to_member_restriction
from unora_safety.resources import Resources
from unora_safety.store import blocks, restrictions

ON_A_PAGE: Final = 1000


class Projections:
    """For contexts that make their projections anew."""

    service = "unora.safety.v1.ProjectionService"

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime

    @reads
    async def ListRestrictions(self, request: ListRestrictionsRequest, db: Session) -> ListRestrictionsResponse:
        """SA-03, XX-08: the standings of members."""
        size = request.page_size or ON_A_PAGE
        found = await restrictions.list_after(db, id_after(request.page_token), size)
        token = str(found[-1][0].user_id) if len(found) == size else ""
        return ListRestrictionsResponse(
            restrictions=[to_member_restriction(each, changed_at) for each, changed_at in found], next_page_token=token
        )

    @reads
    async def ListBlockStates(self, request: ListBlockStatesRequest, db: Session) -> ListBlockStatesResponse:
        """SA-02, XX-08: who blocks whom."""
        size = request.page_size or ON_A_PAGE
        found = await blocks.list_after(db, id_after(request.page_token), size)
        token = str(found[-1]["blocker_id"]) if len(found) >= size else ""
        return ListBlockStatesResponse(blocks=map(to_block_state, found), next_page_token=token)
