"""ProjectionService: what other contexts keep of reveals, whole (XX-08)."""

from __future__ import annotations

from typing import Final

from unora.reveal.v1.projection_service_pb2 import ListRevealStatesRequest, ListRevealStatesResponse
from unora_common.database import Session
from unora_common.handlers import reads
from unora_common.pages import id_after
from unora_common.runtime import Runtime

from unora_reveal.config import RevealConfig
from unora_reveal.messages import to_reveal_state
from unora_reveal.resources import Resources
from unora_reveal.store import reveals

ON_A_PAGE: Final = 1000


class Projections:
    """For contexts that make their projections anew."""

    service = "unora.reveal.v1.ProjectionService"

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime

    @reads
    async def ListRevealStates(self, request: ListRevealStatesRequest, db: Session) -> ListRevealStatesResponse:
        """RE-11, XX-08: which reveals wait."""
        size = request.page_size or ON_A_PAGE
        found = await reveals.list_states_after(db, id_after(request.page_token), size)
        token = str(found[-1]["streak_id"]) if len(found) >= size else ""
        return ListRevealStatesResponse(reveals=map(to_reveal_state, found), next_page_token=token)
