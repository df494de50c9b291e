"""A block and its end in all contexts, by the events that they publish (SA-02, MA-12, RE-10)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest
from google.protobuf.message import Message
from unora.matching.v1.events_pb2 import END_CAUSE_BLOCK, ConnectionEnded
from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ENDED, INTEREST_STATUS_PENDING
from unora.safety.v1.events_pb2 import MemberBlocked

from tests.integration.protection.scenario import Scenario
from tests.support import race, refusal


@pytest.mark.rule("MA-12", "MA-09", "SA-02", "RE-10")
async def test_a_block_during_a_streak_ends_everything_and_looks_like_any_end(scenario: Scenario) -> None:
    one, other = await scenario.add_pair()
    connection = await scenario.connect(one, other)
    streak_id = await scenario.play(connection, one, other, 5)
    opened = await scenario.open(other, streak_id, 1)
    assert opened.reveal.framed.text
    before = await scenario.read_all(other, streak_id)

    block = await scenario.safety.block(one, scenario.by_connection(connection))

    # At this moment, before any context has the event:
    refused = await refusal(scenario.open(other, streak_id, 1))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "CONNECTION_ENDED")
    assert not any(each.HasField("framed") for each in await scenario.list_reveals(other, streak_id))
    await scenario.world.drain()

    (ended,) = await scenario.world.events(ConnectionEnded, connection.connection_id)
    assert (ended.ended_by_id, ended.cause) == (one.id, END_CAUSE_BLOCK)
    for member in (one, other):
        shown = await scenario.matches.connection(member, connection.connection_id)
        assert shown.status == CONNECTION_STATUS_ENDED
        assert not await scenario.matches.connections(member)
        assert (await scenario.matches.inventory(member)).active_connection_count == 0
        refused = await refusal(scenario.open(member, streak_id, 1))
        assert refused.reason == "CONNECTION_ENDED"
    after = await scenario.read_all(other, streak_id)
    # The answers to the blocked member change as by any end of a connection, and never mention the block.
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {
        *("account", "connections", "inventory", "dashboard", "partners", "screen", "streak", "reveals", "history")
    }
    assert block.block_id.encode() not in b"".join(after.values())


@pytest.mark.rule("MA-09", "XX-04")
async def test_a_block_and_an_end_look_the_same_to_the_other_member(scenario: Scenario) -> None:
    """The same story twice, ended by a member and by a block: the answers to the other have the same shape."""
    shapes = []
    for blocks in (False, True):
        one, other = await scenario.add_pair()
        connection = await scenario.connect(one, other)
        streak_id = await scenario.play(connection, one, other, 2)
        if blocks:
            await scenario.safety.block(one, scenario.by_connection(connection))
        else:
            await scenario.matches.end(one, connection.connection_id)
        await scenario.world.drain()
        shape = {name: _shape(await read()) for name, read in scenario.reads(other, streak_id).items()}
        refused = [
            await refusal(scenario.open(other, streak_id, 1)),
            await refusal(scenario.check_in(streak_id, other)),
            await refusal(scenario.matches.end(other, connection.connection_id)),
        ]
        shapes.append((shape, refused))
    (after_end, refused_after_end), (after_block, refused_after_block) = shapes
    assert refused_after_end == refused_after_block
    for name, answer in after_end.items():
        assert answer == after_block[name], name


def _shape(message: Message) -> object:
    """A message without the parts that differ between stories: ids, times, texts, and where in a batch a card lies."""
    found: list[tuple[str, object]] = []
    for field, value in message.ListFields():
        if field.name == "position":
            continue
        kind = field.message_type.full_name if field.message_type is not None else ""
        if kind in ("google.protobuf.Timestamp", "google.type.Date"):
            found.append((field.name, "at"))
        elif kind:
            each = value if field.is_repeated else [value]
            found.append((field.name, sorted((_shape(one) for one in each), key=str)))
        elif field.name.endswith("_id"):
            found.append((field.name, "id"))
        elif isinstance(value, str):
            found.append((field.name, "text"))
        else:
            found.append((field.name, str(value)))
    return found


@pytest.mark.rule("SA-02", "MA-12", "DI-09")
async def test_a_block_by_card_keeps_two_members_apart_until_it_is_lifted(scenario: Scenario) -> None:
    one, other = await scenario.add_pair()
    cards = await scenario.cards(one)
    theirs = await scenario.cards(other)
    sent = await scenario.matches.send(other, theirs[one.id].card_id)
    await scenario.world.drain()
    block = await scenario.safety.block(one, scenario.by_card(cards[other.id]))
    await scenario.world.drain()

    # The blocked member sees no change: the interest is pending, the card and the count stay.
    assert [each.status for each in await scenario.matches.sent(other)] == [INTEREST_STATUS_PENDING]
    assert (await scenario.matches.inventory(other)).pending_interest_count == 1
    assert sent.interest.interest_id == (await scenario.matches.sent(other))[0].interest_id
    assert theirs[one.id].card_id in {card.card_id for card in (await scenario.pool.screen(other)).batch.cards}
    # The blocker may answer by the card that is still there: the interest looks pending and never matches.
    answer = await scenario.matches.send(one, cards[other.id].card_id)
    assert not answer.HasField("connection")
    assert answer.interest.status == INTEREST_STATUS_PENDING
    await scenario.world.drain()

    # When shown members may be shown again and the interests have expired, neither is on a card of the other: the four
    # others are too few for a batch, and no answer says why.
    await scenario.much_later(one, other)
    for viewer in (one, other):
        assert not (await scenario.matches.inventory(viewer)).pending_interest_count
        assert (await refusal(scenario.pool.refresh(viewer))).reason == "POOL_TOO_SMALL"

    await scenario.safety.unblock(one, block.block_id)
    await scenario.world.drain()
    connection = await scenario.connect(other, one)
    assert connection.partner_id == other.id


@pytest.mark.rule("MA-12", "SA-02")
@pytest.mark.parametrize("attempt", range(8))
async def test_a_block_and_a_match_at_once_leave_no_connection(scenario: Scenario, attempt: int) -> None:
    one, other = await scenario.add_pair()
    cards, theirs = await scenario.cards(one), await scenario.cards(other)
    await scenario.matches.send(other, theirs[one.id].card_id)
    if attempt % 2:
        await scenario.world.drain()
    calls: list[Awaitable[Any]] = [
        scenario.safety.block(one, scenario.by_card(cards[other.id])),
        scenario.matches.send(one, cards[other.id].card_id),
    ]
    await race(attempt // 2, calls)
    await scenario.world.drain()
    assert len(await scenario.world.events(MemberBlocked)) >= 1
    for member in (one, other):
        assert not await scenario.matches.connections(member)
        assert (await scenario.matches.inventory(member)).active_connection_count == 0


@pytest.mark.rule("RE-10", "RE-04")
async def test_after_day_15_a_block_hides_name_and_photos_at_once(scenario: Scenario) -> None:
    one, other = await scenario.add_pair()
    connection = await scenario.connect(one, other)
    streak_id = await scenario.play(connection, one, other, 15)
    shown = await scenario.open(other, streak_id, 5)
    assert shown.identity.name
    assert len(shown.identity.photos) == 3
    block = await scenario.safety.block(other, scenario.by_connection(connection))
    for member in (one, other):
        assert (await refusal(scenario.open(member, streak_id, 5))).reason == "CONNECTION_ENDED"
    await scenario.world.drain()
    await scenario.safety.unblock(other, block.block_id)
    await scenario.world.drain()
    # To lift the block restores nothing: the connection has ended.
    for member in (one, other):
        assert (await refusal(scenario.open(member, streak_id, 5))).reason == "CONNECTION_ENDED"
