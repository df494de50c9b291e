"""SafetyService: what members do for their own safety (SA-02, SA-06, SA-07)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from unora.discovery.v1.discovery_service_pb2 import DealtCard
from unora.safety.v1.safety_service_pb2 import (
    BlockUserRequest,
    BlockUserResponse,
    GetSafetyCentreRequest,
    GetSafetyCentreResponse,
    ListAppealsRequest,
    ListAppealsResponse,
    ListBlocksRequest,
    ListBlocksResponse,
    ListReportsRequest,
    ListReportsResponse,
    OwnAppeal,
    OwnReport,
    ReportUserRequest,
    ReportUserResponse,
    SubmitAppealRequest,
    SubmitAppealResponse,
    UnblockUserRequest,
    UnblockUserResponse,
)
from unora_common.call import Call
from unora_common.database import Session, Tx
from unora_common.handlers import custom_read, idempotent, reads
from unora_common.outages import Outage
from unora_common.pages import DEFAULT_SIZE, Listing, Place
from unora_common.runtime import Runtime

from unora_safety.clients import TargetResolver
from unora_safety.config import SafetyConfig
from unora_safety.domain.blocks import Block
from unora_safety.domain.reports import APPEAL_MOST, NOTE_MOST
from unora_safety.messages.events import CATEGORY_OF
from unora_safety.messages.members import from_target, from_text, to_block, to_own_appeal, to_own_report
from unora_safety.resources import Resources
from unora_safety.store import appeals, blocks, reports
from unora_safety.use_cases.blocks import block_member, lift_block
from unora_safety.use_cases.reports import report_member, submit_appeal

ON_SCREEN: Final = 20
"""Entries of each list in the safety centre."""


class Members:
    """For members. No answer shows which member is behind a target."""

    service = "unora.safety.v1.SafetyService"

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime
        self.targets = TargetResolver(runtime.clients)
        self.cards_missing = Outage(runtime.log, "blocks listed without cards")

    async def _resolve_blocked(self, request: BlockUserRequest, call: Call) -> UUID:
        return await self.targets.resolve(from_target(request.target), _member(call))

    @idempotent(prepare=_resolve_blocked)
    async def BlockUser(self, request: BlockUserRequest, tx: Tx, blocked_id: UUID) -> BlockUserResponse:
        """SA-02, MA-12: the caller blocks the member on a card or in a connection."""
        return BlockUserResponse(block=to_block(await block_member(tx, blocked_id, from_target(request.target))))

    @idempotent
    async def UnblockUser(self, request: UnblockUserRequest, tx: Tx) -> UnblockUserResponse:
        """SA-02: the caller lifts one of their own blocks."""
        await lift_block(tx, UUID(request.block_id))
        return UnblockUserResponse()

    @custom_read
    async def ListBlocks(self, request: ListBlocksRequest, call: Call) -> ListBlocksResponse:
        """SA-02: the caller's own blocks. DI-16: discovery is asked what was shown."""
        member = _member(call)
        async with self.runtime.database.session(member) as db:
            page, token = await self._blocks(db, request.page_token, request.page_size)
        return ListBlocksResponse(
            blocks=map(to_block, page), next_page_token=token, cards=await self._cards(page, member)
        )

    @custom_read
    async def GetSafetyCentre(self, request: GetSafetyCentreRequest, call: Call) -> GetSafetyCentreResponse:
        """SA-02, SA-10: the first page of each list. DI-16: discovery is asked what was shown."""
        member = _member(call)
        async with self.runtime.database.session(member) as db:
            blocked, next_blocks = await self._blocks(db, "", ON_SCREEN)
            made, next_reports = await self._reports(db, "", ON_SCREEN)
            appealed, next_appeals = await self._appeals(db, "", ON_SCREEN)
        return GetSafetyCentreResponse(
            blocks=map(to_block, blocked),
            cards=await self._cards(blocked, member),
            next_blocks_token=next_blocks,
            reports=made,
            next_reports_token=next_reports,
            appeals=appealed,
            next_appeals_token=next_appeals,
        )

    async def _resolve_reported(self, request: ReportUserRequest, call: Call) -> UUID:
        return await self.targets.resolve(from_target(request.target), _member(call))

    @idempotent(prepare=_resolve_reported)
    async def ReportUser(self, request: ReportUserRequest, tx: Tx, reported_id: UUID) -> ReportUserResponse:
        """SA-07. Every report is stored, up to the daily limit; flags count the people who reported."""
        category, note = CATEGORY_OF[request.category], from_text("note", request.note, NOTE_MOST)
        target, limit = from_target(request.target), self.runtime.config.reports_per_day
        report_id = await report_member(tx, reported_id, target, category, note, limit)
        return ReportUserResponse(report_id=str(report_id))

    @reads
    async def ListReports(self, request: ListReportsRequest, db: Session) -> ListReportsResponse:
        """SA-10: their state follows from the time alone."""
        shown, token = await self._reports(db, request.page_token, request.page_size)
        return ListReportsResponse(reports=shown, next_page_token=token)

    @reads
    async def ListAppeals(self, request: ListAppealsRequest, db: Session) -> ListAppealsResponse:
        """SA-10: what was decided, without silent measures (SA-03)."""
        shown, token = await self._appeals(db, request.page_token, request.page_size)
        return ListAppealsResponse(appeals=shown, next_page_token=token)

    @idempotent
    async def SubmitAppeal(self, request: SubmitAppealRequest, tx: Tx) -> SubmitAppealResponse:
        """SA-06: from any member, up to the daily limit, and always with the same answer (SA-03)."""
        text = from_text("text", request.text, APPEAL_MOST, required=True)
        appeal_id = await submit_appeal(tx, text, self.runtime.config.appeals_per_day)
        return SubmitAppealResponse(appeal_id=str(appeal_id))

    async def _blocks(self, db: Session, token: str, asked: int) -> tuple[Sequence[Block], str]:
        listing, size = Listing("blocks", db.user), asked or DEFAULT_SIZE
        found = await blocks.list_by_blocker(db, db.user, listing.place(token), size + 1)
        return listing.page(found, size, lambda each: Place(each.blocked_at, each.id))

    async def _cards(self, listed: Sequence[Block], member: UUID) -> list[DealtCard]:
        """DI-16: none while discovery does not answer; the member's own blocks do not wait for it."""
        asked = self.targets.list_shown([each.target for each in listed], member) if listed else None
        return await self.cards_missing.bridge(asked, [])

    async def _reports(self, db: Session, token: str, asked: int) -> tuple[list[OwnReport], str]:
        listing, size = Listing("reports", db.user), asked or DEFAULT_SIZE
        found = await reports.list_by_reporter(db, db.user, listing.place(token), size + 1)
        page, following = listing.page(found, size, lambda each: Place(each[0].reported_at, each[0].id))
        closed_after = self.runtime.config.report_closed_after
        return [to_own_report(report, now, closed_after) for report, now in page], following

    async def _appeals(self, db: Session, token: str, asked: int) -> tuple[list[OwnAppeal], str]:
        listing, size = Listing("appeals", db.user), asked or DEFAULT_SIZE
        found = await appeals.list_own(db, db.user, listing.place(token), size + 1)
        page, following = listing.page(found, size, lambda each: Place(each.submitted_at, each.id))
        return [to_own_appeal(each) for each in page], following


def _member(call: Call) -> UUID:
    assert call.user is not None
    return call.user
