"""Every event of every context is in the audit log once, and the chains are unbroken (SA-01)."""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta
from typing import Any

import pytest
from unora.common.v1.types_pb2 import SERVER_TYPE_FRIEND
from unora.discovery.v1.events_pb2 import ServerJoined
from unora.identity.v1.events_pb2 import RoleGranted
from unora.matching.v1.events_pb2 import ConnectionFormed
from unora.reveal.v1.events_pb2 import RevealEarned
from unora.safety.v1.moderation_service_pb2 import AuditChain, VerifyAuditChainRequest
from unora.safety.v1.moderation_service_pb2_grpc import ModerationServiceStub
from unora.streak.v1.events_pb2 import StreakStarted
from unora_common.ids import uuid7
from unora_common.replay import Replay
from unora_safety.consumers.audit_log import record
from unora_sdk.names import subject_of
from unora_testing.deadlines import GENEROUS
from unora_testing.world import World

from tests.integration.safety.chains import ALSO, SOURCE, append, envelopes
from tests.replicas import replica
from tests.support import connect

pytestmark = pytest.mark.rule("SA-01")

ROWS = """
    SELECT source_context, number, subject, aggregate_id::text, occurred_at, recorded_at, payload FROM safety.audit_logs
    WHERE event_id = $1"""


async def verified(world: World, source: str) -> AuditChain:
    admin = world.caller(roles=["admin"])
    stub = world.stub(ModerationServiceStub, "safety")
    answer = await stub.VerifyAuditChain(VerifyAuditChainRequest(source_context=source), metadata=admin.metadata)
    assert answer.intact == (answer.chains[0].broken_at == 0)
    return answer.chains[0]


async def newest_event(world: World, context: str, kind: type[Any]) -> Any:
    """The newest event of a type, from the outbox of its context."""
    return await world.superuser.fetchrow(
        f"SELECT * FROM {context}.outbox WHERE subject = $1 ORDER BY seq DESC LIMIT 1", subject_of(kind)
    )


@pytest.mark.rule("XX-02")
@pytest.mark.parametrize("kind", [RoleGranted, ServerJoined, ConnectionFormed, StreakStarted, RevealEarned])
async def test_an_event_of_any_context_is_recorded_as_it_was_published(world: World, kind: type[Any]) -> None:
    if kind in (ConnectionFormed, StreakStarted):
        await connect(world)
    else:
        event: Any = {
            RoleGranted: RoleGranted(user_id=str(uuid7()), version=1, role="admin"),
            ServerJoined: ServerJoined(user_id=str(uuid7()), version=1, server_type=SERVER_TYPE_FRIEND),
            RevealEarned: RevealEarned(reveal_id=str(uuid7()), version=1, reveal_number=1),
        }[kind]
        event.occurred_at.FromDatetime(await world.now())
        await world.publish(event)
    context = subject_of(kind).split(".")[1]
    cause = await newest_event(world, context, kind)
    (row,) = await world.superuser.fetch(ROWS, cause["id"])
    assert row["source_context"] == context
    assert row["subject"] == cause["subject"]
    assert row["aggregate_id"] == str(cause["aggregate_id"])
    assert row["occurred_at"] == cause["occurred_at"]
    assert row["payload"] == cause["payload"]
    chain = await verified(world, context)
    assert (chain.broken_at, chain.length >= row["number"]) == (0, True)


async def test_a_chain_has_its_length_its_head_and_the_time_of_its_last_row(world: World, own_chain: None) -> None:
    assert await verified(world, SOURCE) == AuditChain(source_context=SOURCE)
    await append(world.apps["safety"], envelopes(3))
    (last,) = await world.superuser.fetch(
        "SELECT hash, recorded_at FROM safety.audit_logs WHERE source_context = $1 AND number = 3", SOURCE
    )
    chain = await verified(world, SOURCE)
    assert (chain.length, chain.head_hash, chain.broken_at) == (3, last["hash"], 0)
    assert chain.last_recorded_at.ToDatetime(UTC) == last["recorded_at"]


async def test_without_a_name_all_chains_are_verified(world: World, own_chain: None) -> None:
    await connect(world)
    stub = world.stub(ModerationServiceStub, "safety")
    answer = await stub.VerifyAuditChain(VerifyAuditChainRequest(), metadata=world.caller(roles=["admin"]).metadata)
    names = [chain.source_context for chain in answer.chains]
    assert answer.intact
    assert names == sorted(names)
    assert {"matching", "streak"} <= set(names)
    assert SOURCE not in names


async def redeliver(world: World, event_id: Any) -> None:
    """Delivers an event of streak once more, as a stream does that lost the acknowledgement."""
    (row,) = await world.superuser.fetch("SELECT * FROM streak.outbox WHERE id = $1", event_id)
    headers = {
        "ce-id": str(row["id"]),
        "ce-source": "/unora/streak",
        "ce-type": row["subject"],
        "ce-subject": str(row["aggregate_id"]),
        "ce-time": row["occurred_at"].isoformat(),
    }
    connection = await world.testbed.admin(world.worker)
    await connection.jetstream(timeout=GENEROUS).publish(row["subject"], row["payload"], headers=headers)
    await connection.close()
    await world.drain()


@pytest.mark.rule("XX-02")
async def test_a_repeated_delivery_is_recorded_once(world: World) -> None:
    await connect(world)
    event = await newest_event(world, "streak", StreakStarted)
    before = await verified(world, "streak")
    await redeliver(world, event["id"])
    assert await verified(world, "streak") == before
    assert len(await world.superuser.fetch(ROWS, event["id"])) == 1


@pytest.mark.rule("XX-02")
async def test_an_event_is_recorded_once_also_without_its_inbox_row(world: World) -> None:
    await connect(world)
    event = await newest_event(world, "streak", StreakStarted)
    await world.superuser.execute("DELETE FROM safety.inbox WHERE event_id = $1", event["id"])
    before = await verified(world, "streak")
    await redeliver(world, event["id"])
    assert await verified(world, "streak") == before
    assert await world.superuser.fetchval("SELECT count(*) FROM safety.inbox WHERE event_id = $1", event["id"]) == 1
    failed = "SELECT count(*) FROM safety.inbox_failures WHERE event_id = $1"
    assert await world.superuser.fetchval(failed, event["id"]) == 0


async def test_a_dead_letter_is_recorded_in_the_chain_of_its_context(world: World) -> None:
    safety = world.apps["safety"]
    event, aggregate = str(uuid7()), str(uuid7())
    headers = {
        "ce-id": event,
        "ce-source": "/unora/reveal",
        "ce-type": "unora.reveal.v1.reveal_earned",
        "ce-subject": aggregate,
        "ce-time": "2026-03-01T12:00:00Z",
        "unora-subject": "unora.reveal.v1.reveal_earned",
        "unora-error": "Error",
    }
    connection = await world.testbed.admin(world.worker)
    await connection.jetstream(timeout=GENEROUS).publish("dead.safety.safety__all_reveal", b"", headers=headers)
    await connection.close()
    assert await Replay(safety.runtime, safety.messaging).run(safety.consumers) == 1
    (row,) = await world.superuser.fetch(ROWS, event)
    assert (row["source_context"], row["subject"]) == ("reveal", "unora.reveal.v1.reveal_earned")


async def test_two_replicas_that_append_at_once_keep_the_chain_unbroken(world: World, own_chain: None) -> None:
    async with replica(world, "safety") as other:
        apps = [world.apps["safety"], other]
        await asyncio.gather(*(append(apps[turn % 2], envelopes(1 + turn % 7)) for turn in range(40)))
    numbers = await world.superuser.fetch(
        "SELECT number, recorded_at FROM safety.audit_logs WHERE source_context = $1 ORDER BY number", SOURCE
    )
    count = sum(1 + turn % 7 for turn in range(40))
    assert [row["number"] for row in numbers] == list(range(1, count + 1))
    assert [row["recorded_at"] for row in numbers] == sorted(row["recorded_at"] for row in numbers)
    chain = await verified(world, SOURCE)
    assert (chain.length, chain.broken_at) == (count, 0)


async def test_events_appended_at_once_by_two_replicas_are_recorded_once(world: World, own_chain: None) -> None:
    events = envelopes(5)
    async with replica(world, "safety") as other:
        await asyncio.gather(*(append(app, events) for app in [world.apps["safety"], other] * 5))
    assert (await verified(world, SOURCE)).length == 5


async def test_a_concurrent_verification_never_sees_half_a_batch(world: World, own_chain: None) -> None:
    async def write() -> None:
        for _ in range(20):
            await append(world.apps["safety"], envelopes(5))

    writing = asyncio.ensure_future(write())
    lengths = []
    while not writing.done():
        chain = await verified(world, SOURCE)
        assert chain.broken_at == 0
        lengths.append(chain.length)
    await writing
    assert (await verified(world, SOURCE)).length == 100
    assert all(length % 5 == 0 for length in lengths)


async def test_a_crash_before_the_commit_leaves_the_chain_unchanged(world: World, own_chain: None) -> None:
    safety = world.apps["safety"]
    await append(safety, envelopes(2))
    before = await verified(world, SOURCE)
    with pytest.raises(ConnectionResetError):
        await _append_and_crash(world)
    assert await verified(world, SOURCE) == before
    await append(safety, envelopes(1))
    assert (await verified(world, SOURCE)).length == 3


async def _append_and_crash(world: World) -> None:
    async with world.apps["safety"].database.transaction() as tx:
        await record(SOURCE, envelopes(4), tx)
        raise ConnectionResetError


async def test_each_month_has_its_partition_and_the_chain_continues(world: World, own_chain: None) -> None:
    safety = world.apps["safety"]
    months = set()
    for _ in range(3):
        await append(safety, envelopes(2))
        months.add((await world.now()).strftime("audit_logs_%Y_%m"))
        await world.move_clock(timedelta(days=31))
    rows = await world.superuser.fetch(
        "SELECT DISTINCT tableoid::regclass::text AS held FROM safety.audit_logs WHERE source_context = $1", SOURCE
    )
    assert {row["held"] for row in rows} == {f"safety.{month}" for month in months}
    chain = await verified(world, SOURCE)
    assert (chain.length, chain.broken_at) == (6, 0)


async def test_the_partition_of_a_new_month_is_made_once_by_many_at_once(world: World, own_chain: None) -> None:
    await world.move_clock(timedelta(days=31))
    async with replica(world, "safety") as other:
        apps = [world.apps["safety"], other]
        await asyncio.gather(*(append(app, envelopes(1), source) for app in apps for source in (SOURCE, ALSO)))
    for source in (SOURCE, ALSO):
        chain = await verified(world, source)
        assert (chain.length, chain.broken_at) == (2, 0)
