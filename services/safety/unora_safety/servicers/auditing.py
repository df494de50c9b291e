"""What admins ask of the audit log (SA-01)."""

from __future__ import annotations

from unora.safety.v1.moderation_service_pb2 import AuditChain, VerifyAuditChainRequest, VerifyAuditChainResponse
from unora_common.config import CONTEXTS
from unora_common.database import Session
from unora_common.declare import reads
from unora_common.service import App

from unora_safety.config import SafetyConfig
from unora_safety.domain import Walk
from unora_safety.store import audit as store


class Auditing:
    """The part of ModerationService that reads the audit log."""

    app: App[SafetyConfig]

    @reads
    async def VerifyAuditChain(self, request: VerifyAuditChainRequest, db: Session) -> VerifyAuditChainResponse:
        """SA-01. Chains that are empty because nobody tells anything yet are left out, unless asked for by name."""
        found = await store.chains(db, [request.source_context] if request.source_context else CONTEXTS)
        chains = [
            await self._verify(chain, db)
            for chain in found
            if request.source_context or chain.head.length or chain.last_number
        ]
        return VerifyAuditChainResponse(intact=not any(chain.broken_at for chain in chains), chains=chains)

    async def _verify(self, chain: store.Chain, db: Session) -> AuditChain:
        """Walks the rows that were there when the heads were read; what is appended meanwhile is not looked at."""
        walk = Walk()
        async for entries in store.entries(
            db, chain.source_context, chain.last_number, self.app.config.audit_verify_batch
        ):
            walk.take(entries)
            if walk.broken_at:
                break
        answer = AuditChain(
            source_context=chain.source_context,
            length=chain.head.length,
            head_hash=chain.head.hash,
            broken_at=walk.end(chain.head),
        )
        if chain.last_recorded_at:
            answer.last_recorded_at.FromDatetime(chain.last_recorded_at)
        return answer
