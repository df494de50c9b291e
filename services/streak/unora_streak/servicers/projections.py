"""ProjectionService: what other contexts keep of streaks, whole (XX-08)."""

from __future__ import annotations

from typing import Final

from unora.streak.v1.projection_service_pb2 import (
    ListCompletedStreaksRequest,
    ListCompletedStreaksResponse,
    ListMemberCompletionsRequest,
    ListMemberCompletionsResponse,
    ListStreakProgressRequest,
    ListStreakProgressResponse,
)
from unora_common.database import Session
from unora_common.handlers import reads
from unora_common.pages import id_after
from unora_common.runtime import Runtime

from unora_streak.config import StreakConfig
from unora_streak.messages import to_completed_streak, to_member_completion, to_streak_progress
from unora_streak.store import projections

ON_A_PAGE: Final = 1000


class Projections:
    """For contexts that make their projections anew."""

    service = "unora.streak.v1.ProjectionService"

    def __init__(self, runtime: Runtime[StreakConfig, None]) -> None:
        self.runtime = runtime

    @reads
    async def ListStreakProgress(self, request: ListStreakProgressRequest, db: Session) -> ListStreakProgressResponse:
        """RE-02, RE-08, XX-08: how far streaks have come."""
        size = request.page_size or ON_A_PAGE
        found = await projections.list_progress(db, id_after(request.page_token), size)
        token = str(found[-1]["connection_id"]) if len(found) == size else ""
        return ListStreakProgressResponse(streaks=map(to_streak_progress, found), next_page_token=token)

    @reads
    async def ListCompletedStreaks(
        self, request: ListCompletedStreaksRequest, db: Session
    ) -> ListCompletedStreaksResponse:
        """ST-11, RE-04, XX-08: the streaks that were completed."""
        size = request.page_size or ON_A_PAGE
        found = await projections.list_completed(db, id_after(request.page_token), size)
        token = str(found[-1]["connection_id"]) if len(found) == size else ""
        return ListCompletedStreaksResponse(streaks=map(to_completed_streak, found), next_page_token=token)

    @reads
    async def ListMemberCompletions(
        self, request: ListMemberCompletionsRequest, db: Session
    ) -> ListMemberCompletionsResponse:
        """ID-04, XX-08: the members who have completed a streak."""
        size = request.page_size or ON_A_PAGE
        found = await projections.list_members(db, id_after(request.page_token), size)
        token = str(found[-1]["user_id"]) if len(found) == size else ""
        return ListMemberCompletionsResponse(members=map(to_member_completion, found), next_page_token=token)
