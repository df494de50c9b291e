"""Flags by what members really do; nobody but a moderator sees one (SA-02, SA-04)."""

from __future__ import annotations

import pytest
from unora.billing.v1.events_pb2 import ProtectionClosed
from unora.identity.v1.events_pb2 import SessionOpened
from unora.safety.v1.events_pb2 import (
    FLAG_PATTERN_BAD_FAITH_ENDINGS,
    FLAG_PATTERN_INTEREST_FLOOD,
    FLAG_PATTERN_MANY_BLOCKS,
    FLAG_PATTERN_MANY_REPORTS,
    FLAG_PATTERN_SHARED_DEVICE,
    FlagPattern,
)
from unora.safety.v1.moderation_service_pb2 import Flag
from unora_testing.world import Caller

from tests.integration.discovery.pool import ALL
from tests.integration.protection.town import Resident, Town

pytestmark = pytest.mark.rule("SA-04", "SA-02")


async def flag(town: Town, who: Caller, pattern: FlagPattern.ValueType) -> Flag:
    """The one open flag of a member."""
    (found,) = await town.office.flags_of(who)
    assert found.pattern == pattern
    assert (await town.office.case_of(who)).case_id == found.case_id
    return found


async def met_by(town: Town, who: Resident, count: int) -> list[Caller]:
    """So many others who have a card of this member before them."""
    others = await town.pool.members(count)
    for other in others:
        assert who.id in await town.cards(other)
    return others


async def test_a_flood_of_interests(town: Town) -> None:
    await town.pool.empty()
    who = await town.arrive(*ALL)
    sent = 0
    for server in ALL:
        await town.pool.members(5, servers=[server])
        for card in (await town.cards(who, server)).values():
            assert bool(await town.office.flags_of(who)) is (sent >= 12)
            await town.matches.send(who, card.card_id)
            sent += 1
            if sent >= 11:
                await town.world.drain()
    before = await town.told(who)
    found = await flag(town, who, FLAG_PATTERN_INTEREST_FLOOD)
    assert found.evidence_numbers["count"] == 12
    kept = {each.interest_id for each in await town.matches.sent(who)}
    assert set(found.evidence_ids) < kept
    assert await town.told(who) == before


async def test_many_who_block_and_many_who_report(town: Town) -> None:
    await town.pool.empty()
    who = await town.arrive()
    others = await met_by(town, who, 5)
    before = await town.told(who)
    for number, other in enumerate(others, 1):
        card = (await town.cards(other))[who.id]
        await town.meetings.block(other, town.by_card(card))
        await town.meetings.block(other, town.by_card(card))  # again: still one person
        await town.world.drain()
        assert bool(await town.office.flags_of(who)) is (number == 5)
    found = await flag(town, who, FLAG_PATTERN_MANY_BLOCKS)
    assert set(found.evidence_ids) == {other.id for other in others}
    for number, other in enumerate(others[:3], 1):
        for _ in range(2):
            await town.meetings.report(other, town.by_card((await town.cards(other))[who.id]))
        await town.world.drain()
        assert len(await town.office.flags_of(who)) == (2 if number == 3 else 1)
    assert {each.pattern for each in await town.office.flags_of(who)} == {
        FLAG_PATTERN_MANY_BLOCKS,
        FLAG_PATTERN_MANY_REPORTS,
    }
    assert len({each.case_id for each in await town.office.flags_of(who)}) == 1
    assert await town.told(who) == before


@pytest.mark.rule("XX-01")
async def test_several_accounts_of_one_device(town: Town) -> None:
    device = "device-7f3a-of-a-shared-phone"
    members = [await town.sign_in(device=device) for _ in range(2)]
    await town.sign_in(members[0].phone, device)  # again: no further account
    await town.world.drain()
    for who in members:
        assert not await town.office.flags_of(who)
    members.append(await town.sign_in(device=device))
    await town.world.drain()
    for who in members:
        found = await flag(town, who, FLAG_PATTERN_SHARED_DEVICE)
        assert set(found.evidence_ids) == {each.id for each in members} - {who.id}
        sessions = await town.reads(who)["sessions"]()
        assert device not in str(sessions)
    digests = {each.device_digest for who in members for each in await town.world.events(SessionOpened, who.id)}
    (digest,) = digests
    assert len(digest) == 32
    assert device.encode() not in digest


async def test_endings_in_bad_faith(town: Town) -> None:
    """Twice a partner has paid for a recovery, and within the day the member ends it."""
    partner, who = await town.couple()
    for ended in (1, 2):
        connection = await town.connect(partner, who)
        streak_id = (await town.streak(who, connection.connection_id)).streak_id
        await town.check_in(streak_id, who)
        await town.next_day(who, connection.connection_id)
        await town.recover(partner, streak_id)
        await town.matches.end(who, connection.connection_id)
        await town.world.drain()
        (closed,) = [
            each for each in await town.world.events(ProtectionClosed) if each.connection_id == connection.connection_id
        ]
        assert closed.converted
        if ended == 1:
            assert not await town.office.flags_of(who)
            await town.pool.leave(partner)
            partner = await town.arrive()
            await town.much_later(who)
    found = await flag(town, who, FLAG_PATTERN_BAD_FAITH_ENDINGS)
    assert found.evidence_numbers["count"] == 2
    assert not await town.office.flags_of(partner)
