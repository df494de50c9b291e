"""ProjectionService: what other contexts keep of accounts, whole (XX-08)."""

from __future__ import annotations

from typing import Final

from unora.identity.v1.projection_service_pb2 import ListAccountStatesRequest, ListAccountStatesResponse
from unora_common.database import Session
from unora_common.handlers import reads
from unora_common.pages import id_after
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.messages.accounts import to_account_state
from unora_identity.resources import Resources
from unora_identity.store import accounts

ON_A_PAGE: Final = 1000


class Projections:
    """For contexts that make their projections anew."""

    service = "unora.identity.v1.ProjectionService"

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime

    @reads
    async def ListAccountStates(self, request: ListAccountStatesRequest, db: Session) -> ListAccountStatesResponse:
        """ID-09, ID-13, ID-16, XX-08: who is away."""
        size = request.page_size or ON_A_PAGE
        found = await accounts.list_states_after(db, id_after(request.page_token), size)
        token = str(found[-1]["id"]) if len(found) == size else ""
        return ListAccountStatesResponse(accounts=map(to_account_state, found), next_page_token=token)
