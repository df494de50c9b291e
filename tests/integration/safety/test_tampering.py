"""Every kind of tampering with a chain is found at its row (SA-01)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from unora.safety.v1.moderation_service_pb2 import AuditChain, VerifyAuditChainRequest, VerifyAuditChainResponse
from unora.safety.v1.moderation_service_pb2_grpc import ModerationServiceStub
from unora_testing.world import World

from tests.integration.safety.chains import SOURCE, append, envelopes, erase, tampering
from tests.replicas import replica, stub_of
from tests.support import refusal

pytestmark = pytest.mark.rule("SA-01")

ROW = "UPDATE safety.audit_logs SET {} WHERE source_context = 'billing' AND number = {}"


@pytest.fixture(scope="module")
async def moderation(world: World) -> AsyncIterator[ModerationServiceStub]:
    """Verifies two rows at a time, so that a chain of seven takes several reads."""
    async with (
        replica(world, "safety", audit_verify_batch=2) as app,
        stub_of(world, app, ModerationServiceStub) as stub,
    ):
        yield stub


@pytest.fixture
async def chain(world: World) -> AsyncIterator[None]:
    await append(world.apps["safety"], envelopes(3))
    await append(world.apps["safety"], envelopes(4))
    yield
    await erase(world)


async def verify(world: World, moderation: ModerationServiceStub) -> VerifyAuditChainResponse:
    admin = world.caller(roles=["admin"])
    return await moderation.VerifyAuditChain(VerifyAuditChainRequest(source_context=SOURCE), metadata=admin.metadata)


CHANGED = {
    "event_id": "event_id = gen_random_uuid()",
    "subject": "subject = 'unora.billing.v1.other'",
    "aggregate_id": "aggregate_id = gen_random_uuid()",
    "occurred_at": "occurred_at = occurred_at + interval '1 microsecond'",
    "recorded_at": "recorded_at = recorded_at + interval '1 microsecond'",
    "payload": "payload = payload || '\\x00'::bytea",
    "hash": "hash = sha256('forged')",
}


@pytest.mark.parametrize("change", CHANGED)
@pytest.mark.parametrize("number", [1, 4, 7])
async def test_a_changed_row_is_found(
    world: World, moderation: ModerationServiceStub, chain: None, change: str, number: int
) -> None:
    assert (await verify(world, moderation)).intact
    async with tampering(world) as sql:
        assert await sql.execute(ROW.format(CHANGED[change], number)) == "UPDATE 1"
    answer = await verify(world, moderation)
    assert (answer.intact, answer.chains[0].broken_at) == (False, number)


@pytest.mark.parametrize("number", [1, 3, 4, 7])
async def test_a_missing_row_is_found(
    world: World, moderation: ModerationServiceStub, chain: None, number: int
) -> None:
    async with tampering(world) as sql:
        await sql.execute("DELETE FROM safety.audit_logs WHERE source_context = $1 AND number = $2", SOURCE, number)
    answer = await verify(world, moderation)
    assert (answer.intact, answer.chains[0].broken_at, answer.chains[0].length) == (False, number, 7)


async def test_rows_that_changed_places_are_found(world: World, moderation: ModerationServiceStub, chain: None) -> None:
    async with tampering(world) as sql:
        await sql.execute(ROW.format("number = 100", 2))
        await sql.execute(ROW.format("number = 2", 5))
        await sql.execute(ROW.format("number = 5", 100))
    assert (await verify(world, moderation)).chains[0].broken_at == 2


@pytest.mark.parametrize("number", [2, 4, 7])  # where a read of two rows ends, and the last row
async def test_a_duplicated_row_is_found(
    world: World, moderation: ModerationServiceStub, chain: None, number: int
) -> None:
    async with tampering(world) as sql:
        await sql.execute(
            """INSERT INTO safety.audit_logs
            SELECT source_context, number, event_id, subject, aggregate_id, occurred_at,
                   recorded_at + interval '1 microsecond', payload, previous_hash, hash
            FROM safety.audit_logs WHERE source_context = $1 AND number = $2""",
            *(SOURCE, number),
        )
    assert (await verify(world, moderation)).chains[0].broken_at == number


@pytest.mark.parametrize("kept", [0, 2, 6])
async def test_a_cut_tail_is_found(world: World, moderation: ModerationServiceStub, chain: None, kept: int) -> None:
    async with tampering(world) as sql:
        await sql.execute("DELETE FROM safety.audit_logs WHERE source_context = $1 AND number > $2", SOURCE, kept)
    answer = await verify(world, moderation)
    assert (answer.intact, answer.chains[0].broken_at) == (False, kept + 1)


async def test_a_tail_cut_with_its_head_is_found_by_an_earlier_head(
    world: World, moderation: ModerationServiceStub, chain: None
) -> None:
    earlier = (await verify(world, moderation)).chains[0]
    async with tampering(world) as sql:
        await sql.execute("DELETE FROM safety.audit_logs WHERE source_context = $1 AND number > 5", SOURCE)
        await sql.execute(
            """UPDATE safety.audit_chain_heads SET length = 5, head_hash =
            (SELECT hash FROM safety.audit_logs WHERE source_context = $1 AND number = 5) WHERE source_context = $1""",
            SOURCE,
        )
    now = (await verify(world, moderation)).chains[0]
    assert now.length < earlier.length
    assert now.head_hash != earlier.head_hash


async def test_a_missing_head_is_found(world: World, moderation: ModerationServiceStub, chain: None) -> None:
    async with tampering(world) as sql:
        await sql.execute("DELETE FROM safety.audit_chain_heads WHERE source_context = $1", SOURCE)
    answer = await verify(world, moderation)
    assert (answer.intact, answer.chains[0].broken_at) == (False, 1)


async def test_a_moved_head_is_found(world: World, moderation: ModerationServiceStub, chain: None) -> None:
    async with tampering(world) as sql:
        await sql.execute("UPDATE safety.audit_chain_heads SET length = 8 WHERE source_context = $1", SOURCE)
    assert (await verify(world, moderation)).chains[0].broken_at == 8
    async with tampering(world) as sql:
        await sql.execute("UPDATE safety.audit_chain_heads SET length = 6 WHERE source_context = $1", SOURCE)
    assert (await verify(world, moderation)).chains[0].broken_at == 7


async def test_a_broken_chain_does_not_affect_the_others(
    world: World, moderation: ModerationServiceStub, chain: None
) -> None:
    async with tampering(world) as sql:
        await sql.execute(ROW.format(CHANGED["payload"], 1))
    admin = world.caller(roles=["admin"])
    answer = await moderation.VerifyAuditChain(VerifyAuditChainRequest(), metadata=admin.metadata)
    assert not answer.intact
    assert [each.source_context for each in answer.chains if each.broken_at] == [SOURCE]


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("roles", [[], ["moderator"], ["Admin"]])
async def test_only_admins_may_verify(
    world: World, moderation: ModerationServiceStub, chain: None, roles: list[str]
) -> None:
    member = world.caller(roles=roles)
    refused = await refusal(moderation.VerifyAuditChain(VerifyAuditChainRequest(), metadata=member.metadata))
    assert (refused.code, refused.reason, refused.domain) == ("PERMISSION_DENIED", "ADMIN_ONLY", "unora.safety")


@pytest.mark.rule("XX-03")
async def test_other_contexts_may_not_verify_even_with_an_admins_token(world: World) -> None:
    stub = world.stub(ModerationServiceStub, "safety", caller="streak")
    admin = world.caller(roles=["admin"])
    refused = await refusal(stub.VerifyAuditChain(VerifyAuditChainRequest(), metadata=admin.metadata))
    assert (refused.code, refused.reason) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")


async def test_an_unknown_context_is_refused(world: World, moderation: ModerationServiceStub) -> None:
    admin = world.caller(roles=["admin"])
    request = VerifyAuditChainRequest(source_context="nobody")
    refused = await refusal(moderation.VerifyAuditChain(request, metadata=admin.metadata))
    assert (refused.code, list(refused.violations)) == ("INVALID_ARGUMENT", ["source_context"])


async def test_an_empty_chain_is_unbroken(world: World, moderation: ModerationServiceStub) -> None:
    answer = await verify(world, moderation)
    assert (answer.intact, list(answer.chains)) == (True, [AuditChain(source_context=SOURCE)])
