"""ModerationService: the audit log (SA-01)."""

from __future__ import annotations

from unora.safety.v1.moderation_service_pb2 import (
    SearchAuditLogRequest,
    SearchAuditLogResponse,
    VerifyAuditChainRequest,
    VerifyAuditChainResponse,
)
from unora_common.database import Session
from unora_common.handlers import reads
from unora_common.pages import DEFAULT_SIZE
from unora_common.runtime import Runtime

from unora_safety.config import SafetyConfig
from unora_safety.messages.audit_log import from_place, from_search_request, to_chain, to_entry, to_place
from unora_safety.messages.verification_tokens import from_token, to_token
from unora_safety.resources import Resources
from unora_safety.use_cases.audit_log import search_entries
from unora_safety.use_cases.audit_verification import verify_chains


class AuditLog:
    """The methods of ModerationService that read the audit log."""

    runtime: Runtime[SafetyConfig, Resources]

    @reads
    async def SearchAuditLog(self, request: SearchAuditLogRequest, db: Session) -> SearchAuditLogResponse:
        """SA-01: by the index of terms, so the time depends on the size of the page, not of the log."""
        search, listing = from_search_request(request, db.user)
        after, size = from_place(listing.place(request.page_token)), request.page_size or DEFAULT_SIZE
        found = await search_entries(db, search, after, size)
        page, token = listing.page(found, size, to_place)
        return SearchAuditLogResponse(entries=map(to_entry, page), next_page_token=token)

    @reads
    async def VerifyAuditChain(self, request: VerifyAuditChainRequest, db: Session) -> VerifyAuditChainResponse:
        """SA-01. An empty chain is left out, unless the request names it."""
        context, limit = request.source_context, request.page_size or None
        start = from_token(request.page_token, context, db.user)
        found = await verify_chains(db, context, start, limit, self.runtime.config.audit_verify_batch)
        return VerifyAuditChainResponse(
            intact=not any(each.broken_at for each in found.chains),
            chains=map(to_chain, found.chains),
            next_page_token=to_token(found.next, context, db.user),
        )
