"""RecoveryService: what billing asks before it charges."""

from __future__ import annotations

from uuid import UUID

from unora.streak.v1.recovery_service_pb2 import (
    AuthorizeNudgeRequest,
    AuthorizeNudgeResponse,
    AuthorizeRecoveryRequest,
    AuthorizeRecoveryResponse,
    CheckNudgeRequest,
    CheckNudgeResponse,
    CheckRecoveryRequest,
    CheckRecoveryResponse,
)
from unora_common.call import Call
from unora_common.database import Session
from unora_common.handlers import custom_write, reads
from unora_common.messages import to_timestamp
from unora_common.runtime import Runtime

from unora_streak.config import StreakConfig
from unora_streak.use_cases.nudges import authorize_nudge
from unora_streak.use_cases.recovery import authorize_recovery, check_recovery


class Recovery:
    """Authorises payments. Billing has authenticated the payer."""

    service = "unora.streak.v1.RecoveryService"

    def __init__(self, runtime: Runtime[StreakConfig, None]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy
        self.limits = runtime.config.nudges

    @custom_write
    async def AuthorizeRecovery(self, request: AuthorizeRecoveryRequest, call: Call) -> AuthorizeRecoveryResponse:
        """ST-08, ST-20. A repeat is recognised by its payment."""
        ids = (UUID(request.streak_id), UUID(request.payer_id), UUID(request.payment_id))
        async with self.runtime.database.transaction() as tx:
            streak = await authorize_recovery(tx, *ids, self.policy)
        assert streak.hold is not None
        held_until = to_timestamp(streak.hold.until)
        return AuthorizeRecoveryResponse(held_until=held_until, connection_id=str(streak.connection_id))

    @reads
    async def CheckRecovery(self, request: CheckRecoveryRequest, db: Session) -> CheckRecoveryResponse:
        """BI-12, ST-20: the same as for a payment, and nothing is held."""
        streak = await check_recovery(db, UUID(request.streak_id), UUID(request.payer_id), self.policy)
        return CheckRecoveryResponse(connection_id=str(streak.connection_id))

    @reads
    async def CheckNudge(self, request: CheckNudgeRequest, db: Session) -> CheckNudgeResponse:
        """BI-12, ST-13: the same as for a payment."""
        ids = (UUID(request.streak_id), UUID(request.payer_id))
        streak = await authorize_nudge(db, *ids, self.policy, self.limits)
        return CheckNudgeResponse(connection_id=str(streak.connection_id))

    @reads
    async def AuthorizeNudge(self, request: AuthorizeNudgeRequest, db: Session) -> AuthorizeNudgeResponse:
        """ST-13. Nothing is held: when the nudge is paid for, it is sent or rejected."""
        ids = (UUID(request.streak_id), UUID(request.payer_id))
        streak = await authorize_nudge(db, *ids, self.policy, self.limits)
        return AuthorizeNudgeResponse(connection_id=str(streak.connection_id))
