"""A block, from safety to every other context and back, by events as they really come (SA-02, MA-12, RE-10)."""

from __future__ import annotations

import asyncio

import pytest
from google.protobuf.message import Message
from unora.matching.v1.events_pb2 import END_CAUSE_BLOCK, ConnectionEnded
from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ENDED, INTEREST_STATUS_PENDING
from unora.safety.v1.events_pb2 import MemberBlocked

from tests.integration.protection.town import Town
from tests.support import refusal


@pytest.mark.rule("MA-12", "MA-09", "SA-02", "RE-10")
async def test_a_block_mid_streak_ends_all_and_looks_like_any_ending(town: Town) -> None:
    one, other = await town.couple()
    connection = await town.connect(one, other)
    streak_id = await town.play(connection, one, other, 5)
    opened = await town.open(other, streak_id, 1)
    assert opened.reveal.framed.text
    before = await town.told(other, streak_id)

    block = await town.meetings.block(one, town.by_connection(connection))

    # At this very moment, before anybody has heard of it:
    refused = await refusal(town.open(other, streak_id, 1))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "CONNECTION_ENDED")
    assert not any(each.HasField("framed") for each in await town.list_reveals(other, streak_id))
    await town.world.drain()

    (ended,) = await town.world.events(ConnectionEnded, connection.connection_id)
    assert (ended.ended_by_id, ended.cause) == (one.id, END_CAUSE_BLOCK)
    for member in (one, other):
        shown = await town.matches.connection(member, connection.connection_id)
        assert shown.status == CONNECTION_STATUS_ENDED
        assert not await town.matches.connections(member)
        assert (await town.matches.inventory(member)).active_connection_count == 0
        refused = await refusal(town.open(member, streak_id, 1))
        assert refused.reason == "CONNECTION_ENDED"
    after = await town.told(other, streak_id)
    # What changed for the one who was blocked is what any ending changes; they have no blocks, and no word of one.
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"account", "connections", "inventory", "dashboard", "screen", "streak", "reveals"}
    assert block.block_id.encode() not in b"".join(after.values())


@pytest.mark.rule("MA-09", "XX-04")
async def test_what_the_other_sees_of_a_block_is_what_they_see_of_an_ending(town: Town) -> None:
    """Twice the same story, ended once by a member and once by a block: the other's answers have the same shape."""
    shapes = []
    for blocks in (False, True):
        one, other = await town.couple()
        connection = await town.connect(one, other)
        streak_id = await town.play(connection, one, other, 2)
        if blocks:
            await town.meetings.block(one, town.by_connection(connection))
        else:
            await town.matches.end(one, connection.connection_id)
        await town.world.drain()
        shape = {name: _shape(await read()) for name, read in town.reads(other, streak_id).items()}
        refused = [
            await refusal(town.open(other, streak_id, 1)),
            await refusal(town.check_in(streak_id, other)),
            await refusal(town.matches.end(other, connection.connection_id)),
        ]
        shapes.append((shape, refused))
    (ended, told), (blocked, told_of_block) = shapes
    assert told == told_of_block
    for name, looks in ended.items():
        assert looks == blocked[name], name


def _shape(message: Message) -> object:
    """A message without what differs from story to story: ids, times, digits."""
    found: list[tuple[str, object]] = []
    for field, value in message.ListFields():
        kind = field.message_type.full_name if field.message_type is not None else ""
        if kind in ("google.protobuf.Timestamp", "google.type.Date"):
            found.append((field.name, "at"))
        elif kind:
            each = value if field.is_repeated else [value]
            found.append((field.name, [_shape(one) for one in each]))
        elif field.name.endswith("_id"):
            found.append((field.name, "id"))
        elif isinstance(value, str):
            found.append((field.name, "text"))
        else:
            found.append((field.name, str(value)))
    return found


@pytest.mark.rule("SA-02", "MA-12", "DI-09")
async def test_a_block_by_card_keeps_apart_until_it_is_lifted(town: Town) -> None:
    one, other = await town.couple()
    cards = await town.cards(one)
    theirs = await town.cards(other)
    sent = await town.matches.send(other, theirs[one.id].card_id)
    await town.world.drain()
    block = await town.meetings.block(one, town.by_card(cards[other.id]))
    await town.world.drain()

    # Who is blocked sees nothing: the interest pends, the card stays, the count stays.
    assert [each.status for each in await town.matches.sent(other)] == [INTEREST_STATUS_PENDING]
    assert (await town.matches.inventory(other)).pending_interest_count == 1
    assert sent.interest.interest_id == (await town.matches.sent(other))[0].interest_id
    assert theirs[one.id].card_id in {card.card_id for card in (await town.pool.screen(other)).batch.cards}
    # Who blocks may answer by the card that is still there: it looks pending and never matches.
    answer = await town.matches.send(one, cards[other.id].card_id)
    assert not answer.HasField("connection")
    assert answer.interest.status == INTEREST_STATUS_PENDING
    await town.world.drain()

    # When who was shown may be shown again, and what looked pending has expired, neither is on a card of the other:
    # the four others are too few, and nothing says why.
    await town.much_later(one, other)
    for viewer in (one, other):
        assert not (await town.matches.inventory(viewer)).pending_interest_count
        assert (await refusal(town.pool.refresh(viewer))).reason == "POOL_TOO_SMALL"

    await town.meetings.unblock(one, block.block_id)
    await town.world.drain()
    connection = await town.connect(other, one)
    assert connection.partner_id == other.id


@pytest.mark.rule("MA-12", "SA-02")
@pytest.mark.parametrize("attempt", range(4))
async def test_a_block_and_a_match_at_once_leave_no_connection(town: Town, attempt: int) -> None:
    one, other = await town.couple()
    cards, theirs = await town.cards(one), await town.cards(other)
    await town.matches.send(other, theirs[one.id].card_id)
    if attempt % 2:
        await town.world.drain()
    calls = [town.meetings.block(one, town.by_card(cards[other.id])), town.matches.send(one, cards[other.id].card_id)]
    await asyncio.gather(*(calls if attempt % 3 else reversed(calls)))
    await town.world.drain()
    assert len(await town.world.events(MemberBlocked)) >= 1
    for member in (one, other):
        assert not await town.matches.connections(member)
        assert (await town.matches.inventory(member)).active_connection_count == 0


@pytest.mark.rule("RE-10", "RE-04")
async def test_after_day_15_a_block_takes_name_and_photos_back_at_that_moment(town: Town) -> None:
    one, other = await town.couple()
    connection = await town.connect(one, other)
    streak_id = await town.play(connection, one, other, 15)
    shown = await town.open(other, streak_id, 5)
    assert shown.identity.name
    assert len(shown.identity.photos) == 3
    block = await town.meetings.block(other, town.by_connection(connection))
    for member in (one, other):
        assert (await refusal(town.open(member, streak_id, 5))).reason == "CONNECTION_ENDED"
    await town.world.drain()
    await town.meetings.unblock(other, block.block_id)
    await town.world.drain()
    # Lifting it brings nothing back: the connection has ended.
    for member in (one, other):
        assert (await refusal(town.open(member, streak_id, 5))).reason == "CONNECTION_ENDED"
