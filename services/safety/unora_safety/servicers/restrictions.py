"""RestrictionService: what other contexts ask."""

from __future__ import annotations

from uuid import UUID

from unora.safety.v1.restriction_service_pb2 import GetBlockRequest, GetBlockResponse
from unora_common.database import Session
from unora_common.handlers import reads
from unora_common.runtime import Runtime

from unora_safety.config import SafetyConfig
from unora_safety.resources import Resources
from unora_safety.store import blocks


class Restrictions:
    """For other contexts."""

    service = "unora.safety.v1.RestrictionService"

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime

    @reads
    async def GetBlock(self, request: GetBlockRequest, db: Session) -> GetBlockResponse:
        """RE-10: whether one of the two blocks the other now."""
        blocked = await blocks.has_block_between(db, UUID(request.user_a_id), UUID(request.user_b_id))
        return GetBlockResponse(blocked=blocked)
