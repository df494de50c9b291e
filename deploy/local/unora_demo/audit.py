"""The audit of all that happened (SA-01)."""

from __future__ import annotations

from unora.safety.v1.moderation_service_pb2 import VerifyAuditChainRequest, VerifyAuditChainResponse
from unora_common.config import CONTEXTS
from unora_local.client import Unexpected, refused

from unora_demo.people import Member
from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect


async def chain(stage: Stage, note: Note) -> None:
    """SA-01, XX-03: only an admin verifies the chain of every context."""
    await stage.clock.wait_until_idle()
    await refused(_verify(stage, stage.one), "ADMIN_ONLY")
    await stage.onlooker.session.refresh()  # days have gone by since the role was granted
    answer = await _verify(stage, stage.onlooker)
    expect("every chain whole", True, answer.intact)
    expect("breaks", [], [each.source_context for each in answer.chains if each.broken_at])
    lengths = {each.source_context: each.length for each in answer.chains}
    for context in CONTEXTS:
        emitted = await stage.clock.superuser.fetchval(
            f"SELECT count(*) FROM {context}.outbox WHERE published_at IS NOT NULL"
        )
        if lengths.get(context, 0) < emitted:
            raise Unexpected(f"{context} emitted {emitted} events, its chain has {lengths.get(context, 0)} rows")
    note.detail = f"{sum(lengths.values())} rows in {len(lengths)} chains, every hash holds"


async def _verify(stage: Stage, member: Member) -> VerifyAuditChainResponse:
    return await member.session.call(stage.gateway.moderation.VerifyAuditChain, VerifyAuditChainRequest())
