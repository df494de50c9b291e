"""The calls of moderators."""

from __future__ import annotations

from typing import Any

from unora.safety.v1.events_pb2 import Decision
from unora.safety.v1.moderation_service_pb2 import (
    AssignCaseRequest,
    AuditEntry,
    Case,
    DecideCaseRequest,
    DecideCaseResponse,
    ExplainMemberRequest,
    ExplainMemberResponse,
    Flag,
    ListCasesRequest,
    ListCasesResponse,
    ListFlagsRequest,
    ListFlagsResponse,
    SearchAuditLogRequest,
    SearchAuditLogResponse,
    VerifyAuditChainRequest,
    VerifyAuditChainResponse,
)
from unora.safety.v1.moderation_service_pb2_grpc import ModerationServiceStub
from unora_testing.world import Caller, World

from tests.support import request_id


class Moderators:
    """ModerationService as admins call it; `admin` is the one who calls."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.stub = world.stub(ModerationServiceStub, "safety")
        self.admin = world.caller(roles=["admin"])

    async def explain(self, member: Caller) -> ExplainMemberResponse:
        asked = ExplainMemberRequest(user_id=member.id)
        return await self.stub.ExplainMember(asked, metadata=self.admin.metadata)

    async def newest_case(self, member: Caller) -> Case:
        """The newest case about a member."""
        return (await self.explain(member)).cases[0]

    async def flags_of(self, member: Caller, *, closed: bool = False) -> list[Flag]:
        return [flag for flag in (await self.explain(member)).flags if flag.open or closed]

    async def cases(self, size: int = 0, token: str = "", status: Any = 0) -> ListCasesResponse:
        asked = ListCasesRequest(page_size=size, page_token=token, status=status)
        return await self.stub.ListCases(asked, metadata=self.admin.metadata)

    async def flags(
        self, size: int = 0, token: str = "", pattern: Any = 0, *, closed: bool = False
    ) -> ListFlagsResponse:
        asked = ListFlagsRequest(page_size=size, page_token=token, pattern=pattern, show_closed=closed)
        return await self.stub.ListFlags(asked, metadata=self.admin.metadata)

    async def assign(
        self, case_id: str, by: Caller | None = None, *, take_over: bool = False, request: str = ""
    ) -> Case:
        asked = AssignCaseRequest(request_id=request or request_id(), case_id=case_id, take_over=take_over)
        return (await self.stub.AssignCase(asked, metadata=(by or self.admin).metadata)).case

    async def decide(
        self, case_id: str, decision: Decision.ValueType, by: Caller | None = None, note: str = "", request: str = ""
    ) -> DecideCaseResponse:
        asked = DecideCaseRequest(request_id=request or request_id(), case_id=case_id, decision=decision, note=note)
        return await self.stub.DecideCase(asked, metadata=(by or self.admin).metadata)

    async def decide_newest_case(self, member: Caller, decision: Decision.ValueType) -> DecideCaseResponse:
        """Takes and decides the newest case about a member."""
        case = await self.assign((await self.newest_case(member)).case_id)
        return await self.decide(case.case_id, decision)

    async def search(self, size: int = 0, token: str = "", **wanted: Any) -> SearchAuditLogResponse:
        asked = SearchAuditLogRequest(page_size=size, page_token=token, **wanted)
        return await self.stub.SearchAuditLog(asked, metadata=self.admin.metadata)

    async def find_entries(self, size: int = 500, **wanted: Any) -> list[AuditEntry]:
        """All rows that a search finds, read page by page."""
        found, token = list[AuditEntry](), ""
        while True:
            page = await self.search(size, token, **wanted)
            found += page.entries
            token = page.next_page_token
            if not token:
                return found

    async def verify(self, source: str = "", size: int = 0, token: str = "") -> VerifyAuditChainResponse:
        asked = VerifyAuditChainRequest(source_context=source, page_size=size, page_token=token)
        return await self.stub.VerifyAuditChain(asked, metadata=self.admin.metadata)
