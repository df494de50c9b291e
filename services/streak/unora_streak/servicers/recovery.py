"""RecoveryService: what billing asks before it charges."""

from __future__ import annotations

from uuid import UUID

from unora.streak.v1.recovery_service_pb2 import (
    AuthorizeNudgeRequest,
    AuthorizeNudgeResponse,
    AuthorizeRecoveryRequest,
    AuthorizeRecoveryResponse,
)
from unora_common.call import Call
from unora_common.database import Session
from unora_common.handlers import custom_write, reads
from unora_common.messages import to_timestamp
from unora_common.runtime import Runtime

from unora_streak.config import StreakConfig
from unora_streak.domain import hold_buyable
from unora_streak.store import nudges, streaks
from unora_streak.use_cases.paying import authorize


class Recovery:
    """Authorises payments; the payer is one whom billing has authenticated."""

    service = "unora.streak.v1.RecoveryService"

    def __init__(self, runtime: Runtime[StreakConfig, None]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy
        self.limits = runtime.config.nudges

    @custom_write
    async def AuthorizeRecovery(self, request: AuthorizeRecoveryRequest, call: Call) -> AuthorizeRecoveryResponse:
        """ST-08, ST-20. A repeat is known by its payment."""
        ids = (UUID(request.streak_id), UUID(request.payer_id), UUID(request.payment_id))
        async with self.runtime.database.transaction() as tx:
            held = await authorize(tx, *ids, self.policy)
        assert held.hold is not None
        return AuthorizeRecoveryResponse(
            held_until=to_timestamp(held.hold.until), connection_id=str(held.connection_id)
        )

    @reads
    async def AuthorizeNudge(self, request: AuthorizeNudgeRequest, db: Session) -> AuthorizeNudgeResponse:
        """ST-13. Nothing is held: whether the nudge goes out is judged when it is paid for."""
        payer = UUID(request.payer_id)
        found = await streaks.one(db, UUID(request.streak_id), payer)
        standing = await nudges.standing(db, found.streak, payer)
        hold_buyable(found.streak, payer, self.limits[standing.tier] - standing.used, found.now, self.policy)
        return AuthorizeNudgeResponse(connection_id=str(found.streak.connection_id))
