"""ModerationService: the queue, its decisions, and the evidence for them (SA-04, SA-05)."""

from __future__ import annotations

from uuid import UUID

from unora.safety.v1.moderation_service_pb2 import (
    AssignCaseRequest,
    AssignCaseResponse,
    DecideCaseRequest,
    DecideCaseResponse,
    ExplainMemberRequest,
    ExplainMemberResponse,
    ListCasesRequest,
    ListCasesResponse,
    ListFlagsRequest,
    ListFlagsResponse,
)
from unora_common.database import Session, Tx
from unora_common.handlers import idempotent, reads
from unora_common.pages import DEFAULT_SIZE, Listing, Place
from unora_common.runtime import Runtime

from unora_safety.config import SafetyConfig
from unora_safety.domain.reports import NOTE_MOST
from unora_safety.messages.events import DECISION_OF, PATTERN_OF
from unora_safety.messages.members import from_text
from unora_safety.messages.moderation import STATUS_OF, to_case, to_explanation, to_flag, to_standing
from unora_safety.resources import Resources
from unora_safety.servicers.audit_log import AuditLog
from unora_safety.store import cases, flags
from unora_safety.use_cases.cases import assign_case, decide_case
from unora_safety.use_cases.explanations import explain_member


class Moderation(AuditLog):
    """For members with the role admin. No other member sees anything of it (SA-02, SA-03)."""

    service = "unora.safety.v1.ModerationService"

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime

    @reads
    async def ListCases(self, request: ListCasesRequest, db: Session) -> ListCasesResponse:
        """SA-05: oldest first, the order in which a queue is worked off."""
        status, size = STATUS_OF.get(request.status), request.page_size or DEFAULT_SIZE
        listing = Listing(f"cases {status or ''}", db.user)
        found = await cases.list_queue(db, status, listing.place(request.page_token), size + 1)
        page, token = listing.page(found, size, lambda each: Place(each.opened_at, each.id))
        return ListCasesResponse(cases=map(to_case, page), next_page_token=token)

    @idempotent
    async def AssignCase(self, request: AssignCaseRequest, tx: Tx) -> AssignCaseResponse:
        """SA-05: the caller takes the case; from another moderator only with `take_over`."""
        case = await assign_case(tx, UUID(request.case_id), take_over=request.take_over)
        return AssignCaseResponse(case=to_case(case))

    @idempotent
    async def DecideCase(self, request: DecideCaseRequest, tx: Tx) -> DecideCaseResponse:
        """SA-05: by the moderator who has the case, once."""
        decision, note = DECISION_OF[request.decision], from_text("note", request.note, NOTE_MOST)
        case, restriction = await decide_case(tx, UUID(request.case_id), decision, note)
        return DecideCaseResponse(case=to_case(case), standing=to_standing(restriction))

    @reads
    async def ListFlags(self, request: ListFlagsRequest, db: Session) -> ListFlagsResponse:
        """SA-04: open flags, and with `show_closed` also closed ones; newest first."""
        pattern, size = PATTERN_OF.get(request.pattern), request.page_size or DEFAULT_SIZE
        listing = Listing(f"flags{request.pattern}{request.show_closed:d}", db.user)
        after = listing.place(request.page_token)
        found = await flags.list_all(db, pattern, after, size + 1, closed=request.show_closed)
        page, token = listing.page(found, size, lambda each: Place(each.raised_at, each.id))
        return ListFlagsResponse(flags=map(to_flag, page), next_page_token=token)

    @reads
    async def ExplainMember(self, request: ExplainMemberRequest, db: Session) -> ExplainMemberResponse:
        """All that safety knows of one member, but not of the caller (SA-07)."""
        return to_explanation(await explain_member(db, UUID(request.user_id), self.runtime.config.explained))
