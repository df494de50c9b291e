"""ST-11: day 15 unlocks the chat, while the connection is active."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from unora.matching.v1.events_pb2 import ChatUnlocked
from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ACTIVE, Connection
from unora.streak.v1.events_pb2 import StreakCompleted
from unora_common.ids import uuid7
from unora_testing.world import World

from tests.integration.matching.people import People


def completed(connection_id: str, at: datetime) -> StreakCompleted:
    event = StreakCompleted(streak_id=str(uuid7()), version=40, connection_id=connection_id)
    event.occurred_at.FromDatetime(at)
    return event


def chat_of(connection: Connection) -> datetime | None:
    return connection.chat_unlocked_at.ToDatetime(UTC) if connection.HasField("chat_unlocked_at") else None


@pytest.mark.rule("ST-11")
async def test_a_completed_streak_unlocks_the_chat_for_both(world: World, people: People) -> None:
    first, second = await people.members("free", "free")
    connection = await people.connect(first, second)
    assert chat_of(connection) is None
    at = await world.now()
    await world.publish(completed(connection.connection_id, at))
    for member in (first, second):
        (shown,) = await people.connections(member)
        assert (chat_of(shown), shown.status) == (at, CONNECTION_STATUS_ACTIVE)
        assert (await people.inventory(member)).active_connection_count == 1  # the connection keeps its slot
    (event,) = await world.events(ChatUnlocked, connection.connection_id)
    assert (event.version, event.occurred_at.ToDatetime(UTC)) == (2, at)
    assert [event.user_a_id, event.user_b_id] == sorted([first.id, second.id])


@pytest.mark.rule("ST-11", "XX-02")
async def test_two_events_unlock_it_once(world: World, people: People) -> None:
    first, second = await people.members("free", "free")
    connection = await people.connect(first, second)
    at = await world.now()
    await world.publish(completed(connection.connection_id, at), completed(connection.connection_id, at + timedelta(1)))
    (shown,) = await people.connections(first)
    assert chat_of(shown) == at
    assert len(await world.events(ChatUnlocked, connection.connection_id)) == 1
    await people.end(first, connection.connection_id)  # the next event has the next version
    (pair,) = await people.rows(
        "SELECT version FROM matching.connections WHERE id = $1::uuid", connection.connection_id
    )
    assert pair["version"] == 3


@pytest.mark.rule("ST-11")
async def test_a_connection_that_ended_before_stays_without_chat(world: World, people: People) -> None:
    first, second = await people.members("free", "free")
    connection = await people.connect(first, second)
    await people.end(first, connection.connection_id)
    await world.publish(completed(connection.connection_id, await world.now()))
    (shown,) = await people.connections(second, show_ended=True)
    assert chat_of(shown) is None
    assert await world.events(ChatUnlocked, connection.connection_id) == []


@pytest.mark.rule("ST-11")
async def test_a_streak_without_a_connection_unlocks_nothing_and_delays_no_other(world: World, people: People) -> None:
    unknown_id = str(uuid7())
    first, second = await people.members("free", "free")
    connection = await people.connect(first, second)
    now = await world.now()
    await world.publish(completed(unknown_id, now), completed(connection.connection_id, now))
    assert await world.events(ChatUnlocked, unknown_id) == []
    assert len(await world.events(ChatUnlocked, connection.connection_id)) == 1
