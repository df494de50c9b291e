"""PairService."""

from __future__ import annotations

import asyncio
from uuid import UUID

from unora.matching.v1.pair_service_pb2 import (
    GetPairRequest,
    GetPairResponse,
    MayChatRequest,
    MayChatResponse,
)
from unora_common.call import Call
from unora_common.database import Session
from unora_common.handlers import custom_read, reads
from unora_common.pair_facts import is_blocked
from unora_common.runtime import Runtime

from unora_matching.config import MatchingConfig
from unora_matching.messages import to_pair
from unora_matching.store import connections


class Pairs:
    """Pairs, for other contexts."""

    service = "unora.matching.v1.PairService"

    def __init__(self, runtime: Runtime[MatchingConfig, None]) -> None:
        self.runtime = runtime

    @reads
    async def GetPair(self, request: GetPairRequest, db: Session) -> GetPairResponse:
        """RE-10: the state at this moment."""
        return GetPairResponse(pair=to_pair(await connections.get(db, UUID(request.connection_id))))

    @custom_read
    async def MayChat(self, request: MayChatRequest, call: Call) -> MayChatResponse:
        """RE-10, ST-11: safety is asked whatever matching finds, so that the time tells nothing of the two (XX-04)."""
        one, other = UUID(request.user_a_id), UUID(request.user_b_id)
        unlocked, blocked = await asyncio.gather(
            self._is_unlocked(one, other), is_blocked(self.runtime.clients, one, other)
        )
        return MayChatResponse(may_chat=unlocked and not blocked)

    async def _is_unlocked(self, one: UUID, other: UUID) -> bool:
        async with self.runtime.database.session() as db:
            return await connections.may_chat(db, one, other)
