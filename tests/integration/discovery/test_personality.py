"""DI-11: personality never influences matching or the order of Discovery. These services cannot read it: not in the
database, not on NATS, not by a call, and their code does not mention it.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from unora_common import declarations
from unora_common.policies import policies_of
from unora_local.nats_config import permissions
from unora_sdk.names import stream
from unora_testing.world import World

from tests.contract.contract import files
from tests.roles import role_of
from tests.support import read_refusal

SERVICES = Path(__file__).parents[3] / "services"
BLIND = ("discovery", "matching")


@pytest.mark.rule("DI-11")
@pytest.mark.parametrize("context", BLIND)
async def test_their_roles_have_no_right_on_the_tables_of_reveal(world: World, context: str) -> None:
    tables = await world.superuser.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'reveal'")
    assert tables
    async with role_of(world, context) as role:
        assert not await role.fetchval("SELECT has_schema_privilege('reveal', 'USAGE')")
        assert not await role.fetchval("SELECT pg_has_role('unora_reveal', 'MEMBER')")
        for table in tables:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await role.fetch(f"SELECT * FROM reveal.{table['tablename']}")


@pytest.mark.rule("DI-11")
@pytest.mark.parametrize("context", BLIND)
def test_they_consume_no_event_of_reveal_and_nats_does_not_permit_it(context: str) -> None:
    consumed = [each.subject for each in declarations.load_service(context).consumed()]
    assert consumed
    assert not any(".reveal." in subject for subject in consumed)
    allowed = permissions(context, consumed)
    assert not any(stream("reveal") in subject for subject in allowed["publish"]["allow"])
    assert not any("reveal" in subject for subject in allowed["subscribe"]["allow"])


@pytest.mark.rule("DI-11")
@pytest.mark.parametrize("context", BLIND)
async def test_nats_refuses_them_the_events_of_reveal(world: World, context: str) -> None:
    """By a subscription, and by a consumer of the stream."""
    refused: list[str] = []
    name, source = f"{context}__answers", stream("reveal")
    connection = await world.testbed.user(context, world.worker, refused)
    try:
        await connection.subscribe("unora.reveal.v1.>")
        await connection.flush()
        assert "permissions violation for subscription" in refused.pop()
        for subject in (
            f"$JS.API.CONSUMER.CREATE.{source}.{name}.unora.reveal.v1.>",
            f"$JS.API.CONSUMER.CREATE.{source}",
            f"$JS.API.CONSUMER.DURABLE.CREATE.{source}.{name}",
            f"$JS.API.CONSUMER.MSG.NEXT.{source}.{name}",
            f"$JS.API.STREAM.MSG.GET.{source}",
            f"$JS.API.DIRECT.GET.{source}",
        ):
            await connection.publish(subject, b"{}")
            await connection.flush()
            assert "permissions violation for publish" in refused.pop()
    finally:
        await connection.close()


@pytest.mark.rule("DI-11", "XX-03")
@pytest.mark.parametrize("context", BLIND)
async def test_reveal_answers_none_of_their_calls(world: World, context: str) -> None:
    """With a member's token too: their certificates are not allowed to send one."""
    metadata, calls = world.caller().metadata, 0
    for file in files():
        for service in file.services_by_name.values() if file.package == "unora.reveal.v1" else ():
            for policy in policies_of(service):
                assert context not in policy.callers
                call: Any = world.channel("reveal", context).unary_unary(policy.path)
                with pytest.raises(Exception) as refused:  # noqa: PT011 - it is checked below
                    await call(b"", metadata=metadata)
                assert read_refusal(refused.value).code == "PERMISSION_DENIED"  # type: ignore[arg-type]
                calls += 1
    assert calls


@pytest.mark.rule("DI-11")
@pytest.mark.parametrize("context", BLIND)
def test_their_code_does_not_mention_reveal(context: str) -> None:
    """No import of its contract, no client of its services, no statement on its schema."""
    found = []
    for path in (SERVICES / context).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Import(names=names):
                    words = [each.name for each in names]
                case ast.ImportFrom(module=module):
                    words = [module or ""]
                case ast.Constant(value=str(text)):
                    words = [text]
                case _:
                    words = []
            found += [f"{path.name}: {word}" for word in words if "unora.reveal" in word or "FROM reveal." in word]
            found += [f"{path.name}: {word}" for word in words if "personality" in word.lower()]
    assert found == []
