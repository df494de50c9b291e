"""The guarantees of the database for the audit log, tried by direct SQL (SA-01)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import pytest
from unora_common.ids import uuid7
from unora_safety.domain.chain import Entry, Head, SourceEvent, link
from unora_testing.world import World

from tests.integration.safety.chains import SOURCE, append, envelopes, erase
from tests.roles import refused, role_of

pytestmark = pytest.mark.rule("SA-01")

Sql: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
INSERT = "INSERT INTO safety.audit_logs VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"


@pytest.fixture(autouse=True)
async def chain(world: World) -> AsyncIterator[None]:
    await append(world.apps["safety"], envelopes(3))
    yield
    await erase(world)


@pytest.fixture
async def service(world: World) -> AsyncIterator[Sql]:
    """The service's own role."""
    async with role_of(world, "safety") as connection:
        yield connection


@pytest.fixture
async def owner(world: World) -> AsyncIterator[Sql]:
    """The role that migrates, with more rights than the service."""
    async with role_of(world, "safety_owner") as connection:
        yield connection


async def partition(world: World) -> str:
    found = "SELECT tableoid::regclass::text FROM safety.audit_logs WHERE source_context = $1 LIMIT 1"
    name: str = await world.superuser.fetchval(found, SOURCE)
    return name


async def content(world: World) -> list[Any]:
    return [
        *await world.superuser.fetch("SELECT * FROM safety.audit_logs WHERE source_context = $1", SOURCE),
        *await world.superuser.fetch("SELECT * FROM safety.audit_chain_heads"),
    ]


FORBIDDEN = [
    "UPDATE {table} SET payload = ''",
    "UPDATE {table} SET payload = payload WHERE false",
    "DELETE FROM {table}",
    "TRUNCATE {table}",
    "DROP TABLE {table}",
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
]
FORBIDDEN_FOR_HEADS = [
    "UPDATE safety.audit_chain_heads SET length = length + 1",
    "DELETE FROM safety.audit_chain_heads",
    "TRUNCATE safety.audit_chain_heads",
    "INSERT INTO safety.audit_chain_heads (source_context) VALUES ('identity')",
    "SELECT safety.make_audit_partition(now())",
    "CREATE TABLE safety.other (id int)",
    "SET session_replication_role = replica",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_the_service_can_only_read_and_add(world: World, service: Sql, statement: str) -> None:
    before = await content(world)
    for table in ("safety.audit_logs", await partition(world)):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.execute(statement.format(table=table))
    assert await content(world) == before


@pytest.mark.parametrize("statement", FORBIDDEN_FOR_HEADS)
async def test_the_service_cannot_move_heads_or_make_tables(world: World, service: Sql, statement: str) -> None:
    before = await content(world)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute(statement)
    assert await content(world) == before


async def test_the_service_cannot_bypass_the_chain_by_inserting_into_a_partition(world: World, service: Sql) -> None:
    name = await partition(world)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute(f"INSERT INTO {name} SELECT * FROM safety.audit_logs LIMIT 0")


@pytest.mark.parametrize("statement", [*FORBIDDEN[:4], *(text.replace("payload", "hash") for text in FORBIDDEN[:1])])
async def test_triggers_refuse_even_the_owner(world: World, owner: Sql, statement: str) -> None:
    before = await content(world)
    for table in ("safety.audit_logs", await partition(world)):
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await owner.execute(statement.format(table=table))
        assert refused.value.constraint_name == "audit_append_only"
    assert await content(world) == before


@pytest.mark.parametrize("statement", ["DELETE FROM safety.audit_chain_heads", "TRUNCATE safety.audit_chain_heads"])
async def test_heads_are_never_removed(world: World, owner: Sql, statement: str) -> None:
    assert await refused(owner, statement) == "audit_append_only"


async def next_row(world: World, **changes: Any) -> Entry:
    """The next row of the chain, with these changes."""
    head = await world.superuser.fetchrow(
        "SELECT length, head_hash, clock.now() AS now FROM safety.audit_chain_heads WHERE source_context = $1", SOURCE
    )
    assert head is not None
    now: datetime = head["now"]
    event = SourceEvent(uuid7(), "unora.billing.v1.thing_paid", uuid7(), now, b"")
    (entry,) = link(SOURCE, Head(head["length"], head["head_hash"]), [event], now)
    return entry._replace(**changes)


async def test_the_next_row_is_accepted_and_moves_the_head(world: World, service: Sql) -> None:
    entry = await next_row(world)
    await service.execute(INSERT, *entry)
    head = await world.superuser.fetchrow(
        "SELECT length, head_hash FROM safety.audit_chain_heads WHERE source_context = $1", SOURCE
    )
    assert tuple(head or ()) == (4, entry.hash)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"number": 3}, id="a number that is taken"),
        pytest.param({"number": 5}, id="a gap"),
        pytest.param({"previous_hash": bytes(32)}, id="another row before"),
        pytest.param({"source_context": "safety", "number": 4}, id="a chain that has not begun"),
    ],
)
async def test_a_row_that_does_not_continue_its_chain_is_refused(
    world: World, service: Sql, changes: dict[str, Any]
) -> None:
    before = await content(world)
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await service.execute(INSERT, *await next_row(world, **changes))
    assert refused.value.constraint_name == "audit_chain"
    assert await content(world) == before


async def test_rows_of_one_statement_must_follow_each_other(world: World, service: Sql) -> None:
    first = await next_row(world)
    second, third = link(SOURCE, Head(first.number, first.hash), [_event(first), _event(first)], first.recorded_at)
    many = INSERT + ", (" + ", ".join(f"${number}" for number in range(11, 21)) + ")"
    for wrong, constraint in (
        (third, "audit_chain"),
        (first._replace(event_id=uuid7()), "_pkey"),  # of the partition of this month
        (second._replace(previous_hash=bytes(32)), "audit_chain"),
    ):
        assert (await refused(service, many, *first, *wrong)).endswith(constraint)
    await service.execute(many, *second, *first)  # within a statement only the numbers matter, not the order


def _event(entry: Entry) -> SourceEvent:
    return SourceEvent(uuid7(), entry.subject, entry.aggregate_id, entry.occurred_at, entry.payload)


@pytest.mark.rule("XX-02")
async def test_an_event_is_recorded_once_over_all_months(world: World, service: Sql) -> None:
    """The key of each month cannot see the rows of other months."""
    known = "SELECT event_id FROM safety.audit_logs WHERE source_context = $1 AND number = 1"
    event: UUID = await world.superuser.fetchval(known, SOURCE)
    await world.move_clock(timedelta(days=31))
    await append(world.apps["safety"], envelopes(1))
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await service.execute(INSERT, *await next_row(world, event_id=event))
    assert refused.value.constraint_name == "audit_event_once"


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"source_context": "nobody"}, "ck_audit_logs_source_context"),
        ({"hash": b"short"}, "ck_audit_logs_hashes"),
        ({"previous_hash": b""}, "ck_audit_logs_hashes"),
        ({"number": 0}, "ck_audit_logs_number"),
    ],
)
async def test_a_malformed_row_is_refused(world: World, service: Sql, changes: dict[str, Any], constraint: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await service.execute(INSERT, *await next_row(world, **changes))
    assert refused.value.constraint_name == constraint


@pytest.mark.parametrize("context", ["identity", "discovery", "matching", "streak", "reveal"])
async def test_other_contexts_cannot_read_the_audit_log(world: World, context: str) -> None:
    async with role_of(world, context) as other:
        for statement in ("SELECT * FROM safety.audit_logs", "SELECT safety.open_audit_chain('streak', '{}')"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await other.execute(statement)
