"""StreakService: proto to domain and back."""

from __future__ import annotations

from uuid import UUID

from unora.streak.v1.streak_service_pb2 import (
    CheckInRequest,
    CheckInResponse,
    GetDashboardRequest,
    GetDashboardResponse,
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
from unora_common.ids import uuid7
from unora_common.runtime import Runtime

from unora_streak.clients import Directory
from unora_streak.config import StreakConfig
from unora_streak.domain import NudgeSent, State, check_in, nudge, nudgeable, settle
from unora_streak.messages import EFFORT_OF, to_check_in, to_nudge, to_nudge_sent, to_streak
from unora_streak.store import breaks, nudges, streaks
from unora_streak.use_cases.settling import settle_all


class Streaks:
    """The daily loop, for members."""

    service = "unora.streak.v1.StreakService"

    def __init__(self, runtime: Runtime[StreakConfig, None]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy
        self.limits = runtime.config.nudges
        self.directory = Directory(runtime.clients)

    @reads
    async def GetDashboard(self, request: GetDashboardRequest, db: Session) -> GetDashboardResponse:
        """ST-15. What is due is shown as it is now; writing it is the sweep's work."""
        found = await streaks.dashboard(db, db.user)
        shown = [(settle(each.streak, each.now, self.policy)[0], each.server_type) for each in found]
        return GetDashboardResponse(streaks=[to_streak(streak, server, db.user) for streak, server in shown])

    @reads
    async def GetStreak(self, request: GetStreakRequest, db: Session) -> GetStreakResponse:
        """One streak with the check-ins of its cycle."""
        found = await streaks.one(db, UUID(request.streak_id), db.user)
        streak, _ = settle(found.streak, found.now, self.policy)
        made = await streaks.check_ins(db, streak.id, streak.cycle)
        return GetStreakResponse(
            streak=to_streak(streak, found.server_type, db.user), check_ins=[to_check_in(row) for row in made]
        )

    @custom_idempotent
    async def CheckIn(self, request: CheckInRequest, call: Call) -> CheckInResponse:
        """ST-04, ST-05, ST-10. Only the first check-in after a reset has to ask for the pair's zone."""
        try:
            return await self._in_this_cycle(request, call)
        except CycleIsOver:
            return await self._in_a_new_cycle(request, call)

    @idempotent
    async def _in_this_cycle(self, request: CheckInRequest, tx: Tx) -> CheckInResponse:
        return await self._check_in(request, tx, None)

    async def _zone(self, request: CheckInRequest, call: Call) -> str:
        async with self.runtime.database.session(call.user) as db:
            found = await streaks.one(db, UUID(request.streak_id), db.user)
        return await self.directory.zone_of_pair(found.streak.user_a_id, found.streak.user_b_id)

    @idempotent(prepare=_zone)
    async def _in_a_new_cycle(self, request: CheckInRequest, tx: Tx, zone: str) -> CheckInResponse:
        return await self._check_in(request, tx, zone)

    async def _check_in(self, request: CheckInRequest, tx: Tx, zone: str | None) -> CheckInResponse:
        found = await streaks.lock(tx, UUID(request.streak_id), tx.user)
        (before,) = await settle_all(tx, [found.streak], self.policy)
        if before.state is State.RESET and zone is None:
            raise CycleIsOver
        effort = EFFORT_OF[request.effort_signal]
        after, events = check_in(before, tx.user, effort, tx.now, zone or before.zone, self.policy)
        await streaks.save(tx, before, after, events, self.policy)
        return CheckInResponse(streak=to_streak(after, found.server_type, tx.user))

    @idempotent
    async def SendNudge(self, request: SendNudgeRequest, tx: Tx) -> SendNudgeResponse:
        """ST-13. The streak's lock holds the number of nudges still."""
        found = await streaks.lock(tx, UUID(request.streak_id), tx.user)
        (before,) = await settle_all(tx, [found.streak], self.policy)
        standing = await nudges.standing(tx, before, tx.user)
        left = self.limits[standing.tier] - standing.used
        after, events = nudge(before, tx.user, uuid7(), left, tx.now, self.policy)
        (sent,) = events
        assert isinstance(sent, NudgeSent)
        nudges.save(tx, sent, await breaks.of(tx, before), standing.sent + 1)
        await streaks.save(tx, before, after, events, self.policy)
        return SendNudgeResponse(nudge=to_nudge_sent(sent, before.check_in_date), nudges_left=left - 1)

    @reads
    async def ListNudges(self, request: ListNudgesRequest, db: Session) -> ListNudgesResponse:
        """ST-13. Who is nudged sees it too."""
        found = await streaks.one(db, UUID(request.streak_id), db.user)
        streak, _ = settle(found.streak, found.now, self.policy)
        sent = await nudges.of_cycle(db, streak.id, streak.cycle)
        left = 0
        if nudgeable(streak, db.user):
            standing = await nudges.standing(db, streak, db.user)
            left = max(0, self.limits[standing.tier] - standing.used)
        return ListNudgesResponse(nudges=[to_nudge(row) for row in sent], nudges_left=left)


class CycleIsOver(Exception):
    """The check-in begins a new cycle, whose zone is the pair's at that moment (ST-03): ask identity first."""
