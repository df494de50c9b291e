"""ProjectionService: what other contexts keep of discovery, whole (XX-08)."""

from __future__ import annotations

from typing import Final

from unora.discovery.v1.projection_service_pb2 import ListRefreshTimersRequest, ListRefreshTimersResponse
from unora_common.database import Session
from unora_common.handlers import reads
from unora_common.pages import id_after
from unora_common.runtime import Runtime

from unora_discovery.config import DiscoveryConfig
from unora_discovery.messages.members import to_member_refresh_timer
from unora_discovery.resources import Resources
from unora_discovery.store import members

ON_A_PAGE: Final = 1000


class Projections:
    """For contexts that make their projections anew."""

    service = "unora.discovery.v1.ProjectionService"

    def __init__(self, runtime: Runtime[DiscoveryConfig, Resources]) -> None:
        self.runtime = runtime

    @reads
    async def ListRefreshTimers(self, request: ListRefreshTimersRequest, db: Session) -> ListRefreshTimersResponse:
        """DI-04, DI-14, XX-08: the refresh timers of members."""
        size = request.page_size or ON_A_PAGE
        found = await members.list_timers_after(db, id_after(request.page_token), size)
        token = str(found[-1]["user_id"]) if len(found) == size else ""
        return ListRefreshTimersResponse(timers=map(to_member_refresh_timer, found), next_page_token=token)
