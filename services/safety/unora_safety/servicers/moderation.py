"""ModerationService: the queue, its decisions, and what they rest on (SA-04, SA-05)."""

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

from unora_safety.case_messages import STATUS_OF, to_appeal, to_case, to_count, to_flag, to_report, to_standing
from unora_safety.config import SafetyConfig
from unora_safety.domain import CaseAboutYourself, Pattern
from unora_safety.messages import DECISION_OF, PATTERN_OF, from_text
from unora_safety.resources import Resources
from unora_safety.servicers.auditing import Auditing
from unora_safety.store import cases, flags, sightings, statements
from unora_safety.use_cases import assign_case, decide_case


class Moderation(Auditing):
    """For members with the role admin. No member sees any of it (SA-02, SA-03)."""

    service = "unora.safety.v1.ModerationService"

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime

    @reads
    async def ListCases(self, request: ListCasesRequest, db: Session) -> ListCasesResponse:
        """SA-05: oldest first, since a queue is worked off."""
        status, size = STATUS_OF.get(request.status), request.page_size or DEFAULT_SIZE
        listing = Listing(f"cases {status or ''}", db.user)
        found = await cases.queue(db, status, listing.place(request.page_token), size + 1)
        page, token = listing.page(found, size, lambda each: Place(each.opened_at, each.id))
        return ListCasesResponse(cases=map(to_case, page), next_page_token=token)

    @idempotent
    async def AssignCase(self, request: AssignCaseRequest, tx: Tx) -> AssignCaseResponse:
        """SA-05: the caller takes the case, from another moderator only if they say so."""
        return AssignCaseResponse(
            case=to_case(await assign_case(tx, UUID(request.case_id), take_over=request.take_over))
        )

    @idempotent
    async def DecideCase(self, request: DecideCaseRequest, tx: Tx) -> DecideCaseResponse:
        """SA-05: by the moderator who has the case, once."""
        decision, note = DECISION_OF[request.decision], from_text("note", request.note)
        case, standing = await decide_case(tx, UUID(request.case_id), decision, note)
        return DecideCaseResponse(case=to_case(case), standing=to_standing(standing))

    @reads
    async def ListFlags(self, request: ListFlagsRequest, db: Session) -> ListFlagsResponse:
        """SA-04: open ones, and closed ones if asked for; newest first."""
        pattern, size = PATTERN_OF.get(request.pattern), request.page_size or DEFAULT_SIZE
        listing = Listing(f"flags{request.pattern}{request.show_closed:d}", db.user)
        after = listing.place(request.page_token)
        found = await flags.page(db, pattern, after, size + 1, closed=request.show_closed)
        page, token = listing.page(found, size, lambda each: Place(each.raised_at, each.id))
        return ListFlagsResponse(flags=map(to_flag, page), next_page_token=token)

    @reads
    async def ExplainMember(self, request: ExplainMemberRequest, db: Session) -> ExplainMemberResponse:
        """All that safety knows of one member; nothing of the profile, which it never has. A moderator is a member too,
        whom nobody tells who reported them (SA-07).
        """
        if UUID(request.user_id) == db.user:
            raise CaseAboutYourself
        user, most = UUID(request.user_id), self.runtime.config.explained
        now = await db.value("SELECT clock.now()")
        seen = (await sightings.seen(db, [user]))[user]
        counts = await statements.counts_of(db, user)
        return ExplainMemberResponse(
            standing=to_standing(await cases.standing(db, user)),
            counts=[
                to_count(rule, sum(now - each.at < rule.window for each in seen.get(rule.pattern, ())))
                for rule in await flags.rules(db)
                if rule.pattern is not Pattern.OUTLIER
            ],
            flags=map(to_flag, await flags.of_member(db, user, most)),
            cases=map(to_case, await cases.of_member(db, user, most)),
            reports=map(to_report, await statements.reports_of(db, user, most)),
            appeals=map(to_appeal, await statements.appeals_of(db, user, most)),
            blocks_made=counts["blocks_made"],
            blocks_received=counts["blocks_received"],
            reports_made=counts["reports_made"],
        )
