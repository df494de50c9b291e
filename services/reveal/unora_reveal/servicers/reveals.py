"""RevealService: what a member learns of the other."""

from __future__ import annotations

from uuid import UUID

from unora.reveal.v1.reveal_service_pb2 import (
    ListRevealsRequest,
    ListRevealsResponse,
    OpenRevealRequest,
    OpenRevealResponse,
)
from unora_common.call import Call
from unora_common.config import Config
from unora_common.database import Session
from unora_common.declare import reads
from unora_common.service import App

from unora_reveal.domain import Status
from unora_reveal.messages import to_reveal
from unora_reveal.opening import Opening
from unora_reveal.store import reveals as store


class Reveals:
    """Reveals, for members."""

    service = "unora.reveal.v1.RevealService"

    def __init__(self, app: App[Config]) -> None:
        self.app = app
        self.opening = Opening(app, app.resources.framer)

    @reads
    async def ListReveals(self, request: ListRevealsRequest, db: Session) -> ListRevealsResponse:
        """RE-01. After the connection's end the states remain, the texts are not shown any more (RE-10)."""
        rows = await store.of_member(db, UUID(request.streak_id), db.user)
        return ListRevealsResponse(
            reveals=[
                to_reveal(number, Status(status), unlocked_at, store.to_framed(content))
                for number, status, unlocked_at, content in rows
            ]
        )

    async def OpenReveal(self, request: OpenRevealRequest, call: Call) -> OpenRevealResponse:
        """RE-09, RE-10."""
        assert call.user is not None  # the method's access is USER
        return await self.opening.open(UUID(request.streak_id), call.user, request.reveal_number)
