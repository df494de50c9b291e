"""What a consumer of many events does with a batch is what it does with its events one by one (XX-02)."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from unora.matching.v1.events_pb2 import ConnectionEnded
from unora_common.batching import combine
from unora_common.config import CONTEXTS
from unora_common.consumers import Consumer
from unora_common.database import Tx
from unora_common.declarations import load_service
from unora_common.ids import uuid7
from unora_testing.world import World

from tests.integration.identity.people import People

TABLES: Final = {
    "identity": ("users",),
    "discovery": (
        *("candidates", "exclusions", "waiting_interests", "member_blocks"),
        *("card_interests", "partner_cards"),
    ),
    "streak": ("tiers", "waiting_reveals"),
    "reveal": ("pairs",),
    "safety": ("sightings", "activity", "to_examine"),
}
"""What the consumers write, besides the tombstones of each. How often somebody was marked to be examined does not
count, nor when somebody was noted as erased.
"""
BATCHED: Final = [
    (context, consumes.name)
    for context in CONTEXTS
    for consumes in load_service(context).consumed()
    if consumes.many and consumes.event is not None and consumes.prepare is None
]
START: Final = datetime(2026, 3, 1, tzinfo=UTC)
EVENTS: Final = 40


class UndoError(Exception):
    """Rolls back."""


@pytest.mark.rule("XX-02")
@pytest.mark.parametrize(("context", "name"), BATCHED)
async def test_a_batch_has_the_effect_of_its_events_one_by_one(world: World, context: str, name: str) -> None:
    members = [uuid7() for _ in range(4)]
    if context == "identity":  # it updates accounts that are there
        members = [(await People(world).sign_in()).member.user for _ in members]
    app = world.apps[context]
    (consumer,) = (each for each in app.consumers if each.consumes.name == name and each.consumes.many)
    chance = random.Random(7)
    for _ in range(5):
        events = made(consumer, members, chance)
        earlier, batch = events[: EVENTS // 4], events[EVENTS // 4 :]
        one_by_one = await effect(world, context, consumer, [[event] for event in [*earlier, *batch]])
        other_order = await effect(world, context, consumer, [*([event] for event in earlier), batch[::-1]])
        at_once = await effect(world, context, consumer, [*([event] for event in earlier), batch])
        assert at_once == one_by_one == other_order
        assert any(at_once.values())


def made(consumer: Consumer, members: Sequence[UUID], chance: random.Random) -> list[Message]:
    """Events of few aggregates, in any order; versions and times agree, and no two are equal. The first ones are of
    each aggregate, so that what happens once, as the end of a connection, is not in the batch for the first time.
    """
    kind = consumer.consumes.event
    assert kind is not None
    aggregates = [*members, *chance.choices(members, k=EVENTS - len(members))]
    numbers = chance.sample(range(1, 999), EVENTS)
    return [_event(kind, each, number, chance) for each, number in zip(aggregates, numbers, strict=True)]


def _event(kind: type[Message], aggregate: UUID, version: int, chance: random.Random) -> Message:
    event = kind()
    fields: Sequence[Any] = event.DESCRIPTOR.fields
    for index, field in enumerate(fields):
        if index == 0:
            setattr(event, field.name, str(aggregate))
        elif field.name == "version":
            setattr(event, field.name, version)
        elif field.message_type is not None:
            hours = 0 if isinstance(event, ConnectionEnded) else version  # a connection ends once
            getattr(event, field.name).FromDatetime(START + timedelta(hours=hours))
        elif field.enum_type is not None:
            setattr(event, field.name, chance.choice(field.enum_type.values[1:]).number)
        elif field.type == FieldDescriptor.TYPE_STRING:
            setattr(event, field.name, str(_other(aggregate, field.name)))
        elif field.type == FieldDescriptor.TYPE_BOOL:
            setattr(event, field.name, chance.random() < 0.5)
        elif field.type in (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64):
            setattr(event, field.name, chance.randrange(1, 5))
    return event


def _other(aggregate: UUID, name: str) -> UUID:
    """Another id of the event: it never changes, and of a pair the first is the lower."""
    found = uuid5(aggregate, name)
    fixed = {"user_a_id": 0, "sender_id": 0, "blocker_id": 0, "user_b_id": 255, "receiver_id": 255, "blocked_id": 255}
    return UUID(bytes=bytes([fixed[name]]) + found.bytes[1:]) if name in fixed else found


async def effect(
    world: World, context: str, consumer: Consumer, batches: Sequence[Sequence[Message]]
) -> dict[str, list[Any]]:
    """The rows after these batches, which are undone again."""
    rows: dict[str, list[Any]] = {}
    with suppress(UndoError):
        async with world.apps[context].database.transaction() as tx:
            for batch in batches:
                await consumer._method(list(batch), tx)
                await _write_deferred(tx)
            now = await tx.read_clock()
            for table in (*TABLES.get(context, ()), "erased_members"):
                found = await tx.rows(
                    f"SELECT to_jsonb(t) - '{{marks,noted_at}}'::text[] AS row FROM {context}.{table} t ORDER BY 1"
                )
                rows[table] = [_without_the_moment(row["row"], now) for row in found]
            raise UndoError
    return rows


def _without_the_moment(stored: str, now: datetime) -> dict[str, Any]:
    """A lifted exclusion ends when it is stored, which is another moment each time."""
    row: dict[str, Any] = json.loads(stored)
    end = row.get("apart_until")
    ends_now = end is not None and abs(datetime.fromisoformat(end) - now) < timedelta(minutes=30)
    return row | {"apart_until": "now"} if ends_now else row


async def _write_deferred(tx: Tx) -> None:
    if tx.deferred:
        sql, arguments = combine(tx.deferred)
        await tx.run(sql, *arguments)
        tx.deferred.clear()
