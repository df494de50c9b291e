"""ProjectionService: what other contexts keep of matching, whole (XX-08)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from unora.matching.v1.projection_service_pb2 import (
    ListConnectionEndingsRequest,
    ListConnectionEndingsResponse,
    ListConnectionStatesRequest,
    ListConnectionStatesResponse,
    ListInterestStatesRequest,
    ListInterestStatesResponse,
    ListInventoriesRequest,
    ListInventoriesResponse,
)
from unora_common.database import Row, Session
from unora_common.handlers import reads
from unora_common.pages import id_after
from unora_common.runtime import Runtime

from unora_matching.config import MatchingConfig
from unora_matching.messages import to_connection_ending, to_connection_state, to_interest_state, to_member_inventory
from unora_matching.store import inventories, projections

ON_A_PAGE: Final = 1000


class Projections:
    """For contexts that make their projections anew."""

    service = "unora.matching.v1.ProjectionService"

    def __init__(self, runtime: Runtime[MatchingConfig, None]) -> None:
        self.runtime = runtime
        self.lifetime = runtime.config.policy.lifetime

    @reads
    async def ListInventories(self, request: ListInventoriesRequest, db: Session) -> ListInventoriesResponse:
        """DI-06, DI-09, XX-08: the slots of members."""
        size = request.page_size or ON_A_PAGE
        found = await inventories.list_after(db, id_after(request.page_token), size)
        token = str(found[-1].user_id) if len(found) == size else ""
        return ListInventoriesResponse(inventories=map(to_member_inventory, found), next_page_token=token)

    @reads
    async def ListInterestStates(self, request: ListInterestStatesRequest, db: Session) -> ListInterestStatesResponse:
        """MA-10, XX-08: interests, for discovery alone."""
        size = request.page_size or ON_A_PAGE
        found = await projections.list_interests(db, id_after(request.page_token), size)
        states = [to_interest_state(row, self.lifetime) for row in found]
        return ListInterestStatesResponse(interests=states, next_page_token=_next(found, size))

    @reads
    async def ListConnectionStates(
        self, request: ListConnectionStatesRequest, db: Session
    ) -> ListConnectionStatesResponse:
        """MA-08, XX-08: connections and their ends."""
        size = request.page_size or ON_A_PAGE
        found = await projections.list_connections(db, id_after(request.page_token), size)
        return ListConnectionStatesResponse(
            connections=map(to_connection_state, found), next_page_token=_next(found, size)
        )

    @reads
    async def ListConnectionEndings(
        self, request: ListConnectionEndingsRequest, db: Session
    ) -> ListConnectionEndingsResponse:
        """BI-05, XX-08: who ended which connection, for credits."""
        size = request.page_size or ON_A_PAGE
        found = await projections.list_endings(db, id_after(request.page_token), size)
        return ListConnectionEndingsResponse(
            endings=map(to_connection_ending, found), next_page_token=_next(found, size)
        )


def _next(found: Sequence[Row], size: int) -> str:
    return str(found[-1]["id"]) if len(found) == size else ""
