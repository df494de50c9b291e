"""StreakService: the daily loop, for members."""

from __future__ import annotations

from uuid import UUID

from unora.streak.v1.streak_service_pb2 import (
    CheckInRequest,
    CheckInResponse,
    GetDashboardRequest,
    GetDashboardResponse,
    GetHistoryRequest,
    GetHistoryResponse,
    GetStreakRequest,
    GetStreakResponse,
    ListNudgesRequest,
    ListNudgesResponse,
    SendNudgeRequest,
    SendNudgeResponse,
)
from unora_common.call import Call
from unora_common.database import Session, Tx
from unora_common.handlers import custom_idempotent, idempotent, reads
from unora_common.messages import to_timestamp
from unora_common.pages import DEFAULT_SIZE, Listing
from unora_common.runtime import Runtime

from unora_streak.clients import Directory
from unora_streak.config import StreakConfig
from unora_streak.messages import (
    EFFORT_BY_NUMBER,
    to_check_in,
    to_dashboard,
    to_finished_cycle,
    to_nudge,
    to_shown_streak,
    to_streak,
)
from unora_streak.store.history import place_of
from unora_streak.use_cases.check_in import TimeZoneNeeded, check_in, get_pair_zone
from unora_streak.use_cases.nudges import list_nudges, send_nudge
from unora_streak.use_cases.views import get_streak, list_dashboard, list_history


class Streaks:
    """The streaks of the member who calls."""

    service = "unora.streak.v1.StreakService"

    def __init__(self, runtime: Runtime[StreakConfig, None]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy
        self.plans = runtime.config.plans
        self.limits = self.plans.nudges
        self.directory = Directory(runtime.clients)

    @reads
    async def GetDashboard(self, request: GetDashboardRequest, db: Session) -> GetDashboardResponse:
        """ST-15: the streaks of all active connections, in one read."""
        shown, now = await list_dashboard(db, self.policy, self.plans)
        return to_dashboard(shown, now, self.policy)

    @reads
    async def GetStreak(self, request: GetStreakRequest, db: Session) -> GetStreakResponse:
        """One streak with the check-ins of its cycle."""
        shown, made, now = await get_streak(db, UUID(request.streak_id), self.policy, self.plans)
        return GetStreakResponse(
            streak=to_shown_streak(shown, self.policy),
            check_ins=[to_check_in(each) for each in made],
            server_time=to_timestamp(now),
        )

    @custom_idempotent
    async def CheckIn(self, request: CheckInRequest, call: Call) -> CheckInResponse:
        """ST-04, ST-05, ST-10. Identity is asked for the pair's time zone only if the check-in begins a new cycle."""
        try:
            return await self._check_in(request, call)
        except TimeZoneNeeded:
            return await self._check_in_with_time_zone(request, call)

    @idempotent
    async def _check_in(self, request: CheckInRequest, tx: Tx) -> CheckInResponse:
        return await self._answer_check_in(request, tx, None)

    async def _get_pair_zone(self, request: CheckInRequest, call: Call) -> str:
        assert call.user is not None
        return await get_pair_zone(self.runtime.database, self.directory, UUID(request.streak_id), call.user)

    @idempotent(prepare=_get_pair_zone)
    async def _check_in_with_time_zone(self, request: CheckInRequest, tx: Tx, zone: str) -> CheckInResponse:
        return await self._answer_check_in(request, tx, zone)

    async def _answer_check_in(self, request: CheckInRequest, tx: Tx, zone: str | None) -> CheckInResponse:
        effort = EFFORT_BY_NUMBER[request.effort_signal]
        streak = await check_in(tx, UUID(request.streak_id), effort, zone, self.policy)
        return CheckInResponse(streak=to_streak(streak, tx.user, self.policy))

    @idempotent
    async def SendNudge(self, request: SendNudgeRequest, tx: Tx) -> SendNudgeResponse:
        """ST-13: to the partner who has not checked in."""
        sent, left = await send_nudge(tx, UUID(request.streak_id), self.policy, self.limits)
        return SendNudgeResponse(nudge=to_nudge(sent), nudges_left=left)

    @reads
    async def ListNudges(self, request: ListNudgesRequest, db: Session) -> ListNudgesResponse:
        """ST-13. Both members see the nudges."""
        sent, left = await list_nudges(db, UUID(request.streak_id), self.policy, self.limits)
        return ListNudgesResponse(nudges=[to_nudge(nudge) for nudge in sent], nudges_left=left)

    @reads
    async def GetHistory(self, request: GetHistoryRequest, db: Session) -> GetHistoryResponse:
        """ST-22: the same after an end, a block or an erasure."""
        listing, size = Listing("history", db.user), request.page_size or DEFAULT_SIZE
        found = await list_history(db, listing.place(request.page_token), size + 1, self.policy)
        page, token = listing.page(found, size, place_of)
        return GetHistoryResponse(cycles=map(to_finished_cycle, page), next_page_token=token)
