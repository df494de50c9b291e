"""What admins ask of the audit log (SA-01)."""

from __future__ import annotations

from unora.safety.v1.moderation_service_pb2 import (
    AuditChain,
    SearchAuditLogRequest,
    SearchAuditLogResponse,
    VerifyAuditChainRequest,
    VerifyAuditChainResponse,
)
from unora_common.config import CONTEXTS
from unora_common.database import Session
from unora_common.handlers import reads
from unora_common.pages import DEFAULT_SIZE
from unora_common.runtime import Runtime

from unora_safety.audit_messages import search_of, to_entry
from unora_safety.config import SafetyConfig
from unora_safety.domain import Entry, Head, Walk
from unora_safety.resources import Resources
from unora_safety.store import audit, audit_index
from unora_safety.terms import is_kept_from
from unora_safety.walking import Stage, read_token, token_of


class Auditing:
    """The part of ModerationService that reads the audit log."""

    runtime: Runtime[SafetyConfig, Resources]

    @reads
    async def SearchAuditLog(self, request: SearchAuditLogRequest, db: Session) -> SearchAuditLogResponse:
        """SA-01: by the index of terms, so that it takes as long as its page, not as the log.

        What the moderator who asks may not know as a member is left out (SA-02, SA-07, MA-10), and the page is filled
        with what comes after: a shorter one would tell of it.
        """
        search, listing = search_of(request, db.user)
        size, after = request.page_size or DEFAULT_SIZE, listing.place(request.page_token)
        shown, most = list[Entry](), max(size, DEFAULT_SIZE) + 1
        while True:
            found = await audit_index.search(db, search, after, most)
            shown += [entry for entry in found if not is_kept_from(entry, db.user)]
            if len(shown) > size or len(found) < most:
                break
            after = audit_index.place_at(found[-1])
        page, token = listing.page(shown, size, audit_index.place_at)
        return SearchAuditLogResponse(entries=map(to_entry, page), next_page_token=token)

    @reads
    async def VerifyAuditChain(self, request: VerifyAuditChainRequest, db: Session) -> VerifyAuditChainResponse:
        """SA-01. Chains that are empty because nobody tells anything yet are left out, unless asked for by name."""
        left = request.page_size or None
        stage = read_token(request.page_token, request.source_context, db.user)
        found = await audit.chains(db, [request.source_context] if request.source_context else CONTEXTS)
        answer = VerifyAuditChainResponse(intact=True)
        for chain in found:
            if not (request.source_context or chain.head.length or chain.last_number):
                continue
            if stage is not None and chain.source_context < stage.source_context:
                continue
            if left == 0:
                stage = Stage(chain.source_context, Head(0, b""), None)
                answer.next_page_token = token_of(stage, request.source_context, db.user)
                break
            here = stage if stage is not None and stage.source_context == chain.source_context else None
            shown, stage, looked = await self._verify(chain, here, left, db)
            answer.chains.append(shown)
            answer.intact = answer.intact and not shown.broken_at
            left = None if left is None else left - looked
            if stage is not None:
                answer.next_page_token = token_of(stage, request.source_context, db.user)
                break
        return answer

    async def _verify(
        self, chain: audit.Chain, begin: Stage | None, most: int | None, db: Session
    ) -> tuple[AuditChain, Stage | None, int]:
        """Walks the rows that were there when the heads were read; what is appended meanwhile is not looked at.

        Returns what it found, where the next call goes on if this one may look at no more rows, and how many it did.
        """
        walk, step, looked = Walk(begin.reached) if begin else Walk(), begin.step if begin else None, 0
        whole = False
        while not (whole or walk.broken_at or (most is not None and looked >= most)):
            batch = self.runtime.config.audit_verify_batch
            count = batch if most is None else min(batch, most - looked)
            entries = await audit.entries(db, chain.source_context, chain.last_number, step, count)
            walk.take(entries)
            looked += len(entries)
            whole = len(entries) < count
            if entries:
                step = audit.Step(entries[-1].number, entries[-1].recorded_at)
        done = whole or walk.broken_at or (walk.reached == chain.head and chain.last_number == chain.head.length)
        answer = AuditChain(
            source_context=chain.source_context,
            length=chain.head.length,
            head_hash=chain.head.hash,
            broken_at=walk.end(chain.head) if done else 0,
            verified_length=walk.reached.length,
        )
        if chain.last_recorded_at:
            answer.last_recorded_at.FromDatetime(chain.last_recorded_at)
        return answer, None if done else Stage(chain.source_context, walk.reached, step), looked
