"""PairService."""

from __future__ import annotations

from uuid import UUID

from unora.matching.v1.pair_service_pb2 import GetPairRequest, GetPairResponse
from unora_common.database import Session
from unora_common.handlers import reads
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
