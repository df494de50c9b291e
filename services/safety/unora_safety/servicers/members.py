"""SafetyService: what members do for their own safety (SA-02, SA-06, SA-07)."""

from __future__ import annotations

from uuid import UUID

from unora.safety.v1.safety_service_pb2 import (
    BlockUserRequest,
    BlockUserResponse,
    ListBlocksRequest,
    ListBlocksResponse,
    ReportUserRequest,
    ReportUserResponse,
    SubmitAppealRequest,
    SubmitAppealResponse,
    UnblockUserRequest,
    UnblockUserResponse,
)
from unora_common.call import Call
from unora_common.database import Session, Tx
from unora_common.handlers import idempotent, reads
from unora_common.ids import uuid7
from unora_common.pages import DEFAULT_SIZE, Listing, Place
from unora_common.runtime import Runtime

from unora_safety.clients import People
from unora_safety.config import SafetyConfig
from unora_safety.domain import block, unblock
from unora_safety.messages import CATEGORY_OF, from_target, from_text, tell, to_block
from unora_safety.resources import Resources
from unora_safety.store import blocks
from unora_safety.use_cases import appeal, report


class Members:
    """For members, who are never told whom a target stands for."""

    service = "unora.safety.v1.SafetyService"

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime
        self.people = People(runtime.clients)

    async def _blocked(self, request: BlockUserRequest, call: Call) -> UUID:
        assert call.user is not None
        return await self.people.behind(from_target(request.target), call.user)

    @idempotent(prepare=_blocked)
    async def BlockUser(self, request: BlockUserRequest, tx: Tx, blocked_id: UUID) -> BlockUserResponse:
        """SA-02, MA-12. The other contexts are told when it is the first of this direction."""
        before = await blocks.lock(tx, tx.user, blocked_id)
        after, made, told = block(before, from_target(request.target), uuid7(), tx.now)
        blocks.save(tx, before, after)
        tell(tx, *told)
        return BlockUserResponse(block=to_block(made))

    @idempotent
    async def UnblockUser(self, request: UnblockUserRequest, tx: Tx) -> UnblockUserResponse:
        """SA-02. The other contexts are told when it was the last of this direction."""
        block_id = UUID(request.block_id)
        before = await blocks.lock_of_block(tx, block_id, tx.user)
        after, told = unblock(before, block_id, tx.now)
        blocks.save(tx, before, after)
        tell(tx, *told)
        return UnblockUserResponse()

    @reads
    async def ListBlocks(self, request: ListBlocksRequest, db: Session) -> ListBlocksResponse:
        """SA-02: the caller's own."""
        listing, size = Listing("blocks", db.user), request.page_size or DEFAULT_SIZE
        found = await blocks.of_member(db, db.user, listing.place(request.page_token), size + 1)
        page, token = listing.page(found, size, lambda each: Place(each.blocked_at, each.id))
        return ListBlocksResponse(blocks=map(to_block, page), next_page_token=token)

    async def _reported(self, request: ReportUserRequest, call: Call) -> UUID:
        assert call.user is not None
        return await self.people.behind(from_target(request.target), call.user)

    @idempotent(prepare=_reported)
    async def ReportUser(self, request: ReportUserRequest, tx: Tx, reported_id: UUID) -> ReportUserResponse:
        """SA-07. Each report is kept, so many a day; how many people reported is counted by the people."""
        category, note = CATEGORY_OF[request.category], from_text("note", request.note)
        target, most = from_target(request.target), self.runtime.config.reports_per_day
        report_id = await report(tx, reported_id, target, category, note, most)
        return ReportUserResponse(report_id=str(report_id))

    @idempotent
    async def SubmitAppeal(self, request: SubmitAppealRequest, tx: Tx) -> SubmitAppealResponse:
        """SA-06: from anyone, so many a day, and always with the same answer (SA-03)."""
        text = from_text("text", request.text, required=True)
        appeal_id = await appeal(tx, text, self.runtime.config.appeals_per_day)
        return SubmitAppealResponse(appeal_id=str(appeal_id))
