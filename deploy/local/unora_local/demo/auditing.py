"""The audit of all that happened (SA-01)."""

from __future__ import annotations

from unora.safety.v1.moderation_service_pb2 import VerifyAuditChainRequest, VerifyAuditChainResponse

from unora_local.admin import make_admin
from unora_local.contexts import CONTEXTS
from unora_local.demo.client import Refused, Unexpected
from unora_local.demo.stage import Stage
from unora_local.demo.timeline import Note, expect


async def chain(stage: Stage, note: Note) -> None:
    """SA-01, XX-03: an admin, and nobody else, verifies the chain of every context."""
    await stage.clock.settle()
    try:
        await _verify(stage)
    except Refused as error:
        expect("the status for a member who is no admin", "PERMISSION_DENIED", error.code)
    else:
        raise Unexpected("the audit was shown to a member who is no admin")
    await make_admin(stage.folder, stage.onlooker.id)
    await stage.onlooker.session.refresh()
    await stage.clock.settle()
    answer = await _verify(stage)
    expect("every chain whole", True, answer.intact)
    expect("breaks", [], [each.source_context for each in answer.chains if each.broken_at])
    lengths = {each.source_context: each.length for each in answer.chains}
    for context in CONTEXTS:
        told = await stage.clock.superuser.fetchval(
            f"SELECT count(*) FROM {context}.outbox WHERE published_at IS NOT NULL"
        )
        if lengths.get(context, 0) < told:
            raise Unexpected(f"{context} told {told} events, its chain has {lengths.get(context, 0)} rows")
    note.detail = f"{sum(lengths.values())} rows in {len(lengths)} chains, every hash holds"


async def _verify(stage: Stage) -> VerifyAuditChainResponse:
    return await stage.onlooker.session.call(stage.gateway.moderation.VerifyAuditChain, VerifyAuditChainRequest())
