"""MA-09: either member ends the connection, and the other sees one neutral ending."""

from __future__ import annotations

import asyncio
from datetime import UTC

import pytest
from unora.matching.v1.events_pb2 import ConnectionEnded, InventoryChanged
from unora.matching.v1.matching_service_pb2 import (
    CONNECTION_STATUS_ENDED,
    END_REASON_NOT_A_FIT,
    END_REASON_UNCOMFORTABLE,
    END_REASON_UNSPECIFIED,
    Connection,
    EndConnectionRequest,
    EndReason,
)
from unora.streak.v1.events_pb2 import StreakTerminated
from unora_common.ids import uuid7
from unora_matching.domain.connections import EndReason as Reason
from unora_matching.use_cases.end_connections import end_connection
from unora_testing.world import World

from tests.integration.matching.people import People
from tests.support import Refusal, as_uuid, refusal, request_id


@pytest.mark.rule("MA-09")
async def test_either_member_ends_it_and_both_slots_are_free(world: World, people: People) -> None:
    for ender in (0, 1):
        pair = await people.members("free", "plus")
        connection = await people.connect(pair[0], pair[1])
        before = await world.now()
        ended = await people.end(pair[ender], connection.connection_id)
        assert (ended.status, ended.partner_id) == (CONNECTION_STATUS_ENDED, pair[1 - ender].id)
        assert before < ended.ended_at.ToDatetime(UTC) < await world.now()
        for member in pair:
            assert (await people.inventory(member)).active_connection_count == 0
            assert await people.connections(member) == []
            changed = await world.events(InventoryChanged, member.id)
            assert changed[-1].active_connection_count == 0
        (event,) = await world.events(ConnectionEnded, connection.connection_id)
        assert (event.ended_by_id, event.version) == (pair[ender].id, 2)


@pytest.mark.rule("MA-09", "XX-01", "XX-04")
async def test_the_other_sees_the_same_ending_whoever_ended_it_and_why(world: World, people: People) -> None:
    seen = set()
    for ender, reason in ((0, END_REASON_UNCOMFORTABLE), (1, END_REASON_NOT_A_FIT)):
        pair = await people.members("free", "free")
        connection = await people.connect(pair[0], pair[1])
        await people.end(pair[ender], connection.connection_id, reason)
        for member in pair:
            (shown,) = await people.connections(member, show_ended=True)
            seen.add((tuple(field.name for field, _ in shown.ListFields()), shown.status))
        (kept,) = await people.rows(
            "SELECT end_reason, ended_by_id FROM matching.connections WHERE id = $1::uuid", connection.connection_id
        )
        name = EndReason.Name(reason).removeprefix("END_REASON_").lower()
        assert (kept["end_reason"], kept["ended_by_id"]) == (name, pair[ender].user)
    assert len(seen) == 1
    for message in (Connection, ConnectionEnded):
        assert not [field.name for field in message.DESCRIPTOR.fields if "reason" in field.name]
    assert "ended_by_id" not in Connection.DESCRIPTOR.fields_by_name


@pytest.mark.rule("MA-09")
async def test_a_second_ending_is_refused_and_a_repeat_is_answered_again(world: World, people: People) -> None:
    first, second = await people.members("free", "free")
    connection = await people.connect(first, second)
    request = request_id()
    ended = await people.end(first, connection.connection_id, request=request)
    assert await people.end(first, connection.connection_id, request=request) == ended
    for member in (first, second):
        refused = await refusal(people.end(member, connection.connection_id))
        assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "CONNECTION_ENDED")
    assert len(await world.events(ConnectionEnded, connection.connection_id)) == 1
    assert (await people.inventory(first)).active_connection_count == 0


@pytest.mark.rule("XX-04")
async def test_anothers_connection_is_like_a_missing_one(people: People) -> None:
    first, second, stranger = await people.members("free", "free", "free")
    connection = await people.connect(first, second)
    refusals = [await refusal(people.end(stranger, found)) for found in (connection.connection_id, str(uuid7()))]
    sentence = "This connection does not exist."
    assert refusals[0] == Refusal("NOT_FOUND", "CONNECTION_NOT_FOUND", "unora.matching", {}, {}, sentence)
    assert refusals[1] == refusals[0]
    assert len(await people.connections(first)) == 1


@pytest.mark.rule("XX-04")
async def test_a_stranger_does_not_even_wait_for_the_connections_lock(people: People) -> None:
    first, second, stranger = await people.members("free", "free", "free")
    connection = await people.connect(first, second)
    async with people.database.transaction(first.user) as tx:
        await end_connection(tx, as_uuid(connection.connection_id), first.user, Reason.OTHER)
        assert (await refusal(people.end(stranger, connection.connection_id))).code == "NOT_FOUND"


@pytest.mark.rule("MA-02", "MA-09")
async def test_of_two_endings_at_the_same_time_one_succeeds(world: World, people: People) -> None:
    for _ in range(10):
        pair = await people.members("plus", "plus")
        kept = await people.member("plus")
        await people.connect(pair[0], kept)
        connection = await people.connect(pair[0], pair[1])
        answers = await asyncio.gather(
            *(people.end(member, connection.connection_id) for member in pair for _ in range(3)), return_exceptions=True
        )
        assert sum(isinstance(answer, Connection) for answer in answers) == 1
        assert len(await world.events(ConnectionEnded, connection.connection_id)) == 1
        counts = [(await people.inventory(member)).active_connection_count for member in (*pair, kept)]
        assert counts == [1, 0, 1]


@pytest.mark.rule("MA-09")
async def test_a_slot_that_is_free_again_can_be_taken(people: People) -> None:
    first, second, third = await people.members("free", "free", "free")
    connection = await people.connect(first, second)
    await people.end(second, connection.connection_id)
    again = await people.connect(first, third)
    assert again.connection_id != connection.connection_id
    assert [each.status for each in await people.connections(first, show_ended=True)].count(
        CONNECTION_STATUS_ENDED
    ) == 1


@pytest.mark.rule("MA-09", "ST-12")
async def test_its_streak_ends_with_it(world: World, people: People) -> None:
    first, second = await people.members("free", "free")
    connection = await people.connect(first, second)
    await world.drain()
    await people.end(first, connection.connection_id)
    await world.drain()
    terminated = [event.connection_id for event in await world.events(StreakTerminated)]
    assert terminated.count(connection.connection_id) == 1


@pytest.mark.parametrize("reason", [END_REASON_UNSPECIFIED, 99])
async def test_an_ending_needs_a_reason_that_exists(people: People, reason: int) -> None:
    first, second = await people.members("free", "free")
    connection = await people.connect(first, second)
    request = EndConnectionRequest(request_id=request_id(), connection_id=connection.connection_id)
    request.reason = reason  # type: ignore[assignment]
    refused = await refusal(people.matching.EndConnection(request, metadata=first.metadata))
    assert (refused.code, list(refused.violations)) == ("INVALID_ARGUMENT", ["reason"])
    assert len(await people.connections(second)) == 1


@pytest.mark.rule("XX-02")
async def test_a_crash_before_the_commit_leaves_the_connection_active(world: World, people: People) -> None:
    first, second = await people.members("free", "free")
    connection = await people.connect(first, second)
    shown = await people.all_that_is_shown(second)

    async def crash() -> None:
        async with people.database.transaction(first.user) as tx:
            await end_connection(tx, as_uuid(connection.connection_id), first.user, Reason.OTHER)
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await crash()
    assert await people.all_that_is_shown(second) == shown
    assert await world.events(ConnectionEnded, connection.connection_id) == []
