"""RE-04, RE-10: identity's own record of the pairs that may see each other."""

from __future__ import annotations

from uuid import UUID

from unora.matching.v1.events_pb2 import ConnectionEnded
from unora.streak.v1.events_pb2 import StreakCompleted
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.disclosures import Disclosure
from unora_identity.resources import Resources
from unora_identity.use_cases.completed_streaks import record_completed_streak
from unora_identity.use_cases.disclosure import disclose, end_disclosure


class PairEvents:
    """Completed streaks and ended connections."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime

    @on(StreakCompleted)
    async def on_streak_completed(self, event: StreakCompleted, tx: Tx) -> None:
        """RE-04, ID-04: the two members may see each other, and are trusted more."""
        disclosure = Disclosure(
            connection_id=UUID(event.connection_id),
            streak_id=UUID(event.streak_id),
            user_a_id=UUID(event.user_a_id),
            user_b_id=UUID(event.user_b_id),
            completed_days=event.completed_days,
        )
        await disclose(tx, disclosure)
        members = (disclosure.user_a_id, disclosure.user_b_id)
        await record_completed_streak(tx, members, self.runtime.resources.policy)

    @on(ConnectionEnded)
    async def on_connection_ended(self, event: ConnectionEnded, tx: Tx) -> None:
        """RE-10: the two members may no longer see each other."""
        await end_disclosure(tx, UUID(event.connection_id), UUID(event.user_a_id), UUID(event.user_b_id))
