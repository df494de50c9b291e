"""How every context erases a member when identity asks for it, and that nothing brings back what was erased (ID-09)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from unora.identity.v1.events_pb2 import AccountErasureRequested
from unora_common import erasing
from unora_common.app import App
from unora_common.config import CONTEXTS
from unora_common.consumers import Consumer
from unora_common.declarations import load_service
from unora_common.erase_function import declared
from unora_common.erased import How
from unora_common.ids import uuid7
from unora_common.migrations import tables_of
from unora_sdk.deliveries import Delivery, Envelope
from unora_sdk.names import aggregate_of, subject_of
from unora_testing.deadlines import eventually, within
from unora_testing.filling import fill
from unora_testing.world import World

from tests.integration.common.test_batched_projections import _event as made
from tests.roles import WAITS_HERE, role_of

pytestmark = pytest.mark.rule("ID-09")
ASKED = [context for context in CONTEXTS if context != "identity"]
"""Identity itself needs no event to know."""
# The events whose aggregate is a member, with the contexts that hear them.
HEARD = [
    (context, consumes)
    for context in CONTEXTS
    for consumes in load_service(context).consumed()
    if consumes.event is not None
    and consumes.event is not AccountErasureRequested
    and consumes.event.DESCRIPTOR.fields[0].name == "user_id"
]
OF_MEMBERS = [(context, each.event) for context, each in HEARD if each.event is not None]
WITHOUT_CALLS = [(context, each.event) for context, each in HEARD if each.event is not None and each.prepare is None]
WAITS = f"""
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND {WAITS_HERE}"""


def request(member: UUID, erasure: UUID | None = None) -> AccountErasureRequested:
    asked = AccountErasureRequested(user_id=str(member), version=900, erasure_id=str(erasure or uuid7()))
    asked.occurred_at.CopyFrom(Timestamp(seconds=1_800_000_000))
    return asked


def late(event: type[Message], member: UUID, version: int, chance: random.Random) -> Message:
    """An event about a member, with something in each of its fields."""
    found = made(event, member, version, chance)
    for field in event.DESCRIPTOR.fields:
        if field.type == FieldDescriptor.TYPE_BYTES:
            setattr(found, field.name, bytes(32))
    return found


async def receipts(world: World, context: str, erasure: UUID) -> int:
    """How often a context has told that it erased a member."""
    count: int = await world.superuser_of(context).fetchval(
        f"SELECT count(*) FROM {context}.outbox WHERE aggregate_id = $1 AND subject LIKE '%member_erased_from_%'",
        erasure,
    )
    return count


async def rows_of(world: World, context: str, member: UUID) -> dict[str, int]:
    """How many rows a context has of a member that erasure would delete or blank, by table."""
    found = {}
    for table in tables_of(context).sorted_tables:
        for each in declared(table):
            if each.how in (How.DELETED, How.BLANKED):
                condition = each.where.replace("member", f"'{member}'::uuid")
                count = await world.superuser_of(context).fetchval(
                    f"SELECT count(*) FROM {table.fullname} WHERE {condition}"
                )
                if count:
                    found[table.name] = count
    return found


@pytest.mark.parametrize(("context", "event"), OF_MEMBERS, ids=lambda each: getattr(each, "__name__", each))
async def test_a_late_event_about_an_erased_member_brings_no_row_back(
    world: World, context: str, event: type[Message]
) -> None:
    erased, other = uuid7(), uuid7()
    consumer = consumer_of(world, context, event)
    if context == "identity":
        await world.superuser.execute(
            "INSERT INTO identity.erased_members (user_id, erasure_id) VALUES ($1, $2)", erased, uuid7()
        )
    else:
        await world.publish(request(erased))
    chance = random.Random(7)
    before = await rows_of(world, context, erased)
    for number in (901, 902):
        await deliver(consumer, late(event, erased, number, chance))
        await deliver(consumer, late(event, other, number, chance))
    assert await rows_of(world, context, erased) == before == {}
    noted = await world.superuser_of(context).fetchval(
        f"SELECT count(*) FROM {context}.inbox WHERE consumer = $1", consumer.name
    )
    assert noted >= 4, "what is not applied is noted all the same, and not delivered again"


async def test_late_events_about_others_are_applied(world: World) -> None:
    """The control of the test above: at least these events make rows."""
    member, filled, chance = uuid7(), set(), random.Random(7)
    for context, event in OF_MEMBERS:
        if context == "identity":
            continue
        consumer = consumer_of(world, context, event)
        await deliver(consumer, late(event, member, 903, chance))
        if await rows_of(world, context, member):
            filled.add((context, event.DESCRIPTOR.name))
    assert filled >= {
        ("discovery", "InventoryChanged"),
        ("streak", "TierChanged"),
        ("reveal", "TierChanged"),
        ("matching", "TierChanged"),
        ("safety", "SessionOpened"),
    }


@pytest.mark.parametrize("context", ASKED)
async def test_what_is_asked_for_again_is_told_once(world: World, context: str) -> None:
    member, erasure = uuid7(), uuid7()
    asked = request(member, erasure)
    await world.publish(asked)
    assert await receipts(world, context, erasure) == 1
    consumer = consumer_of(world, context, AccountErasureRequested)
    await deliver(consumer, asked)  # under another id, as after the inbox has forgotten the first
    await world.drain()
    assert await receipts(world, context, erasure) == 1


@pytest.mark.parametrize("context", ASKED)
async def test_an_event_in_work_is_over_before_a_member_is_noted(
    world: World, context: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the event could write its rows after the erasure had deleted all."""
    member, erasure = uuid7(), uuid7()
    event = next(event for where, event in WITHOUT_CALLS if where == context)
    slow, noting = consumer_of(world, context, event), consumer_of(world, context, AccountErasureRequested)
    begun, may_end, apply = asyncio.Event(), asyncio.Event(), slow._method

    async def method(*arguments: Any) -> None:
        begun.set()
        await may_end.wait()
        await apply(*arguments)

    monkeypatch.setattr(slow, "_method", method)
    running = asyncio.ensure_future(deliver(slow, late(event, member, 905, random.Random(7))))
    await within(begun.wait())
    asked = asyncio.ensure_future(deliver(noting, request(member, erasure)))
    try:
        await eventually(lambda: world.superuser_of(context).fetchval(WAITS), "the note waits for the event")
        assert not asked.done()
    finally:
        may_end.set()
        await asyncio.gather(running, asked)
    await world.drain()
    assert await rows_of(world, context, member) == {}
    assert await receipts(world, context, erasure) == 1


@pytest.mark.parametrize("context", CONTEXTS)
async def test_nobody_is_erased_who_was_not_noted(world: World, context: str) -> None:
    """The function deletes as the owner, so it must not do more than the erasure needs."""
    async with role_of(world, context) as connection:
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await connection.execute(f"SELECT {context}.erase_member($1, 1000)", uuid7())
    assert refused.value.constraint_name == "erasure_asked_for"


async def test_a_large_member_is_erased_in_batches_by_two_replicas_and_whoever_dies_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "BATCH", 7)
    members = [uuid7() for _ in range(3)]
    connection = world.superuser
    for member in members:
        await connection.execute(
            """INSERT INTO safety.activity (user_id, kind, day, count)
               SELECT $1, 'interests', current_date - n, 1 FROM generate_series(1, 50) AS n""",
            member,
        )
    app = world.apps["safety"]
    erasures = {member: uuid7() for member in members}
    noting = consumer_of(world, "safety", AccountErasureRequested)
    for member, erasure in erasures.items():
        await deliver(noting, request(member, erasure))
    first, second = job(app), job(app)
    monkeypatch.setattr(first, "receipt", _dies)  # it never comes to its end
    while any([await rows_of(world, "safety", member) for member in members]):
        done = await asyncio.gather(first.erase_members(), second.erase_members(), return_exceptions=True)
        assert any(each for each in done if isinstance(each, int)), "a batch was done"
    while await second.erase_members():
        pass
    await world.drain()
    assert [await receipts(world, "safety", erasure) for erasure in erasures.values()] == [1, 1, 1]


async def test_a_row_that_somebody_changes_meanwhile_is_not_taken_for_erased(world: World) -> None:
    """The statement waits for the other and then finds the row elsewhere: it must be found again, not forgotten."""
    member = uuid7()
    await world.superuser.execute(
        "INSERT INTO safety.activity (user_id, kind, day, count) VALUES ($1, 'interests', current_date, 1)", member
    )
    await deliver(consumer_of(world, "safety", AccountErasureRequested), request(member))
    erasing_one = job(world.apps["safety"])
    other = world.superuser.transaction()
    await other.start()
    await world.superuser.execute("UPDATE safety.activity SET count = count + 1 WHERE user_id = $1", member)

    async def erase() -> int:
        return await erasing_one.erase_members()

    trying = asyncio.create_task(erase())
    async with role_of(world, "safety") as watching:

        async def waits() -> bool:
            return bool(await watching.fetchval(f"SELECT count(*) FROM pg_locks WHERE {WAITS_HERE}"))

        await eventually(waits, "the erasure waits for the row")
    await other.commit()
    assert await within(trying)
    await world.drain()
    assert await rows_of(world, "safety", member) == {}


async def _dies(*_: object) -> None:
    raise asyncpg.ConnectionDoesNotExistError


async def test_a_member_who_cannot_be_erased_holds_up_no_other(world: World) -> None:
    stuck, other = uuid7(), uuid7()
    erasures = {stuck: uuid7(), other: uuid7()}
    await world.superuser_of("streak").execute(
        f"""CREATE FUNCTION streak.refuse_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'not this one' USING ERRCODE = 'check_violation'; END $$;
            CREATE TRIGGER refuse_erasure BEFORE UPDATE ON streak.erased_members
            FOR EACH ROW WHEN (OLD.user_id = '{stuck}') EXECUTE FUNCTION streak.refuse_erasure();"""
    )
    for member, erasure in erasures.items():
        await world.publish(request(member, erasure))
    assert await receipts(world, "streak", erasures[other]) == 1
    assert await receipts(world, "streak", erasures[stuck]) == 0
    await world.superuser_of("streak").execute("DROP FUNCTION streak.refuse_erasure CASCADE")
    await world.drain()
    assert await receipts(world, "streak", erasures[stuck]) == 1


FOUND_BY_INDEX = [
    (table.fullname, each)
    for context in CONTEXTS
    for table in tables_of(context).sorted_tables
    for each in declared(table)
    if each.how in (How.DELETED, How.BLANKED)
]


@pytest.mark.parametrize(("table", "erased"), FOUND_BY_INDEX, ids=lambda each: each if isinstance(each, str) else "")
async def test_the_rows_of_a_member_are_found_by_an_index(world: World, table: str, erased: Any) -> None:
    """So that an erasure costs the same however many other members there are."""
    connection = world.superuser_of(table.split(".")[0])
    transaction = connection.transaction()
    await transaction.start()
    try:
        for filled in [table, *others_in(erased.where)]:
            await fill(connection, filled, 5000)
        condition = erased.where.replace("member", f"'{uuid7()}'::uuid")
        plan = await connection.fetch(f"EXPLAIN SELECT ctid FROM {table} WHERE {condition} LIMIT 1000")
    finally:
        await transaction.rollback()
    text = "\n".join(row[0] for row in plan)
    assert f"Seq Scan on {table.split('.')[1]}" not in text, text


def others_in(condition: str) -> Iterator[str]:
    """The other tables of a condition."""
    words = condition.replace("(", " ").split()
    for before, word in pairwise(words):
        if before in ("FROM", "JOIN"):
            yield word


def job(app: App[Any, Any]) -> erasing.Erasing:
    """The job of another replica of a service."""
    (kind,) = (each for each in app.service.jobs if isinstance(each, type) and issubclass(each, erasing.Erasing))
    another: erasing.Erasing = kind(app.runtime)
    return another


def consumer_of(world: World, context: str, event: type[Message]) -> Consumer:
    (found,) = (each for each in world.apps[context].consumers if each.consumes.event is event)
    return found


async def deliver(consumer: Consumer, event: Message) -> None:
    """Applies an event as if it had been delivered."""
    identifier = uuid7()
    envelope = Envelope(str(identifier), subject_of(event), str(aggregate_of(event)[0]), "", event.SerializeToString())
    await consumer.transact([Delivery(None, identifier, envelope, event)])  # type: ignore[arg-type]
